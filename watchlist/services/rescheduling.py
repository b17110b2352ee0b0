"""Moves many due times at once, each to a moment of its own."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from providers import gateway
from providers.errors import BackingOff, ProviderDisabled, ProviderError
from watchlist.models import Series
from watchlist.services.due import FAILURE_LADDER_MINUTES, JITTER, MAX_INTERVALS, locked

# So few may come due at one moment; a statement for each of thousands would take seconds.
TOGETHER: Final = 10
# Nothing makes a series wait longer than the longest step after failures, or than two intervals,
# each with some jitter.
_LONGEST_STEP: Final = timedelta(minutes=max(FAILURE_LADDER_MINUTES))
_MOST_JITTER: Final = 1.3
# The series of a provider that is on again are all checked within this time.
BACK_WITHIN: Final = timedelta(hours=1)


def bring_forward(interval: timedelta) -> None:
    """After the interval was shortened: nothing waits longer than the new one."""
    late = Series.objects.filter(next_check_at__gt=timezone.now() + interval * (1 + JITTER))
    # What failed waits for a reason of its own.
    _spread(late.filter(failures=0), interval)


def pull_back(interval: timedelta) -> None:
    """Let nothing wait longer than it may: the clock has been set back since it was put off."""
    longest = max(interval * MAX_INTERVALS, _LONGEST_STEP) * _MOST_JITTER
    _spread(Series.objects.filter(next_check_at__gt=timezone.now() + longest), interval)


def bring_back(interval: timedelta) -> None:
    """Check the series of providers that are on again; they were put off while these were off.

    Asked of the rows, because a provider is switched on in many places, the environment included.
    """
    off = Series.objects.filter(last_error_code=ProviderDisabled.code, next_check_at__isnull=False)
    for provider_id in off.values_list("provider_id", flat=True).distinct():
        if _is_on(provider_id):
            _spread(
                off.filter(provider_id=provider_id),
                min(interval, BACK_WITHIN),
                last_error_code="",
                last_error_text="",
            )


def _is_on(provider_id: str) -> bool:
    try:
        gateway.availability(provider_id)
    except ProviderError as error:
        return isinstance(error, BackingOff)
    return True


def _spread(rows: QuerySet[Series], within: timedelta, **columns: str) -> None:
    """Make these due bit by bit from now on: thousands never come due together."""
    now = timezone.now()
    with transaction.atomic():
        ids = list(locked(rows).values_list("pk", flat=True))
        for start in range(0, len(ids), TOGETHER):
            at = now + within * random.random()  # noqa: S311 - not a secret
            some = Series.objects.filter(pk__in=ids[start : start + TOGETHER])
            some.update(next_check_at=at, **columns)
