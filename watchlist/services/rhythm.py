"""When a series will bring its next episode, judged by its own rhythm: pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import Final

# Episodes that appear within this time belong together: a season put online in one go.
TOGETHER: Final = timedelta(hours=12)
# Only the last ones count: a series may change its day from one season to the next.
LOOKED_AT: Final = 8
LEAST_GAPS: Final = 2
SHORTEST: Final = timedelta(hours=20)
LONGEST: Final = timedelta(days=45)
# A gap is regular when it is within this share of the median; a check may come half a day late.
TOLERANCE: Final = 0.25
REGULAR_SHARE: Final = 0.6
# After this many gaps without an episode nobody can say when the next one comes.
GIVEN_UP_AFTER: Final = 2


@dataclass(frozen=True, slots=True)
class Guess:
    """The next episode by the rhythm so far; only its day means something."""

    at: datetime  # aware UTC; may be past, then the episode is late
    gap: timedelta  # the usual time between two episodes


def guess_next(arrivals: Iterable[datetime], now: datetime) -> Guess | None:
    """The next arrival, None when the series is not regular or has stopped.

    Args:
        arrivals: aware moments at which episodes appeared, in any order.
        now: the aware present moment.
    """
    moments = _together(sorted(arrivals))[-LOOKED_AT:]
    gap = usual_gap(moments)
    if gap is None or now > moments[-1] + gap * (1 + GIVEN_UP_AFTER):
        return None
    return Guess(moments[-1] + gap, gap)


def usual_gap(moments: Sequence[datetime]) -> timedelta | None:
    """The time between two arrivals when most of them keep to it; `moments` are in order."""
    gaps = [later - earlier for earlier, later in pairwise(moments)]
    if len(gaps) < LEAST_GAPS:
        return None
    usual = timedelta(seconds=median(gap.total_seconds() for gap in gaps))
    if not SHORTEST <= usual <= LONGEST:
        return None
    regular = sum(abs(gap - usual) <= usual * TOLERANCE for gap in gaps)
    return usual if regular / len(gaps) >= REGULAR_SHARE else None


def _together(moments: Sequence[datetime]) -> list[datetime]:
    """One moment for those that belong together: the first of them."""
    kept: list[datetime] = []
    for moment in moments:
        if not kept or moment - kept[-1] >= TOGETHER:
            kept.append(moment)
    return kept
