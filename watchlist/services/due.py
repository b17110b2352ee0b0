"""When a series is checked: due times, jitter, the ladder after failures, the claim."""

from __future__ import annotations

import random
import uuid
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from providers import gateway
from providers.errors import ProviderError
from watchlist.models import (
    Check,
    CheckStatus,
    CheckTrigger,
    ItemStatus,
    Preferences,
    Series,
    WatchlistItem,
)
from watchlist.services.workers import is_gone
from watchlist.wakeup import wake_for_checks

BATCH: Final = 25
MAX_BATCHES_PER_TICK: Final = 40
JITTER: Final = 0.1
# Minutes until the next try after the first, second, ... failure in a row.
FAILURE_LADDER_MINUTES: Final = (5, 15, 30, 60, 180, 360, 720)
# A failing series is never left alone longer than this many intervals.
MAX_INTERVALS: Final = 2
OPEN: Final = (CheckStatus.QUEUED, CheckStatus.RUNNING)
# A queued check that nobody takes has lost its message. While its provider is being asked it may
# as well stand in line, and thousands of those are not woken at every tick.
LOST_AFTER: Final = timedelta(seconds=5)
LOST_IN_LINE_AFTER: Final = timedelta(seconds=60)
WOKEN_AT_ONCE: Final = 500  # of one provider, so that a long line at one hides nothing of another
# How long a worker holds a check at most, its waiting for its turn included.
LEASE: Final = timedelta(seconds=240)


def locked(rows: QuerySet[Series]) -> QuerySet[Series]:
    """The same series, locked as they are read: by everybody in the order of their keys."""
    return rows.select_for_update(no_key=True).order_by("pk")


def next_regular(now: datetime, interval: timedelta) -> datetime:
    """The next check after a success; spread, so that thousands do not come due together."""
    return now + interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


def next_after_failure(
    now: datetime, interval: timedelta, failures: int, retry_after_seconds: float | None
) -> datetime:
    """The next check after `failures` (at least one) in a row; the site's own wish is honoured."""
    step = FAILURE_LADDER_MINUTES[min(failures, len(FAILURE_LADDER_MINUTES)) - 1]
    delay = min(timedelta(minutes=step), interval * MAX_INTERVALS)
    wished = timedelta(seconds=retry_after_seconds or 0)
    return now + max(delay, wished) * random.uniform(1.0, 1.2)  # noqa: S311 - not a secret


@dataclass(frozen=True, slots=True)
class Claim:
    """What one claim took: how many series were due, and the checks of each batch for a worker."""

    due: int
    batches: list[list[uuid.UUID]]


def queue_due_checks(*, interval: timedelta) -> int:
    """Claim what is due and hand it to workers in batches; one tick. Returns how many checks.

    The cost grows with what is due, not with what exists: the index holds only watched series.
    """
    total = 0
    for _ in range(MAX_BATCHES_PER_TICK):
        claim = claim_due(interval)
        for check_ids in claim.batches:
            wake_for_checks(check_ids, urgent=False)
            total += len(check_ids)
        if claim.due < BATCH:
            break
    return total


def claim_due(interval: timedelta) -> Claim:
    """Claim up to `BATCH` due series and write a check for each; whoever calls wakes a worker."""
    now = timezone.now()
    # Asked outside the transaction, where the answer is at hand.
    refusals = {key: _refusal_of(key) for key in gateway.provider_ids()}
    with transaction.atomic():
        due = list(
            Series.objects.select_for_update(skip_locked=True)
            .filter(next_check_at__lte=now)
            .order_by("next_check_at")
            .values_list("id", "provider_id")[:BATCH]
        )
        by_provider: dict[str, list[uuid.UUID]] = defaultdict(list)
        for series_id, provider_id in due:
            by_provider[provider_id].append(series_id)
        batches = []
        for provider_id, series_ids in by_provider.items():
            is_known = provider_id in refusals
            refusal = refusals[provider_id] if is_known else _refusal_of(provider_id)
            if refusal is not None:
                _put_off(series_ids, refusal, now, interval)
            else:
                batches.append(_write_checks(series_ids, now, interval))
    return Claim(len(due), batches)


def _refusal_of(provider_id: str) -> ProviderError | None:
    try:
        gateway.availability(provider_id)
    except ProviderError as error:
        return error
    return None


def _put_off(
    series_ids: list[uuid.UUID], error: ProviderError, now: datetime, interval: timedelta
) -> None:
    """Nothing is asked of a provider that is off or backing off; its series wait with it."""
    wait = timedelta(seconds=error.retry_after_seconds or interval.total_seconds())
    Series.objects.filter(pk__in=series_ids).update(
        next_check_at=now + wait * random.uniform(1.0, 1.3),  # noqa: S311 - not a secret
        last_error_code=error.code,
        last_error_text=str(error),
    )


def _write_checks(
    series_ids: list[uuid.UUID], now: datetime, interval: timedelta
) -> list[uuid.UUID]:
    Series.objects.filter(pk__in=series_ids).update(next_check_at=now + interval)
    checks = Check.objects.bulk_create(
        [Check(series_id=pk, trigger=CheckTrigger.SCHEDULED, created_at=now) for pk in series_ids],
        ignore_conflicts=True,  # a check that is already open is joined, not doubled
    )
    return [check.pk for check in checks]


