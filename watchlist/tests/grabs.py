"""What becomes of an item's grabs: some wait, some are put into the library."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from downloads.models import Download
from downloads.signals import download_completed
from downloads.states import State
from watchlist.models import Episode, Grab, WatchlistItem


def finish(
    item: WatchlistItem, number: int | Decimal, library: Path, *, season: int = 1
) -> Download:
    """Put one episode into the library as a worker does."""
    episode = Episode.objects.get(series=item.series_id, season=season, number=number)
    download = Download.objects.get(grabs__item=item, grabs__episode=episode)
    path = f"{download.target_folder}/{download.target_stem} [720p].mp4"
    (library / path).parent.mkdir(parents=True, exist_ok=True)
    (library / path).write_bytes(b"video")
    Download.objects.filter(pk=download.pk).update(state=State.COMPLETED, final_path=path)
    download_completed.send(sender=Download, download_id=download.pk)
    item.refresh_from_db()
    return download


def waiting(item: WatchlistItem) -> list[int]:
    grabs = Grab.objects.filter(item=item, download__state=State.QUEUED)
    return sorted(int(number) for number in grabs.values_list("episode__number", flat=True))
