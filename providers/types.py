"""What an adapter tells of its site, its series and their episodes: frozen values, plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from decimal import Decimal


class AiringStatus(StrEnum):
    """Whether more episodes are to be expected, as the site says."""

    AIRING = "airing"
    FINISHED = "finished"
    UPCOMING = "upcoming"
    UNKNOWN = "unknown"


class Capability(StrEnum):
    """What an adapter can do beyond listing the episodes of a known series."""

    SEARCH = "search"
    DETAILS = "details"
    CONDITIONAL = "conditional"


@dataclass(frozen=True, slots=True)
class Pace:
    """How gently a site is asked, over all workers together."""

    requests_per_second: float
    max_concurrent: int


@dataclass(frozen=True, slots=True)
class SeriesLocator:
    """What a URL says by itself, without asking the site."""

    series_ref: str  # opaque, owned by the adapter; one season and language
    url: str  # canonical address below the current base URL
    lang: str | None  # None when the URL does not name one
    title_guess: str  # a readable title made from the URL, never empty


@dataclass(frozen=True, slots=True)
class SeriesMatch:
    """One hit of a search."""

    series_ref: str
    url: str
    title: str
    lang: str  # the language this hit leads to, for example "vostfr"
    poster_url: str = ""
    synopsis: str = ""
    genres: tuple[str, ...] = ()
    other_titles: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeasonOffer:
    """One season and language that a series page leads to, in the site's order."""

    series_ref: str
    url: str
    label: str
    lang: str


@dataclass(frozen=True, slots=True)
class SeriesDetails:
    """What a site tells of one series; `series_ref` is complete (season and language chosen)."""

    series_ref: str
    url: str
    title: str
    lang: str
    other_titles: tuple[str, ...] = ()
    synopsis: str = ""
    genres: tuple[str, ...] = ()
    poster_url: str = ""
    airing_status: AiringStatus = AiringStatus.UNKNOWN
    seasons: tuple[SeasonOffer, ...] = ()  # may be empty
    languages: tuple[str, ...] = ()  # may be empty when the site does not say


@dataclass(frozen=True, slots=True)
class EpisodeListing:
    """One episode that the site offers now."""

    ref: str  # unique in its series and stable when the order changes or a special is inserted
    number: Decimal  # 12.5 stays 12.5; specials are counted by themselves
    season: int  # 0 for specials and films
    position: int  # 0-based place in the site's order
    title: str = ""  # "" when the site gives none
    url: str = ""
    is_special: bool = False  # outside the numbering of its season
    published_at: datetime | None = None  # aware UTC
    duration_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class PageValidator:
    """What is remembered of one fetched page, to ask whether it changed (RFC 9110 section 13.1)."""

    etag: str = ""
    last_modified: str = ""
    digest: str = ""  # of the decoded body; tells an unchanged page from a site without validators
    host: str = ""  # that answered, with its port; no other one is sent the first two


@dataclass(frozen=True, slots=True)
class EpisodeList:
    """The result of asking for a series' episodes.

    When `unchanged` is true the site's answer is the one already known and `episodes` is empty.
    """

    episodes: tuple[EpisodeListing, ...]  # in airing order
    validators: Mapping[str, PageValidator] = field(default_factory=dict)  # by page role
    unchanged: bool = False
    airing_status: AiringStatus = AiringStatus.UNKNOWN
