"""Where an episode stands in its series: by season first, by number inside it.

Most sites have a series for each season. A feed may go through several, and its numbers begin again
with each. A start point or a progress is the place of the last episode that is not wanted; while no
season is known for it, its number alone counts, which is the same as long as there is one season.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple


class Span(NamedTuple):
    """From which to which number the regular episodes of a season go, as far as they are known."""

    season: int
    lowest: Decimal
    highest: Decimal


def is_after(
    season: int, number: Decimal, *, start_season: int | None, start_number: Decimal
) -> bool:
    """Whether an episode comes after a start point."""
    if start_season is not None and season != start_season:
        return season > start_season
    return number > start_number


def spans_of(places: Iterable[tuple[int, Decimal]]) -> list[Span]:
    """The spans of regular episodes, given by season and number."""
    numbers: dict[int, list[Decimal]] = defaultdict(list)
    for season, number in places:
        numbers[season].append(number)
    return [Span(season, min(found), max(found)) for season, found in numbers.items()]


def season_of_start(number: Decimal, known: Iterable[Span]) -> int | None:
    """The season that a number belongs to when somebody names it as the last one not wanted.

    It is the highest season that has this number: from its lowest to its highest known episode, so
    that a number between two episodes has a season, too. A number below every known one (0, or
    "from episode 1 on") is in the lowest season, so that nothing known is left out; any other that
    no season has is in the highest. Season 0, which is for extras, counts only when there is no
    other. None when no episode is known: the first ones to be known decide.
    """
    spans = sorted(known)
    spans = [span for span in spans if span.season > 0] or spans
    if not spans:
        return None
    for span in reversed(spans):
        if span.lowest <= number <= span.highest:
            return span.season
    is_below_all = all(number < span.lowest for span in spans)
    return spans[0 if is_below_all else -1].season
