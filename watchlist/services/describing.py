"""What a successful check says of the series itself: title and texts, how far it is, when next.

The columns named below change in memory alone; `save` writes those of many checks together.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, transaction

from providers.types import EpisodeList, PageValidator, SeriesDetails
from watchlist.models import Episode, Series, WatchlistItem
from watchlist.services.due import next_regular

_DESCRIBED: Final = (
    "title",
    "is_title_guessed",
    "other_titles",
    "synopsis",
    "genres",
    "poster_url",
    "airing_status",
    "details_at",
    "validators",
    "episodes_known",
    "latest_episode",
    "latest_season",
    "has_seasons",
    "latest_episode_at",
    "last_checked_at",
    "last_success_at",
    "failures",
    "last_error_code",
    "last_error_text",
    "suspect_since",
    "suspect_count",
    "next_check_at",
)


def take_details(series: Series, details: SeriesDetails, now: datetime) -> None:
    """Take over the texts of the series' page; a guessed title gives way, for its followers too."""
    if details.title:
        series.title, series.is_title_guessed = details.title[:300], False
        WatchlistItem.objects.filter(series=series, is_title_guessed=True).update(
            anime_title=series.title, is_title_guessed=False
        )
    series.other_titles = list(details.other_titles)
    series.synopsis = details.synopsis or series.synopsis
    series.genres = list(details.genres) or series.genres
    series.poster_url = details.poster_url or series.poster_url
    series.airing_status = details.airing_status
    series.details_at = now


def complete_reference(series: Series, ref: str) -> None:
    """Complete the reference of a series whose site did not answer when it was first followed.

    Only while no download hangs on it; one that is followed under the whole reference stays apart.
    """
    if ref in {"", series.ref}:
        return
    try:
        with transaction.atomic():
            Series.objects.filter(pk=series.pk).update(ref=ref)
    except IntegrityError:
        return
    series.ref = ref


def take_list(
    series: Series, found: EpisodeList, *, count: int, new: Sequence[Episode], now: datetime
) -> None:
    """Note how many episodes are known now, the highest of them, and the list's validators."""
    validators = found.validators.items()
    series.validators = {role: _as_json(validator) for role, validator in validators}
    series.episodes_known = count
    # Episodes are never removed and keep their numbers, so the highest can only rise.
    places = [(episode.season, episode.number) for episode in new if not episode.is_special]
    if not places:
        return
    if series.latest_season is not None and series.latest_episode is not None:
        places.append((series.latest_season, series.latest_episode))
    series.has_seasons = series.has_seasons or len({season for season, _ in places}) > 1
    series.latest_season, series.latest_episode = max(places)
    series.latest_episode_at = now


def note_success(series: Series, now: datetime, interval: timedelta) -> None:
    """Forget the trouble of before; a series that nobody wants stays off the schedule."""
    series.last_checked_at = series.last_success_at = now
    series.failures = series.suspect_count = 0
    series.last_error_code = series.last_error_text = ""
    series.suspect_since = None
    if series.next_check_at is not None:
        series.next_check_at = next_regular(now, interval)


def save(series: Sequence[Series]) -> None:
    """Write rows that this transaction has locked.

    As an upsert, which is one plain statement: `bulk_update` builds a CASE for every row and column
    and costs several times as much.
    """
    Series.objects.bulk_create(
        series, update_conflicts=True, unique_fields=["id"], update_fields=_DESCRIBED
    )


def _as_json(validator: PageValidator) -> dict[str, str]:
    return {
        "etag": validator.etag,
        "last_modified": validator.last_modified,
        "digest": validator.digest,
        "host": validator.host,
    }
