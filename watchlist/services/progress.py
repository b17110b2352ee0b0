"""What users have: a finished download fulfils every wish for it, and the progress follows."""

from __future__ import annotations

import uuid
from decimal import Decimal
from math import ceil, floor
from typing import Final, TypeAlias

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from downloads import queue
from downloads.models import Download
from downloads.states import FINISHED, State
from watchlist.models import Decision, Episode, Grab, WatchlistItem
from watchlist.services import notifications, starting

# More numbers than half a year's are not missing: the site has begun to count in another way.
LONGEST_GAP: Final = 26

_Place: TypeAlias = tuple[int, Decimal]  # season and number


def settle(*, download: Download) -> None:
    """A download is in the library: everybody who waited for it is told, and has the episode now.

    So has who gave it up while others went on: the library is one, and the episode is shown as
    downloaded to them too. Whoever settles it a second time finds nothing to do.
    """
    with transaction.atomic():
        # The queue's lock comes first everywhere, so that no two writers deadlock. Here it also
        # lets downloads that are finished at the same moment add to one notice after each other.
        queue.limiter(lock=True)
        notifications.download_finished(download=download)
        grabs = Grab.objects.select_related("item").filter(download=download, completed_at=None)
        items = [grab.item for grab in grabs.order_by("item_id")]
        grabs.update(completed_at=timezone.now())
        for item in items:
            follow_progress(item=item)


def settle_missed() -> int:
    """Settle completed downloads whose signal was lost. Returns how many."""
    missed = Download.objects.filter(
        state=State.COMPLETED, grabs__completed_at=None, grabs__cancelled_at=None
    ).exclude(grabs=None)
    rows = list(missed.distinct()[:100])
    for download in rows:
        settle(download=download)
    return len(rows)


def follow_progress(*, item: WatchlistItem) -> None:
    """Let the start point follow the highest episode had without a gap."""
    with transaction.atomic():
        row = WatchlistItem.objects.select_for_update().get(pk=item.pk)
        reached = _without_gap(row)
        if reached is None:
            return
        season, number = reached
        row.last_season_downloaded, row.last_episode_downloaded = season, number
        row.save(update_fields=[*starting.COLUMNS, "updated_at"])
        item.last_season_downloaded, item.last_episode_downloaded = season, number


def _without_gap(item: WatchlistItem) -> _Place | None:
    """The last episode that is had on the way from the start point; None when there is none."""
    had = _had(item)
    reached = None
    season, number = item.last_season_downloaded, item.last_episode_downloaded
    columns = _after_start(item).values_list("pk", "is_listed", "season", "number")
    for pk, is_listed, next_season, next_number in columns:
        if _is_gap(season, number, next_season, next_number):
            break
        season, number = next_season, next_number
        if pk in had:
            reached = season, number
        elif is_listed or _is_on_its_way(item, pk):
            break
    return reached


def _after_start(item: WatchlistItem) -> QuerySet[Episode]:
    """The regular episodes after the start point, in their order."""
    episodes = Episode.objects.filter(series_id=item.series_id, is_special=False)
    season, number = item.last_season_downloaded, item.last_episode_downloaded
    if number is not None:
        later = Q(number__gt=number)
        if season is not None:
            later = Q(season=season, number__gt=number) | Q(season__gt=season)
        episodes = episodes.filter(later)
    return episodes.order_by("season", "number")


def _is_on_its_way(item: WatchlistItem, episode_id: uuid.UUID) -> bool:
    """Whether an episode that the site took down may still come."""
    grabs = Grab.objects.filter(item=item, episode=episode_id, cancelled_at=None)
    return grabs.exclude(download__state__in=FINISHED).exists()


def _had(item: WatchlistItem) -> set[uuid.UUID]:
    """The episodes that the user has, or does not want to have."""
    completed = Grab.objects.filter(item=item).exclude(completed_at=None)
    ignored = Decision.objects.filter(item=item, is_ignored=True)
    return {pk for rows in (completed, ignored) for pk in rows.values_list("episode_id", flat=True)}


def _is_gap(
    season: int | None, number: Decimal | None, next_season: int, next_number: Decimal
) -> bool:
    """Whether the site has yet to list an episode between these two: sites fill slots late."""
    if number is None:
        return False
    if season not in {None, next_season} and next_number <= number:
        number = Decimal(0)  # the numbers have begun again with the season
    missing = ceil(next_number) - floor(number) - 1
    return 0 < missing <= LONGEST_GAP
