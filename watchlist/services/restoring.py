"""Put a removed item back as it was: what undo needs."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from django.contrib.auth.models import User
from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils.dateparse import parse_datetime

from watchlist.models import Decision, Episode, ItemStatus, Series, WatchlistItem
from watchlist.services import deciding
from watchlist.services.due import refresh_watched

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


def memories_of(items: Sequence[WatchlistItem]) -> list[dict[str, Any]]:
    """For each item everything that `restore` needs, as JSON has it."""
    ignored: dict[uuid.UUID, list[str]] = defaultdict(list)
    decisions = Decision.objects.filter(item__in=items, is_ignored=True)
    for item_id, episode_id in decisions.values_list("item_id", "episode_id"):
        ignored[item_id].append(str(episode_id))
    return [_memory_of(item, ignored[item.pk]) for item in items]


def _memory_of(item: WatchlistItem, ignored: list[str]) -> dict[str, Any]:
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
        "ignored": ignored,
    }


def restore(*, user: User, memory: dict[str, Any]) -> WatchlistItem | None:
    """Follow again with the old settings, without asking the provider.

    Episodes that are in the library are taken over; None when the series itself is gone. Somebody
    who follows it again already keeps what they have now.
    """
    series = Series.objects.filter(pk=memory["series"]).first()
    if series is None:
        return None
    moments = {name: parse_datetime(memory[name]) if memory[name] else None for name in _MOMENTS}
    columns = {name: memory[name] for name in _TEXTS} | moments
    with transaction.atomic():
        item, is_new = WatchlistItem.objects.get_or_create(
            user=user,
            series=series,
            defaults=columns | {"last_episode_downloaded": memory["last"]},
        )
        if not is_new:
            return item
        _ignore_again(item, memory["ignored"])
        item.refresh_from_db()
        if item.status != ItemStatus.ARCHIVED:
            deciding.decide_again(item=item)
        refresh_watched([series.pk])
    return item


def _ignore_again(item: WatchlistItem, episode_ids: list[str]) -> None:
    known = Episode.objects.filter(series_id=item.series_id, pk__in=episode_ids)
    Decision.objects.bulk_create(
        [Decision(item=item, episode=one, code="ignored", is_ignored=True) for one in known]
    )
