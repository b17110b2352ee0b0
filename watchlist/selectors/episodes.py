"""The episodes of a series as one follower sees them: where each stands, and why."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db.models import QuerySet
from django.utils import timezone

from downloads.models import Download
from downloads.states import State
from watchlist import reasons
from watchlist.decisions import EpisodeState, GlobalFacts, Verdict, explain
from watchlist.models import Decision, Episode, Grab, WatchlistItem
from watchlist.selectors.facts import episode_facts, grab_facts, item_facts, present_facts
from watchlist.selectors.rows import Rows

ORDERINGS: Final = ("number", "first_seen_at", "title")
# A page names its episodes in the query; the whole list asks for all that the item has.
MAX_NAMED_IDS: Final = 200


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One episode; the figures of its download are zero or None while there is none."""

    id: uuid.UUID
    number: Decimal
    season: int
    is_special: bool
    is_listed: bool  # False when the provider no longer lists it
    is_ignored: bool
    title: str
    url: str
    published_at: datetime | None
    first_seen_at: datetime
    state: EpisodeState
    reason_code: str
    facts: Mapping[str, str | int]
    download_id: uuid.UUID | None
    download_state: State | None
    bytes_done: int
    bytes_total: int | None
    path: str | None  # relative to the library, once the file is there

    @property
    def reason(self) -> str:
        """One plain sentence in the active language."""
        return reasons.sentence(self.reason_code, self.facts)

    @property
    def technical(self) -> str:
        """What was recorded of an error, in English; "" when there was none."""
        return str(self.facts.get("error", ""))


@dataclass(frozen=True, slots=True)
class _Wishes:
    """What the user has done or decided about a window of episodes."""

    grabs: Mapping[Any, Grab]
    ignored: frozenset[Any]


def episodes_of(item: WatchlistItem, *, ordering: str = "number") -> Rows[EpisodeRow]:
    """Every known episode; `ordering` is one of ORDERINGS, with an optional leading "-"."""
    rows = Episode.objects.filter(series_id=item.series_id).order_by(*_order(ordering))
    return Rows(rows, lambda window: _rows(item, window))


def episodes_in_states(
    item: WatchlistItem, states: Collection[str], *, ordering: str = "number"
) -> list[EpisodeRow]:
    """Those of the known episodes that stand there; all are read, because it is derived."""
    return [row for row in episodes_of(item, ordering=ordering) if row.state in states]


def find_episode(item: WatchlistItem, episode_id: uuid.UUID) -> EpisodeRow | None:
    """One episode of the item's series, else None."""
    rows = Episode.objects.filter(series_id=item.series_id, pk=episode_id)
    return next(iter(_rows(item, rows)), None)


def _rows(item: WatchlistItem, window: QuerySet[Any, Any]) -> list[EpisodeRow]:
    episodes: list[Episode] = list(window)
    if not episodes:
        return []
    wishes = _wishes_for(item, episodes)
    facts, now = present_facts(), timezone.now()
    return [_row(item, episode, wishes, facts, now) for episode in episodes]


def _wishes_for(item: WatchlistItem, episodes: list[Episode]) -> _Wishes:
    grabs = Grab.objects.filter(item=item).select_related("download")
    ignored = Decision.objects.filter(item=item, is_ignored=True)
    if len(episodes) <= MAX_NAMED_IDS:
        ids = [episode.pk for episode in episodes]
        grabs, ignored = grabs.filter(episode__in=ids), ignored.filter(episode__in=ids)
    return _Wishes(
        {grab.episode_id: grab for grab in grabs},
        frozenset(ignored.values_list("episode_id", flat=True)),
    )


def _row(
    item: WatchlistItem, episode: Episode, wishes: _Wishes, facts: GlobalFacts, now: datetime
) -> EpisodeRow:
    grab = wishes.grabs.get(episode.pk)
    is_ignored = episode.pk in wishes.ignored
    state, verdict = explain(
        episode_facts(episode, is_ignored=is_ignored),
        item_facts(item, item.series),
        facts,
        grab_facts(grab) if grab else None,
        now,
    )
    return _shown(episode, state, verdict, grab.download if grab else None, is_ignored=is_ignored)


def _shown(
    episode: Episode,
    state: EpisodeState,
    verdict: Verdict,
    download: Download | None,
    *,
    is_ignored: bool,
) -> EpisodeRow:
    is_done = state is EpisodeState.DOWNLOADED and download is not None
    return EpisodeRow(
        id=episode.pk,
        number=episode.number,
        season=episode.season,
        is_special=episode.is_special,
        is_listed=episode.is_listed,
        is_ignored=is_ignored,
        title=episode.title,
        url=episode.url,
        published_at=episode.published_at,
        first_seen_at=episode.first_seen_at,
        state=state,
        reason_code=verdict.reason.value,
        facts=verdict.facts,
        download_id=download.pk if download else None,
        download_state=State(download.state) if download else None,
        bytes_done=download.bytes_done if download else 0,
        bytes_total=download.bytes_total if download else None,
        path=(download.final_path or None) if is_done and download else None,
    )


def _order(ordering: str) -> list[str]:
    sign = "-" if ordering.startswith("-") else ""
    name = ordering.removeprefix("-")
    # Specials stand behind the regular ones, whose numbers they may repeat.
    columns = ["is_special", "number", "position"] if name == "number" else [name, "number"]
    return [f"{sign}{column}" for column in columns] + ["id"]