def request_check(series: Series, *, trigger: CheckTrigger, by: User | None = None) -> Check:
    """Check a series now, ahead of scheduled ones; a check that is already open is joined."""
    user_id = None if by is None else by.pk
    with transaction.atomic():
        Series.objects.select_for_update().get(pk=series.pk)
        check = Check.objects.filter(series=series, status__in=OPEN).first()
        if check is None:
            check = Check.objects.create(
                series=series, trigger=trigger, asked_by_id=user_id, is_urgent=True
            )
        elif not check.is_urgent:
            check.is_urgent, check.asked_by_id = True, user_id
            check.save(update_fields=["is_urgent", "asked_by"])
        if check.status == CheckStatus.QUEUED:
            wake_for_checks([check.pk], urgent=True)
    return check


def request_checks(series_ids: list[uuid.UUID], *, by: User | None = None) -> list[Check]:
    """Check many series now; one message for a batch. Returns one check for each series."""
    now = timezone.now()
    asked: dict[str, Any] = {"is_urgent": True, "asked_by_id": None if by is None else by.pk}
    with transaction.atomic():
        # Else two who ask for the same series in another order wait for each other's new checks.
        list(locked(Series.objects.filter(pk__in=series_ids)).values_list("pk"))
        Check.objects.bulk_create(
            [
                Check(series_id=pk, trigger=CheckTrigger.MANUAL, created_at=now, **asked)
                for pk in series_ids
            ],
            ignore_conflicts=True,
        )
        found = Check.objects.filter(series_id__in=series_ids, status__in=OPEN)
        found.filter(is_urgent=False).update(**asked)
        checks = list(found.select_related("series").order_by("series__provider_id", "created_at"))
        queued = [check.pk for check in checks if check.status == CheckStatus.QUEUED]
        for start in range(0, len(queued), BATCH):
            wake_for_checks(queued[start : start + BATCH], urgent=True)
    return checks


def refresh_watched(series_ids: list[uuid.UUID]) -> None:
    """Set or clear the due time of series whose items were added, paused, resumed or removed."""
    ids = sorted(set(series_ids))
    watched = Exists(WatchlistItem.objects.filter(_watching(), series_id=OuterRef("pk")))
    with transaction.atomic():
        for start in range(0, len(ids), 500):
            rows = Series.objects.filter(pk__in=ids[start : start + 500])
            list(locked(rows).values_list("pk"))
            rows.filter(~watched).update(next_check_at=None)
            rows.filter(watched, next_check_at=None).update(next_check_at=timezone.now())


def requeue_lost_checks() -> int:
    """Take back checks of dead workers and wake those whose message was lost. Returns how many."""
    now = timezone.now()
    running = Check.objects.filter(status=CheckStatus.RUNNING)
    _shorten_leases(running, now)
    # Nobody waits for the end of a lease whose holder is known to have ended.
    gone = [one for one in running.values_list("owner", flat=True).distinct() if is_gone(one)]
    running.filter(Q(lease_expires_at__lte=now) | Q(owner__in=gone)).update(
        status=CheckStatus.QUEUED, owner="", lease_expires_at=None, started_at=None
    )
    busy = set(running.values_list("series__provider_id", flat=True))
    waiting = Check.objects.filter(
        ~Q(series__provider_id__in=busy) | _has_waited(LOST_IN_LINE_AFTER, now),
        _has_waited(LOST_AFTER, now),
        status=CheckStatus.QUEUED,
    )
    place = Window(
        RowNumber(),
        partition_by=F("series__provider_id"),
        order_by=["-is_urgent", "created_at"],
    )
    first = waiting.annotate(place=place).filter(place__lte=WOKEN_AT_ONCE)
    rows = list(first.order_by("-is_urgent", "created_at").values_list("pk", "is_urgent"))
    for urgent in (True, False):
        ids = [pk for pk, is_urgent in rows if is_urgent is urgent]
        for start in range(0, len(ids), BATCH):
            wake_for_checks(ids[start : start + BATCH], urgent=urgent)
    return len(rows)


def _has_waited(age: timedelta, now: datetime) -> Q:
    # What was created in the future was created before the clock was set back.
    return Q(created_at__lte=now - age) | Q(created_at__gt=now)


def _shorten_leases(running: QuerySet[Check], now: datetime) -> None:
    """No lease lasts longer than it may: the clock has been set back since it was taken.

    It is shortened, not ended, because whoever holds it may be about to answer.
    """
    too_long = running.filter(lease_expires_at__gt=now + 2 * LEASE)
    # Asked first: an idle tick writes nothing.
    if too_long.exists():
        too_long.update(lease_expires_at=now + LEASE)


def _watching() -> Q:
    wanted = Q(status=ItemStatus.ACTIVE)
    if Preferences.objects.filter(include_completed_anime=True).exists():
        wanted |= Q(status=ItemStatus.COMPLETED)
    return wanted & Q(user__is_active=True)
