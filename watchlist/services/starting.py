"""Which season a start point belongs to, for a series that has several."""

from __future__ import annotations

import uuid
from collections import defaultdict
from decimal import Decimal
from typing import Final

from django.db.models import Max, Min, QuerySet

from watchlist.models import Check, Episode, Series, WatchlistItem
from watchlist.places import Span, season_of_start

# The place of the last episode that is not wanted; empty when all are.
COLUMNS: Final = ("last_season_downloaded", "last_episode_downloaded")


def season_for(series: Series, number: Decimal | None) -> int | None:
    """The season of a start point that somebody has named; see `places.season_of_start`."""
    if number is None:
        return None
    if not series.has_seasons:
        return series.latest_season
    return season_of_start(number, _spans(Episode.objects.filter(series=series)))


def settle_starts(*, series: Series, check: Check) -> None:
    """Give a season to the start points of a series that turns out to have several.

    A number was named for what was known then, so what this check has found does not matter,
    unless it is all that there is.
    """
    starts = WatchlistItem.objects.filter(
        series=series, last_season_downloaded=None, last_episode_downloaded__isnull=False
    )
    numbers = dict(starts.values_list("pk", "last_episode_downloaded"))
    if not numbers:
        return
    episodes = Episode.objects.filter(series=series)
    spans = _spans(episodes.exclude(found_by=check)) or _spans(episodes)
    by_season: dict[int | None, list[uuid.UUID]] = defaultdict(list)
    for pk, number in numbers.items():
        by_season[season_of_start(number or Decimal(0), spans)].append(pk)
    for season, ids in by_season.items():
        # What was known before may stand elsewhere now, so the next tick decides on it again.
        starts.filter(pk__in=ids).update(last_season_downloaded=season, needs_decision=True)


def _spans(episodes: QuerySet[Episode]) -> list[Span]:
    rows = episodes.filter(is_special=False).order_by().values_list("season")
    return [Span(*row) for row in rows.annotate(Min("number"), Max("number"))]
