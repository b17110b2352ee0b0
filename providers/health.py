"""How long a failing provider is left alone: a pure back-off ladder.

A failure climbs one rung, a success steps down one. Several requests that fail in the same outage
are one failure. A failure of our own network cannot be told from that of a site: when every
provider is unreachable each one backs off by itself, and each recovers by its own probe.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

# The first failure waits for nothing: one broken page says little of a whole site.
LADDER_MINUTES = (0, 0, 1, 5, 15, 30, 60)
TOP_LEVEL = len(LADDER_MINUTES) - 1
MAX_RETRY_AFTER_SECONDS = 6 * 3600.0
# What the ladder gives is shorter, its jitter included.
LONGEST_WAIT = timedelta(seconds=MAX_RETRY_AFTER_SECONDS)
_JITTER_RATIO = 0.5


@dataclass(frozen=True, slots=True)
class Step:
    """Where a provider stands after an answer or a failure."""

    level: int  # a rung of the ladder, 0 when healthy
    retry_at: datetime | None  # aware UTC; None when it may be asked at once


def after_failure(
    level: int,
    now: datetime,
    *,
    retry_after_seconds: float | None,
    random_ratio: Callable[[], float],
) -> Step:
    """One rung up, the wait spread by half so that providers and workers do not move in step.

    `random_ratio` gives a number from 0 to 1. A site's own wish is honoured up to six hours when
    it is longer than ours.
    """
    level = min(max(level, 0) + 1, TOP_LEVEL)
    spread = 1 - _JITTER_RATIO + 2 * _JITTER_RATIO * random_ratio()
    seconds = LADDER_MINUTES[level] * 60 * spread
    if retry_after_seconds is not None:
        seconds = max(seconds, min(retry_after_seconds, MAX_RETRY_AFTER_SECONDS))
    return Step(level, now + timedelta(seconds=seconds) if seconds else None)


def after_success(level: int) -> Step:
    """One rung down, and open."""
    return Step(max(level - 1, 0), None)
