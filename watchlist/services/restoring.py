"""Put a removed item back as it was: what undo needs."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import Q
from django.utils.dateparse import parse_datetime

from downloads import queue
from downloads.models import Download
from downloads.states import State
from watchlist.models import Decision, Episode, Grab, ItemStatus, Series, WatchlistItem
from watchlist.services import deciding, grabbing
from watchlist.services.downloads import SharedDownload, pause_for
from watchlist.services.due import refresh_watched
from watchlist.services.grabbing import Candidate

# What the user decided, and when; the series' own row stays when an item goes.
_TEXTS: Final = (
    "anime_url",
    "lang",
    "anime_title",
    "is_title_guessed",
    "poster_image",
    "synopsis",
    "genres",
    "status",
    "auto_download",
    "quality_preference",
)
_MOMENTS: Final = ("status_changed_at", "specials_since", "created_at")


class _Wish(NamedTuple):
    """A grab that the automatic rule would not make again by itself; as JSON a list of these."""

    episode: str
    download: str
    is_manual: bool
    completed_at: str | None
    cancelled_at: str | None
    is_paused: bool


def memories_of(items: Sequence[WatchlistItem]) -> list[dict[str, Any]]:
    """For each item everything that `restore` needs, as JSON has it."""
    ignored: dict[uuid.UUID, list[str]] = defaultdict(list)
    decisions = Decision.objects.filter(item__in=items, is_ignored=True)
    for item_id, episode_id in decisions.values_list("item_id", "episode_id"):
        ignored[item_id].append(str(episode_id))
    wishes = _wishes_of(items)
    return [
        _memory_of(item) | {"ignored": ignored[item.pk], "wishes": wishes[item.pk]}
        for item in items
    ]


def _wishes_of(items: Sequence[WatchlistItem]) -> dict[uuid.UUID, list[_Wish]]:
    wishes: dict[uuid.UUID, list[_Wish]] = defaultdict(list)
    settled = Q(completed_at__isnull=False) | Q(cancelled_at__isnull=False)
    own = settled | Q(is_manual=True) | Q(download__state=State.PAUSED)
    for grab in Grab.objects.filter(own, item__in=items).select_related("download"):
        wishes[grab.item_id].append(
            _Wish(
                episode=str(grab.episode_id),
                download=str(grab.download_id),
                is_manual=grab.is_manual,
                completed_at=grab.completed_at.isoformat() if grab.completed_at else None,
                cancelled_at=grab.cancelled_at.isoformat() if grab.cancelled_at else None,
                is_paused=grab.download.state == State.PAUSED,
            )
        )
    return wishes


def _memory_of(item: WatchlistItem) -> dict[str, Any]:
    encoder = DjangoJSONEncoder()
    memory = {name: getattr(item, name) for name in _TEXTS}
    memory |= {
        name: encoder.default(moment) if (moment := getattr(item, name)) else None
        for name in _MOMENTS
    }
    last = item.last_episode_downloaded
    return memory | {
        "series": str(item.series_id),
        "last": None if last is None else str(last),
        "last_season": item.last_season_downloaded,
    }


def restore(*, user: User, memory: dict[str, Any]) -> WatchlistItem | None:
    """Follow again with the old settings, without asking the provider.

    Episodes that are in the library are taken over, what was cancelled stays so, what was asked
    for by hand is asked for again, and what was paused waits. None when the series itself is gone.
    Somebody who follows it again already keeps what they have now.
    """
    series = Series.objects.filter(pk=memory["series"]).first()
    if series is None:
        return None
    moments = {name: parse_datetime(memory[name]) if memory[name] else None for name in _MOMENTS}
    columns = {name: memory[name] for name in _TEXTS} | moments
    with transaction.atomic():
        # The queue's lock comes first everywhere, so that no two writers deadlock.
        queue.limiter(lock=True)
        item, is_new = WatchlistItem.objects.get_or_create(
            user=user,
            series=series,
            defaults=columns
            | {
                "last_episode_downloaded": memory["last"],
                "last_season_downloaded": memory.get("last_season"),
            },
        )
        if not is_new:
            return item
        _take_up_again(item, [_Wish(*wish) for wish in memory["wishes"]])
        _ignore_again(item, memory["ignored"])
        item.refresh_from_db()
        if item.status != ItemStatus.ARCHIVED:
            deciding.decide_again(item=item)
        refresh_watched([series.pk])
    return item


def _take_up_again(item: WatchlistItem, wishes: Sequence[_Wish]) -> None:
    """Before the automatic rule decides, which leaves alone whatever has a grab."""
    episodes = {
        str(one.pk): one
        for one in Episode.objects.filter(
            series_id=item.series_id, pk__in=[wish.episode for wish in wishes]
        )
    }
    downloads = Download.objects.filter(pk__in=[wish.download for wish in wishes])
    states = {str(pk): state for pk, state in downloads.values_list("pk", "state")}
    known = [wish for wish in wishes if wish.episode in episodes and wish.download in states]
    as_before = []
    for wish in known:
        is_there = states[wish.download] == State.COMPLETED
        if wish.cancelled_at or (wish.completed_at and is_there):
            as_before.append(_grab_as_before(item, wish, is_there=is_there))
        elif not wish.completed_at:
            _ask_again(item, episodes[wish.episode], wish)
    Grab.objects.bulk_create(as_before)


def _grab_as_before(item: WatchlistItem, wish: _Wish, *, is_there: bool) -> Grab:
    had_since = wish.completed_at if is_there else None
    return Grab(
        item=item,
        episode_id=uuid.UUID(wish.episode),
        download_id=uuid.UUID(wish.download),
        is_manual=wish.is_manual,
        completed_at=parse_datetime(had_since) if had_since else None,
        cancelled_at=parse_datetime(wish.cancelled_at) if wish.cancelled_at else None,
    )


def _ask_again(item: WatchlistItem, episode: Episode, wish: _Wish) -> None:
    if wish.is_manual:
        grabbing.grab_by_hand(item=item, episode=episode)
    else:
        again = Candidate(item, item.series, episode, queue.PRIORITY_BACKLOG)
        grabbing.grab_each(wanted=[again])
    if wish.is_paused:
        # Meanwhile others may wait for it, or have it already: then it goes on.
        with suppress(SharedDownload, queue.NotLegalNow):
            grab = Grab.objects.get(item=item, episode=episode)
            pause_for(grab=grab, may_hold_up_others=False)


def _ignore_again(item: WatchlistItem, episode_ids: list[str]) -> None:
    known = Episode.objects.filter(series_id=item.series_id, pk__in=episode_ids)
    Decision.objects.bulk_create(
        [Decision(item=item, episode=one, code="ignored", is_ignored=True) for one in known]
    )
