"""Compare a provider's list with the episodes that are known: what is new, changed, or suspect.

Pure: rows and lists in, rows to write out. Nothing here ever removes an episode.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

from providers.errors import EmptyList
from providers.types import EpisodeListing

# A list that lost more than this is not believed at first.
SHRINK_RATIO: Final = 0.8
SHRINK_EPISODES: Final = 3
BELIEVED_AFTER: Final = 3
BELIEVED_AGE: Final = timedelta(hours=72)

# Season, number, whether it is a special.
Likeness = tuple[int, Decimal, bool]


class Known(NamedTuple):
    """What a comparison needs of an episode, and no more: there may be a thousand."""

    id: uuid.UUID
    ref: str
    position: int
    title: str
    url: str
    is_listed: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """What a list changes: entries that nobody had seen, and known episodes as they are now."""

    new: list[EpisodeListing]
    changed: list[Known]
    has_returned: bool  # whether one that had gone from the list is in it again


def likeness(*, season: int, number: Decimal, is_special: bool) -> Likeness:
    """What makes two episodes of a series the same one when their references differ."""
    return season, Decimal(number).normalize(), is_special


def orphans(known: Iterable[Known], listed: Iterable[EpisodeListing]) -> list[Known]:
    """Known episodes that are missing from this list and were in the one before.

    Those that left earlier were not renamed: feeds show their latest entries alone, and among all
    that ever left one is found for almost any number.
    """
    refs = {entry.ref for entry in listed}
    return [episode for episode in known if episode.is_listed and episode.ref not in refs]


def merge(
    known: Sequence[Known],
    listed: Sequence[EpisodeListing],
    likenesses: Mapping[Likeness, Known],
) -> Merge:
    """Match the list with what is known.

    An episode whose reference changed (the site renamed its pages) is the same one when season and
    number agree and it stands where it stood; without this everything would be downloaded again.

    `likenesses` are the orphans (see `orphans`) by season, number and kind.
    """
    by_ref = {episode.ref: episode for episode in known}
    unclaimed = dict(likenesses)
    old_places, new_places = _places(known, listed) if likenesses else ({}, {})
    new: dict[str, EpisodeListing] = {}
    changed: list[Known] = []
    kept: set[uuid.UUID] = set()
    has_returned = False
    for entry in listed:
        episode = by_ref.get(entry.ref)
        if episode is None:
            lost = unclaimed.get(_likeness_of(entry))
            if lost and old_places[lost.ref] == new_places[entry.ref] and _fits(lost, entry):
                episode = unclaimed.pop(_likeness_of(entry))
        if episode is None:
            new.setdefault(entry.ref, entry)
            continue
        kept.add(episode.id)
        has_returned = has_returned or not episode.is_listed
        fresh = _refreshed(episode, entry)
        if fresh != episode:
            changed.append(fresh)
    changed += [
        episode._replace(is_listed=False)
        for episode in known
        if episode.is_listed and episode.id not in kept
    ]
    return Merge(list(new.values()), changed, has_returned)


def _places(
    known: Iterable[Known], listed: Sequence[EpisodeListing]
) -> tuple[dict[str, int], dict[str, int]]:
    """How many episodes that are in both lists stand before each: in the last list, and in this.

    What is renamed stays where it was. In a feed that shows its latest entries the one that left
    was the first, and the new one, which may well have its number in another season, is the last.
    """
    before = [one.ref for one in sorted(known, key=lambda one: one.position) if one.is_listed]
    now = list(dict.fromkeys(entry.ref for entry in listed))
    both = set(before) & set(now)
    return _counted(before, both), _counted(now, both)


def _counted(refs: Iterable[str], both: set[str]) -> dict[str, int]:
    count = 0
    places: dict[str, int] = {}
    for ref in refs:
        places[ref] = count
        count += ref in both
    return places


def _fits(lost: Known, entry: EpisodeListing) -> bool:
    """Specials are numbered as they come, so that the number alone does not tell them apart."""
    return not entry.is_special or lost.title == entry.title


def suspicion(
    known: Collection[Known],
    listed: Sequence[EpisodeListing],
    *,
    suspect_since: datetime | None,
    suspect_count: int,
    now: datetime,
) -> EmptyList | None:
    """Why this list is not believed; None when it is.

    A list that is empty or much shorter than known is believed once it has been seen often and for
    long enough; an empty one never.
    """
    before = sum(1 for episode in known if episode.is_listed)
    after = len(listed)
    if not listed:
        return EmptyList("The site's list has no episodes; nothing was changed.")
    lost = before - after
    if lost <= 0 or (lost <= SHRINK_EPISODES and after >= before * SHRINK_RATIO):
        return None
    if _has_slid(known, listed):
        return None
    is_old = suspect_since is not None and now - suspect_since >= BELIEVED_AGE
    if is_old and suspect_count + 1 >= BELIEVED_AFTER:
        return None
    return EmptyList(f"The site lists {after} episodes, {before} were known; nothing was changed.")


def _has_slid(known: Collection[Known], listed: Sequence[EpisodeListing]) -> bool:
    """Whether only the oldest are gone and something new is there: a feed of the last days."""
    before = [one.ref for one in sorted(known, key=lambda one: one.position) if one.is_listed]
    now = {entry.ref for entry in listed}
    staying = [ref for ref in before if ref in now]
    is_end = bool(staying) and before[-len(staying) :] == staying
    return is_end and not now <= set(before)


def _likeness_of(entry: EpisodeListing) -> Likeness:
    return likeness(season=entry.season, number=entry.number, is_special=entry.is_special)


# Number and season stay as they were first seen: files and progress hang on them.
def _refreshed(episode: Known, entry: EpisodeListing) -> Known:
    return episode._replace(
        ref=entry.ref,
        position=entry.position,
        title=entry.title or episode.title,
        url=entry.url,
        is_listed=True,
    )
