"""Decide for an item which episodes to download, and tie each wish to a shared download."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone

from downloads import queue
from downloads.models import Download
from downloads.queue import Order
from downloads.states import FINISHED, WAITING, State
from watchlist.decisions import GlobalFacts, Verdict, decide
from watchlist.models import Decision, Episode, Grab, Series, WatchlistItem
from watchlist.selectors.facts import episode_facts, item_facts, settings_facts
from watchlist.services import naming

# More numbers than half a year's are not missing: the site has begun to count in another way.
LONGEST_GAP: Final = 26

_Pair: TypeAlias = tuple[uuid.UUID, uuid.UUID]  # item and episode


class _Known(NamedTuple):
    """What is remembered of a decision."""

    code: str
    facts: Mapping[str, str | int]
    is_ignored: bool


_NO_DECISION: Final = _Known("", {}, is_ignored=False)


@dataclass(frozen=True, slots=True)
class NewEpisodes:
    """What one check found, and who follows the series."""

    series: Series
    episodes: list[Episode]
    items: list[WatchlistItem]
    just_appeared: bool

    @property
    def priority(self) -> int:
        """An episode that just appeared goes before a back catalogue."""
        return queue.PRIORITY_NEW if self.just_appeared else queue.PRIORITY_BACKLOG


@dataclass(frozen=True, slots=True)
class _Judged:
    """What was decided on an episode for an item."""

    item: WatchlistItem
    series: Series
    episode: Episode
    verdict: Verdict
    priority: int

    @property
    def is_to_be_queued(self) -> bool:
        """Whether it is wanted and still to be had."""
        return self.verdict.accepted and self.episode.is_listed

    def is_known_from(self, known: Mapping[_Pair, _Known]) -> bool:
        """Whether the same was decided before."""
        before = known.get((self.item.pk, self.episode.pk), _NO_DECISION)
        return (before.code, before.facts) == (self.verdict.reason, dict(self.verdict.facts))


def decide_for_new_episodes(*, found: Iterable[NewEpisodes], everybody: GlobalFacts) -> None:
    """Decide on episodes that checks have found, for everybody who follows the series.

    Called inside the transaction that makes the episodes known.
    """
    verdicts = [
        _Judged(item, news.series, episode, verdict, news.priority)
        for news in found
        for item in news.items
        for episode, verdict in _judge(item, news.episodes, everybody)
    ]
    _act_on(verdicts)


def decide_again(*, item: WatchlistItem) -> None:
    """Decide for one item; see `decide_again_for`."""
    decide_again_for(items=[item])


def decide_again_for(*, items: Collection[WatchlistItem]) -> None:
    """Decide on every episode that these items have not started to download.

    Automatic downloads that are still waiting and no longer wanted, or wanted in another quality,
    are withdrawn; what is wanted now is queued. Running ones go on.
    """
    with transaction.atomic():
        # Queue first, rows after: every writer takes the locks in this order, so none deadlocks.
        queue.limiter(lock=True)
        rows = WatchlistItem.objects.filter(pk__in=[item.pk for item in items])
        list(rows.select_for_update().order_by("pk").values_list("pk"))
        facts, known = settings_facts(), _known_decisions(items)
        _withdraw_unwanted(items, known, facts)
        judged = []
        for item, episode in _not_grabbed(items):
            decision = known.get((item.pk, episode.pk), _NO_DECISION)
            own = episode_facts(episode, is_ignored=decision.is_ignored)
            verdict = decide(own, item_facts(item), facts)
            judged.append(_Judged(item, item.series, episode, verdict, queue.PRIORITY_BACKLOG))
        _remember([one for one in judged if not one.is_known_from(known)])
        _grab([one for one in judged if one.is_to_be_queued])
        rows.filter(needs_decision=True).update(needs_decision=False)


def _known_decisions(items: Collection[WatchlistItem]) -> dict[_Pair, _Known]:
    rows = Decision.objects.filter(item__in=items)
    columns = rows.values_list("item_id", "episode_id", "code", "facts", "is_ignored")
    return {(item, episode): _Known(*known) for item, episode, *known in columns}


def _not_grabbed(items: Collection[WatchlistItem]) -> Iterator[tuple[WatchlistItem, Episode]]:
    """Each item with each episode of its series for which it has no wish yet."""
    by_id = {item.pk: item for item in items}
    grabs = Grab.objects.filter(item=OuterRef("item_id"), episode=OuterRef("pk"))
    rows = Episode.objects.annotate(item_id=F("series__items"))
    for row in rows.filter(~Exists(grabs), item_id__in=by_id):
        yield by_id[row.item_id], row


def decide_marked(*, limit: int = 100) -> int:
    """Work through items marked by a change of the global settings. Returns how many."""
    items = list(WatchlistItem.objects.filter(needs_decision=True).select_related("series")[:limit])
    for item in items:
        decide_again(item=item)
    return len(items)


def grab_by_hand(*, item: WatchlistItem, episode: Episode) -> Download:
    """Download one episode now, whatever the automatic rule says."""
    with transaction.atomic():
        order = order_for(
            item, item.series, episode, is_automatic=False, priority=queue.PRIORITY_MANUAL
        )
        download = queue.enqueue(order)
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


def set_ignored(*, item: WatchlistItem, episode: Episode, ignored: bool) -> None:
    """Leave one episode out of the automatic rule, or take it back in."""
    with transaction.atomic():
        Decision.objects.update_or_create(
            item=item, episode=episode, defaults={"is_ignored": ignored, "code": "ignored"}
        )
        if ignored:
            waiting = Grab.objects.filter(item=item, episode=episode, download__state__in=WAITING)
            withdraw(grabs=waiting)
        decide_again(item=item)
        follow_progress(item=item)


def withdraw(*, grabs: Iterable[Grab]) -> None:
    """Take wishes back; a download that nobody else wants is cancelled."""
    with transaction.atomic():
        queue.limiter(lock=True)
        found = list(grabs)
        Grab.objects.filter(pk__in=[grab.pk for grab in found]).delete()
        left = Download.objects.filter(pk__in={grab.download_id for grab in found})
        for download in left.filter(~Exists(_open_grabs().filter(download=OuterRef("pk")))):
            if download.state not in FINISHED:
                try:
                    queue.cancel(download, reason_code="withdrawn")
                except queue.NotLegalNow:
                    continue  # it is being moved into the library this very moment


def is_wanted_by_nobody(download: Download) -> bool:
    """Whether no open wish points at this download."""
    return not _open_grabs().filter(download=download).exists()


def _open_grabs() -> QuerySet[Grab]:
    return Grab.objects.filter(completed_at=None, cancelled_at=None)


def settle(*, download: Download) -> None:
    """A download is in the library: everybody who asked for it has the episode now.

    So has who gave it up while others went on: the library is one, and the episode is shown as
    downloaded to them too.
    """
    with transaction.atomic():
        grabs = Grab.objects.select_related("item").filter(download=download, completed_at=None)
        items = [grab.item for grab in grabs]
        grabs.update(completed_at=timezone.now())
    for item in items:
        follow_progress(item=item)


def settle_missed() -> int:
    """Repair completed downloads whose signal was lost. Returns how many."""
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
    had = set(
        Grab.objects.filter(item=item)
        .exclude(completed_at=None)
        .values_list("episode_id", flat=True)
    )
    had |= _ignored(item)
    reached = start
    for pk, number in episodes.order_by("number").values_list("pk", "number"):
        if pk not in had or (reached is not None and _is_gap(reached, number)):
            break
        reached = number
    return reached


def _is_gap(reached: Decimal, number: Decimal) -> bool:
    """Whether the site has yet to list an episode between these two: sites fill slots late."""
    missing = ceil(number) - floor(reached) - 1
    return 0 < missing <= LONGEST_GAP


def order_for(
    item: WatchlistItem, series: Series, episode: Episode, *, is_automatic: bool, priority: int
) -> Order:
    """The self-contained order for an episode as this item wants it."""
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


def _ignored(item: WatchlistItem) -> set[uuid.UUID]:
    ignored = Decision.objects.filter(item=item, is_ignored=True)
    return set(ignored.values_list("episode_id", flat=True))


def _judge(
    item: WatchlistItem, episodes: Iterable[Episode], everybody: GlobalFacts
) -> list[tuple[Episode, Verdict]]:
    own = item_facts(item)
    return [
        (episode, decide(episode_facts(episode, is_ignored=False), own, everybody))
        for episode in episodes
    ]


def _act_on(judged: list[_Judged]) -> None:
    """Remember every verdict and queue what is wanted."""
    _remember(judged)
    _grab([one for one in judged if one.is_to_be_queued])


def _remember(judged: list[_Judged]) -> None:
    now = timezone.now()
    Decision.objects.bulk_create(
        [
            Decision(
                item=one.item,
                episode=one.episode,
                code=one.verdict.reason,
                facts=dict(one.verdict.facts),
                decided_at=now,
            )
            for one in judged
        ],
        update_conflicts=True,
        unique_fields=["item", "episode"],
        update_fields=["code", "facts", "decided_at"],
        batch_size=200,
    )


def _grab(wanted: list[_Judged]) -> None:
    if not wanted:
        return
    orders = [
        (
            one,
            order_for(one.item, one.series, one.episode, is_automatic=True, priority=one.priority),
        )
        for one in sorted(wanted, key=_place_in_queue)
    ]
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


def _place_in_queue(one: _Judged) -> tuple[bool, Decimal, int]:
    return one.episode.is_special, one.episode.number, one.episode.position


def _withdraw_unwanted(
    items: Collection[WatchlistItem], known: Mapping[_Pair, _Known], facts: GlobalFacts
) -> None:
    by_id = {item.pk: item for item in items}
    grabs = Grab.objects.select_related("episode", "download").filter(
        item__in=items, is_manual=False, cancelled_at=None, download__state__in=WAITING
    )
    unwanted = []
    for grab in grabs:
        item = by_id[grab.item_id]
        is_ignored = known.get((item.pk, grab.episode_id), _NO_DECISION).is_ignored
        own = episode_facts(grab.episode, is_ignored=is_ignored)
        is_same = (
            grab.download.quality == item.quality_preference
            and grab.episode.series_id == item.series_id
        )
        if not decide(own, item_facts(item), facts).accepted or not is_same:
            unwanted.append(grab)
    withdraw(grabs=unwanted)


def _file_exists(download: Download) -> bool:
    return (Path(settings.DOWNLOAD_DIR) / download.final_path).is_file()
