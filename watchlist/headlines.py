"""The one headline status of a followed series: a pure function over plain facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from downloads.states import ACTIVE, State


class Headline(StrEnum):
    """What a card says first; the first that fits holds, which is also the order of attention."""

    FAILED = "failed"
    DOWNLOADING = "downloading"
    NEW = "new"
    LATE = "late"
    BEHIND = "behind"
    UPCOMING = "upcoming"
    CURRENT = "current"
    PAUSED = "paused"
    COMPLETE = "complete"


ATTENTION = {headline: rank for rank, headline in enumerate(Headline)}


@dataclass(frozen=True, slots=True)
class OpenDownload:
    """A download that this item waits for, or one that was given up."""

    season: int
    number: Decimal
    state: State
    reason_code: str
    bytes_done: int
    bytes_total: int | None
    eta_seconds: int | None
    not_before: datetime | None

    @property
    def is_running(self) -> bool:
        """Whether a worker has it in hand."""
        return self.state in ACTIVE


@dataclass(frozen=True, slots=True)
class News:
    """What arrived since the user last opened the series."""

    count: int
    last: str  # the highest number, as people write it
    at: datetime


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """What the headline depends on."""

    status: str  # of the item
    error_code: str  # of the last check, "" when it went well
    running: bool
    given_up: bool
    waiting: bool
    has_news: bool
    is_late: bool
    has_episodes: bool
    is_behind: bool  # an episode above the last one had is not on its way
    is_finished: bool  # the provider says that no more will come


def headline_of(facts: SeriesFacts) -> Headline:
    """The headline; a series that rests is never late, missing something or failing."""
    moving = _moving(facts)
    if moving is not None:
        return moving
    if facts.status == "paused":
        return Headline.PAUSED
    if facts.status in {"completed", "archived"}:
        return Headline.COMPLETE
    return _settled(facts)


def _moving(facts: SeriesFacts) -> Headline | None:
    is_active = facts.status == "active"
    if facts.error_code and is_active:
        return Headline.FAILED
    if facts.running:
        return Headline.DOWNLOADING
    if facts.given_up and is_active:
        return Headline.FAILED
    if facts.waiting:
        return Headline.DOWNLOADING
    # Who pauses a series wants to see that it is.
    return Headline.NEW if facts.has_news and facts.status != "paused" else None


def _settled(facts: SeriesFacts) -> Headline:
    if not facts.has_episodes:
        return Headline.UPCOMING
    if facts.is_behind:
        return Headline.BEHIND
    if facts.is_late:
        return Headline.LATE
    return Headline.COMPLETE if facts.is_finished else Headline.CURRENT
