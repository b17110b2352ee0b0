"""The limits of downloads that an administrator sets: speed and hours, for all workers together."""

from __future__ import annotations

from datetime import time

from django.conf import settings

from downloads.models import Limiter
from downloads.queue import GLOBAL_SCOPE


def change_limits(
    *, rate_limit_bps: int | None, window_start: time | None, window_end: time | None
) -> None:
    """Set the speed limit and the hours in which downloads may run; None lifts either.

    Running downloads follow within a second or two; outside the hours nothing new begins.
    """
    Limiter.objects.update_or_create(
        scope=GLOBAL_SCOPE,
        defaults={
            "rate_limit_bps": rate_limit_bps,
            "window_start": window_start,
            "window_end": window_end,
        },
    )


def max_parallel() -> int:
    """How many downloads run at once at most, by hand and automatic; from the environment."""
    return int(settings.MAX_PARALLEL_DOWNLOADS)
