"""What users have: a finished download fulfils every wish for it, and the progress follows."""

from __future__ import annotations

import uuid
from decimal import Decimal
from math import ceil, floor
from typing import Final

from django.db import transaction
from django.utils import timezone

from downloads import queue
from downloads.models import Download
from downloads.states import State
from watchlist.models import Decision, Episode, Grab, WatchlistItem
from watchlist.services import notifications

# More numbers than half a year's are not missing: the site has begun to count in another way.
LONGEST_GAP: Final = 26


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
    """Let `last_episode_downloaded` follow the highest episode had without a gap."""
    with transaction.atomic():
        row = WatchlistItem.objects.select_for_update().get(pk=item.pk)
        start = row.last_episode_downloaded
        reached = _without_gap(row, start)
        if reached != start:
            row.last_episode_downloaded = reached
            row.save(update_fields=["last_episode_downloaded", "updated_at"])
            item.last_episode_downloaded = reached


def _without_gap(item: WatchlistItem, start: Decimal | None) -> Decimal | None:
    episodes = Episode.objects.filter(series_id=item.series_id, is_special=False)
    if start is not None:
        episodes = episodes.filter(number__gt=start)
    had = _had(item)
    reached = start
    for pk, number in episodes.order_by("number").values_list("pk", "number"):
        if pk not in had or (reached is not None and _is_gap(reached, number)):
            break
        reached = number
    return reached


def _had(item: WatchlistItem) -> set[uuid.UUID]:
    """The episodes that the user has, or does not want to have."""
    completed = Grab.objects.filter(item=item).exclude(completed_at=None)
    ignored = Decision.objects.filter(item=item, is_ignored=True)
    return {pk for rows in (completed, ignored) for pk in rows.values_list("episode_id", flat=True)}


def _is_gap(reached: Decimal, number: Decimal) -> bool:
    """Whether the site has yet to list an episode between these two: sites fill slots late."""
    missing = ceil(number) - floor(reached) - 1
    return 0 < missing <= LONGEST_GAP
