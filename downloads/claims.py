"""A right to a download: taken with a lease, kept by a fence, used to move it, given up."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone

from downloads.engine.errors import Interrupted
from downloads.models import Download
from downloads.queue import is_inside_window, limiter
from downloads.states import ACTIVE, State
from downloads.transitions import move

LEASE: Final = timedelta(seconds=30)


class LeaseLost(Exception):
    """Somebody else holds this download now; nothing more may be written."""


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to work on a download until the lease ends or somebody takes a higher fence."""

    download_id: uuid.UUID
    fence: int


def claim_next(owner: str) -> Claim | None:
    """Take the first download that may run now, if a slot is free.

    The limiter row is locked first: counting and claiming without it lets two workers pass the cap.
    A lease that a paused or cancelled download still holds counts, because its worker may be
    writing for another moment.
    """
    with transaction.atomic():
        limits = limiter(lock=True)
        now = timezone.now()
        leased = Download.objects.filter(lease_expires_at__gt=now)
        automatic_flags = list(leased.values_list("is_automatic", flat=True))
        if len(automatic_flags) >= settings.MAX_PARALLEL_DOWNLOADS:
            return None
        rows = _runnable(now)
        is_full = sum(automatic_flags) >= limits.automatic_cap
        if is_full or not is_inside_window(limits, now):
            rows = rows.filter(is_automatic=False)
        rows = rows.select_for_update(skip_locked=True).order_by("-priority", "position")
        download = rows.only("id", "fence").first()
        if download is None:
            return None
        claim = Claim(download.pk, download.fence + 1)
        taken = move(
            download.pk,
            State.QUEUED,
            State.RESOLVING,
            held_fence=download.fence,
            fence=claim.fence,
            owner=owner,
            lease_expires_at=now + LEASE,
            started_at=now,
        )
    return claim if taken else None


def renew_lease(claim: Claim, **progress: object) -> bool:
    """Keep the claim and publish progress; False when the claim is lost or the user stopped it."""
    now = timezone.now()
    rows = Download.objects.filter(
        pk=claim.download_id,
        fence=claim.fence,
        state__in=[State.RESOLVING, State.DOWNLOADING, State.IMPORTING],
    )
    return rows.update(lease_expires_at=now + LEASE, updated_at=now, **progress) == 1


def release(claim: Claim) -> None:
    """Give up the lease after the work has stopped, so that the slot is free at once.

    Work that broke off without saying how it ended keeps its lease: by that the tick finds it.
    """
    rows = Download.objects.filter(pk=claim.download_id, fence=claim.fence)
    rows.exclude(state__in=ACTIVE).update(owner="", lease_expires_at=None)


def advance(claim: Claim, from_: State, to: State, **facts: Any) -> None:
    """Move a download that this worker holds.

    Raises Interrupted when a person stopped it meanwhile, LeaseLost when somebody else has it.
    """
    if move(claim.download_id, from_, to, held_fence=claim.fence, **facts):
        return
    row = Download.objects.only("state", "fence").get(pk=claim.download_id)
    if row.fence == claim.fence and row.state in {State.PAUSED, State.CANCELLED}:
        raise Interrupted("Stopped on request.")
    raise LeaseLost


def runnable_count() -> int:
    """How many downloads wait for nothing but a slot."""
    return _runnable(timezone.now()).count()


def _runnable(now: datetime) -> models.QuerySet[Download]:
    ready = Q(not_before=None) | Q(not_before__lte=now)
    unheld = Q(lease_expires_at=None) | Q(lease_expires_at__lte=now)
    return Download.objects.filter(ready, unheld, state=State.QUEUED)
