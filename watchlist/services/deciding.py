"""Decide for items which episodes they take, remember why, and queue what is wanted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from downloads import queue
from downloads.states import WAITING, State
from watchlist.decisions import GlobalFacts, Reason, Verdict, decide
from watchlist.models import Decision, Episode, Grab, Series, WatchlistItem
from watchlist.selectors.facts import episode_facts, item_facts, settings_facts
from watchlist.services import grabbing
from watchlist.services.grabbing import Candidate
from watchlist.services.progress import follow_progress

_Pair: TypeAlias = tuple[uuid.UUID, uuid.UUID]  # item and episode


class _Known(NamedTuple):
    """What is remembered of a decision."""

    code: str
    facts: Mapping[str, str | int]
    is_ignored: bool


MARKED_AT_ONCE: Final = 100
MARKED_SECONDS: Final = 10.0
_NO_DECISION: Final = _Known("", {}, is_ignored=False)
_BEFORE_START: Final = frozenset({Reason.BELOW_START, Reason.SPECIAL_BEFORE_START})


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


class _Judged(NamedTuple):
    """What was decided on an episode for an item."""

    candidate: Candidate
    verdict: Verdict

    def is_known_from(self, known: Mapping[_Pair, _Known]) -> bool:
        """Whether the same was decided before."""
        pair = self.candidate.item.pk, self.candidate.episode.pk
        before = known.get(pair, _NO_DECISION)
        return (before.code, before.facts) == (self.verdict.reason, dict(self.verdict.facts))


def decide_for_new_episodes(*, found: Iterable[NewEpisodes], everybody: GlobalFacts) -> None:
    """Decide on episodes that checks have found, for everybody who follows the series.

    Called inside the transaction that makes the episodes known.
    """
    judged = [
        _judge(Candidate(item, news.series, episode, news.priority), _NO_DECISION, everybody)
        for news in found
        for item in news.items
        for episode in news.episodes
    ]
    _remember(judged)
    _grab_wanted(judged)


def decide_again(*, item: WatchlistItem) -> None:
    """Decide for one item; see `decide_again_for`."""
    decide_again_for(items=[item])


def decide_again_for(*, items: Collection[WatchlistItem]) -> None:
    """Decide on every episode that these items have not started to download.

    Automatic downloads that are still waiting and no longer wanted, or wanted in another quality,
    are withdrawn; what is wanted now is queued. Running ones go on, paused ones stay paused.
    Nothing is wanted for somebody who was deactivated.
    """
    with transaction.atomic():
        queue.limiter(lock=True)
        rows = WatchlistItem.objects.filter(pk__in=[item.pk for item in items])
        # Read once more: a user may have changed them since the caller did.
        locked = rows.select_for_update(of=("self",), no_key=True)
        present = list(locked.select_related("series", "user").order_by("pk"))
        everybody, known = settings_facts(), _known_decisions(present)
        _withdraw_unwanted(present, known, everybody)
        judged = []
        active = [item for item in present if item.user.is_active]
        for item, episode in _not_grabbed(active):
            candidate = Candidate(item, item.series, episode, queue.PRIORITY_BACKLOG)
            before = known.get((item.pk, episode.pk), _NO_DECISION)
            judged.append(_judge(candidate, before, everybody))
        _remember([one for one in judged if not one.is_known_from(known)])
        _grab_wanted(judged)
        rows.filter(needs_decision=True).update(needs_decision=False)


def decide_marked() -> int:
    """Work through items for which the answer may be another now. Returns how many.

    What an administrator has switched off would go on for all who are left over for the next tick.
    """
    began, count = time.monotonic(), 0
    marked = WatchlistItem.objects.filter(needs_decision=True)
    while time.monotonic() - began < MARKED_SECONDS and (items := list(marked[:MARKED_AT_ONCE])):
        for item in items:
            decide_again(item=item)
        count += len(items)
    return count


def set_ignored(*, item: WatchlistItem, episode: Episode, ignored: bool) -> None:
    """Leave one episode out of the automatic rule, or take it back in."""
    with transaction.atomic():
        queue.limiter(lock=True)
        Decision.objects.update_or_create(
            item=item, episode=episode, defaults={"is_ignored": ignored, "code": "ignored"}
        )
        if ignored:
            waiting = Grab.objects.filter(item=item, episode=episode, download__state__in=WAITING)
            grabbing.withdraw(grabs=waiting)
        decide_again(item=item)
        follow_progress(item=item)


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


def _withdraw_unwanted(
    items: Collection[WatchlistItem], known: Mapping[_Pair, _Known], everybody: GlobalFacts
) -> None:
    by_id = {item.pk: item for item in items}
    is_open = Q(download__state__in=WAITING)
    # Else a retry would fetch the quality that was wished before.
    is_old = Q(download__state=State.FAILED) & ~Q(download__quality=F("item__quality_preference"))
    grabs = Grab.objects.select_related("episode", "download").filter(
        is_open | is_old, item__in=items, is_manual=False, cancelled_at=None
    )
    unwanted = []
    for grab in grabs:
        item = by_id[grab.item_id]
        before = known.get((item.pk, grab.episode_id), _NO_DECISION)
        wish = Candidate(item, item.series, grab.episode, queue.PRIORITY_BACKLOG)
        if _is_unwanted(grab, item, _verdict(wish, before, everybody)):
            unwanted.append(grab)
    grabbing.withdraw(grabs=unwanted)


def _is_unwanted(grab: Grab, item: WatchlistItem, verdict: Verdict) -> bool:
    download = grab.download
    is_same = (
        download.quality == item.quality_preference and grab.episode.series_id == item.series_id
    )
    if not is_same or not item.user.is_active:
        return True
    if download.state == State.PAUSED:
        # It does not run anyway, and were it queued anew when the series goes on, the pause that
        # somebody made by hand would be forgotten.
        return verdict.reason in _BEFORE_START
    # What was queued while it was listed may be there again by the time of its turn.
    return not verdict.accepted and verdict.reason is not Reason.NOT_LISTED


def _judge(candidate: Candidate, before: _Known, everybody: GlobalFacts) -> _Judged:
    return _Judged(candidate, _verdict(candidate, before, everybody))


def _verdict(candidate: Candidate, before: _Known, everybody: GlobalFacts) -> Verdict:
    own = episode_facts(candidate.episode, is_ignored=before.is_ignored)
    return decide(own, item_facts(candidate.item, candidate.series), everybody)


def _remember(judged: list[_Judged]) -> None:
    now = timezone.now()
    Decision.objects.bulk_create(
        [
            Decision(
                item=candidate.item,
                episode=candidate.episode,
                code=verdict.reason,
                facts=dict(verdict.facts),
                decided_at=now,
            )
            for candidate, verdict in judged
        ],
        update_conflicts=True,
        unique_fields=["item", "episode"],
        update_fields=["code", "facts", "decided_at"],
        batch_size=200,
    )


def _grab_wanted(judged: list[_Judged]) -> None:
    """Queue what is wanted and still to be had."""
    wanted = [one for one, verdict in judged if verdict.accepted]
    grabbing.grab_each(wanted=wanted)
