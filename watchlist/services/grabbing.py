"""Tie an item's wish for an episode to a download that all with the same wish share; untie it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from downloads import queue
from downloads.models import Download
from downloads.queue import Order
from downloads.states import FINISHED, State
from watchlist.models import Decision, Episode, Grab, Series, WatchlistItem
from watchlist.services import naming
from watchlist.services.due import locked
from watchlist.services.progress import follow_progress


class Candidate(NamedTuple):
    """An episode that an item may take, and its place in the queue when it does."""

    item: WatchlistItem
    series: Series
    episode: Episode
    priority: int


def grab_each(*, wanted: Iterable[Candidate]) -> None:
    """Queue what the automatic rule takes, and note who has it already.

    Called inside a transaction, for episodes that the items have no grab for.
    """
    chosen = sorted(wanted, key=_place_in_queue)
    _settle_folders(chosen)
    orders = [(one, _order_for(one, is_automatic=True)) for one in chosen]
    if not orders:
        return
    downloads = queue.enqueue_many([order for _, order in orders])
    now = timezone.now()
    grabs = []
    for one, order in orders:
        download = downloads[order.dedupe_key]
        if download.state == State.COMPLETED and not _file_exists(download):
            queue.download_again(download)
        done = now if download.state == State.COMPLETED else None
        grabs.append(Grab(item=one.item, episode=one.episode, download=download, completed_at=done))
    Grab.objects.bulk_create(grabs, ignore_conflicts=True, batch_size=200)
    for item in {grab.item for grab in grabs if grab.completed_at}:
        follow_progress(item=item)


def grab_by_hand(*, item: WatchlistItem, episode: Episode) -> Download:
    """Download one episode now, whatever the automatic rule says."""
    with transaction.atomic():
        # The queue's lock comes first everywhere, so that no two writers deadlock.
        queue.limiter(lock=True)
        chosen = Candidate(item, item.series, episode, queue.PRIORITY_MANUAL)
        _settle_folders([chosen])
        download = queue.enqueue(_order_for(chosen, is_automatic=False))
        if download.state == State.FAILED:
            queue.retry(download, priority=queue.PRIORITY_MANUAL)
        elif download.state == State.COMPLETED and not _file_exists(download):
            queue.download_again(download)
        is_done = download.state == State.COMPLETED
        Grab.objects.update_or_create(
            item=item,
            episode=episode,
            defaults={
                "download": download,
                "is_manual": True,
                "cancelled_at": None,
                "completed_at": timezone.now() if is_done else None,
            },
        )
        Decision.objects.filter(item=item, episode=episode).update(is_ignored=False)
    if is_done:
        follow_progress(item=item)
    return download


def withdraw(*, grabs: Iterable[Grab]) -> None:
    """Take wishes back; a download that nobody else wants is cancelled."""
    with transaction.atomic():
        queue.limiter(lock=True)
        found = list(grabs)
        Grab.objects.filter(pk__in=[grab.pk for grab in found]).delete()
        left = Download.objects.filter(pk__in={grab.download_id for grab in found})
        cancelled = []
        for download in left.filter(~Exists(_open_grabs().filter(download=OuterRef("pk")))):
            if download.state not in FINISHED:
                try:
                    queue.cancel(download, reason_code="withdrawn")
                except queue.NotLegalNow:
                    continue  # it is being moved into the library this very moment
                cancelled.append(download.pk)
        _forget_what_is_gone(cancelled)


def is_wanted_by_nobody(download: Download) -> bool:
    """Whether no open wish points at this download."""
    return not _open_grabs().filter(download=download).exists()


def _open_grabs() -> QuerySet[Grab]:
    return Grab.objects.filter(completed_at=None, cancelled_at=None)


def _forget_what_is_gone(cancelled: Collection[uuid.UUID]) -> None:
    """Whoever had these had a file that is gone, or it would not have been fetched again.

    The tick decides whether they want it anew.
    """
    had = Grab.objects.filter(download__in=cancelled, cancelled_at=None)
    item_ids = set(had.values_list("item_id", flat=True))
    if item_ids:
        WatchlistItem.objects.filter(pk__in=item_ids).update(needs_decision=True)
        had.delete()


def _settle_folders(chosen: Iterable[Candidate]) -> None:
    """Name the folder of each series once: a site that changes a title divides no series in two.

    A title that was only guessed from an address does not last.
    """
    every = [one.series for one in chosen]
    nameless = [one for one in every if not one.folder and not one.is_title_guessed]
    if not nameless:
        return
    rows = Series.objects.filter(pk__in={series.pk for series in nameless})
    folders: dict[uuid.UUID, str] = dict(locked(rows).values_list("pk", "folder"))
    new = {series.pk: naming.name_of(series) for series in nameless if not folders[series.pk]}
    named = [Series(pk=pk, folder=folder) for pk, folder in new.items()]
    Series.objects.bulk_update(named, ["folder"])
    for series in nameless:
        series.folder = folders[series.pk] or new[series.pk]


def _order_for(chosen: Candidate, *, is_automatic: bool) -> Order:
    """The self-contained order for an episode as its item wants it."""
    item, series, episode, priority = chosen
    return Order(
        label=naming.label_of(series, episode),
        provider_id=series.provider_id,
        series_ref=series.ref,
        episode_ref=episode.ref,
        lang=series.lang,
        quality=item.quality_preference,
        target_folder=naming.folder_of(series, episode.season),
        target_stem=naming.stem_of(series, episode),
        variant="" if series.lang == "vostfr" else series.lang.upper(),
        is_automatic=is_automatic,
        priority=priority,
    )


def _place_in_queue(one: Candidate) -> tuple[bool, int, Decimal, int]:
    episode = one.episode
    return episode.is_special, episode.season, episode.number, episode.position


def _file_exists(download: Download) -> bool:
    return (Path(settings.DOWNLOAD_DIR) / download.final_path).is_file()
