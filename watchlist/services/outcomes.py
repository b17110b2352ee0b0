"""Close checks, with what came of them: nothing new, or why the list could not be read.

Every writer locks series before checks, in the order of their keys (ARCHITECTURE.md has the whole
order). A worker that lost its check writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers.errors import ProviderError
from providers.types import EpisodeList, SeriesDetails
from watchlist.decisions import GlobalFacts
from watchlist.models import Check, CheckStatus, Series
from watchlist.selectors.facts import facts_of
from watchlist.services import scheduler
from watchlist.services.due import locked, next_after_failure, next_regular
from watchlist.services.preferences import preferences

# Nobody tried to reach the site, so this says nothing of the series.
_NOT_ITS_FAULT: Final = frozenset({"provider_disabled", "backing_off"})


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said to one check; exactly one of `episodes` and `error` is set."""

    check: Check
    episodes: EpisodeList | None = None
    details: SeriesDetails | None = None
    error: ProviderError | None = None


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for every check of a batch; read once, because each query counts."""

    interval: timedelta
    everybody: GlobalFacts
    notifies_of_new_episodes: bool


def circumstances() -> Circumstances:
    """The settings as they are now."""
    row = preferences()
    return Circumstances(scheduler.interval(), facts_of(row), row.notify_on_new_episodes)


def lock_series(checks: Iterable[Check]) -> QuerySet[Series]:
    """The series of these checks, locked; needs an open transaction."""
    return locked(Series.objects.filter(pk__in={check.series_id for check in checks}))


def lock_held(checks: Iterable[Check]) -> list[Check]:
    """Those of the checks that this worker still holds, locked; after `lock_series`."""
    by_id = {check.pk: check for check in checks}
    held = Check.objects.select_for_update().filter(pk__in=by_id, status=CheckStatus.RUNNING)
    owners = held.order_by("pk").values_list("pk", "owner")
    return [by_id[pk] for pk, owner in owners if by_id[pk].owner == owner]


def record_unchanged(*, checks: Sequence[Check], around: Circumstances) -> None:
    """Close checks whose series has nothing new; one transaction for many."""
    if not checks:
        return
    now = timezone.now()
    with transaction.atomic():
        rows = lock_series(checks).only("next_check_at")
        series = {row.pk: row for row in rows}
        mine = lock_held(checks)
        Check.objects.filter(pk__in=[check.pk for check in mine]).update(
            status=CheckStatus.SUCCEEDED,
            is_unchanged=True,
            finished_at=now,
            lease_expires_at=None,
        )
        _reschedule([series[check.series_id] for check in mine], now, around.interval)


def record_failure(*, check: Check, error: ProviderError, around: Circumstances) -> None:
    """Close a check that failed, with its reason, and schedule the next try."""
    now = timezone.now()
    with transaction.atomic():
        series = Series.objects.select_for_update().get(pk=check.series_id)
        closed = Check.objects.filter(
            pk=check.pk, status=CheckStatus.RUNNING, owner=check.owner
        ).update(
            status=CheckStatus.FAILED,
            finished_at=now,
            lease_expires_at=None,
            error_code=error.code,
            error_text=str(error),
        )
        if not closed:
            return
        if error.code not in _NOT_ITS_FAULT:
            series.failures += 1
        series.last_checked_at = now
        series.last_error_code = error.code
        series.last_error_text = str(error)
        if series.next_check_at is not None:
            series.next_check_at = next_after_failure(
                now, around.interval, max(series.failures, 1), error.retry_after_seconds
            )
        series.save()


def _reschedule(rows: list[Series], now: datetime, interval: timedelta) -> None:
    Series.objects.filter(pk__in=[row.pk for row in rows]).update(
        last_checked_at=now,
        last_success_at=now,
        failures=0,
        last_error_code="",
        last_error_text="",
        suspect_since=None,
        suspect_count=0,
    )
    # A series that nobody wants checked any more stays off the schedule.
    watched = [row for row in rows if row.next_check_at is not None]
    for row in watched:
        row.next_check_at = next_regular(now, interval)
    Series.objects.bulk_update(watched, ["next_check_at"])
