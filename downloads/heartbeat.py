"""What a running download tells the database and asks of it each second: one write, one read.

In plain SQL, because composing the same two statements anew each time takes longer than running
them, and while a file arrives nothing of the composer stays in the processor's caches.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from django.db import connection, models
from django.utils import timezone

from downloads.claims import LEASE, Claim
from downloads.engine.types import Progress
from downloads.queue import GLOBAL_SCOPE
from downloads.states import State

_TELL: Final = """
UPDATE downloads_download
SET lease_expires_at = %s, updated_at = %s, stage = %s,
    bytes_done = %s, bytes_total = %s, speed_bps = %s, eta_seconds = %s
WHERE id = %s AND fence = %s AND state IN ('resolving', 'downloading', 'importing')
"""
_ASK: Final = """
SELECT own.state, own.fence, own.provider_id, own.is_automatic, own.rate_limit_bps,
       shared.rate_limit_bps, shared.window_start, shared.window_end,
       (SELECT COUNT(*) FROM downloads_download WHERE lease_expires_at > %s),
       (SELECT COUNT(*) FROM downloads_download
        WHERE lease_expires_at > %s AND source_label = own.source_label)
FROM downloads_download own LEFT JOIN downloads_limiter shared ON shared.scope = %s
WHERE own.id = %s
"""
_LONGEST_ETA_SECONDS: Final = 2**31 - 1
# Databases differ in how they take and give these.
_ID: Final[models.UUIDField[Any, Any]] = models.UUIDField()
_CLOCK: Final[models.TimeField[Any, Any]] = models.TimeField()


@dataclass(frozen=True, slots=True)
class Standing:
    """What the database says of a claimed download, and the limits that hold for it now."""

    state: State
    fence: int
    provider_id: str
    is_automatic: bool
    rate_limit_bps: int | None
    shared_rate_limit_bps: int | None  # for all running downloads together
    window_start: time | None
    window_end: time | None
    running_count: int  # downloads that a worker holds
    same_host_count: int  # those of them whose source is the same video host


def tell(claim: Claim, progress: Progress) -> bool:
    """Keep the claim and publish progress; False when the claim is lost or was stopped."""
    now = timezone.now()
    eta = progress.eta_seconds
    with connection.cursor() as cursor:
        cursor.execute(
            _TELL,
            [
                _moment(now + LEASE),
                _moment(now),
                progress.stage.value,
                progress.bytes_done,
                progress.bytes_total,
                int(progress.speed_bps),
                None if eta is None else min(int(eta), _LONGEST_ETA_SECONDS),
                _key(claim),
                claim.fence,
            ],
        )
        return bool(cursor.rowcount == 1)


def ask(claim: Claim) -> Standing | None:
    """How a claimed download stands now; None when its row is gone."""
    now = _moment(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(_ASK, [now, now, GLOBAL_SCOPE, _key(claim)])
        row = cursor.fetchone()
    if row is None:
        return None
    state, fence, provider_id, is_automatic, own, shared, start, end, running, same_host = row
    return Standing(
        state=State(state),
        fence=fence,
        provider_id=provider_id,
        is_automatic=bool(is_automatic),
        rate_limit_bps=own,
        shared_rate_limit_bps=shared,
        window_start=_clock(start),
        window_end=_clock(end),
        running_count=running,
        same_host_count=same_host,
    )


def _key(claim: Claim) -> Any:
    return _ID.get_db_prep_value(claim.download_id, connection)


def _moment(moment: datetime) -> Any:
    return connection.ops.adapt_datetimefield_value(moment)


def _clock(value: object) -> time | None:
    found: time | None = _CLOCK.to_python(value)
    return found
