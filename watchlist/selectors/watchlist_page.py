"""Everything that a user follows, each with its headline: the watchlist page in a few queries."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db.models import Count, Exists, F, JSONField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from downloads.states import WAITING, State
from providers.types import AiringStatus
from watchlist.headlines import Headline, News, OpenDownload, SeriesFacts, headline_of
from watchlist.models import (
    Check,
    Episode,
    Grab,
    ItemStatus,
    Notification,
    NotificationKind,
    WatchlistItem,
)
from watchlist.places import is_after
from watchlist.selectors.arrivals import LOOK_BACK, arrivals_of
from watchlist.services.due import OPEN
from watchlist.services.rhythm import Guess, guess_next

LATE_AFTER: Final = timedelta(days=1)
_NEWS_KINDS: Final = (NotificationKind.FINISHED, NotificationKind.NEW_EPISODE)


@dataclass(frozen=True, slots=True)
class Details:
    """What a card shows besides; fetched for the sixty of a page and not for the whole list."""

    lang: str
    status_changed_at: datetime
    auto_download: bool
    poster: str  # the address it comes from; never shown to a browser
    checked_at: datetime | None
    next_check_at: datetime | None
    is_checking: bool
    news: News | None
    have: int  # in the library, or below the start


@dataclass(slots=True)
class Entry:
    """One followed series: what its headline, its place in the list and a search depend on."""

    id: uuid.UUID
    series_id: uuid.UUID
    title: str
    status: str
    had_up_to: Decimal | None
    had_season: int | None
    created_at: datetime
    provider_id: str
    airing_status: str
    known: int
    latest_episode: Decimal | None
    latest_season: int | None
    has_seasons: bool
    latest_at: datetime | None
    error_code: str
    has_news: bool
    downloads: list[OpenDownload] = field(default_factory=list)
    guess: Guess | None = None
    headline: Headline = Headline.CURRENT
    details: Details | None = None  # only of those that are shown

    @property
    def shown_download(self) -> OpenDownload | None:
        """The one that says most: a running one, then one that was given up, then the next."""
        if not self.downloads:
            return None
        return min(self.downloads, key=lambda one: (_turn(one), one.season, one.number))

    @property
    def is_behind(self) -> bool:
        """Whether an episode after the last one had is known."""
        if self.latest_episode is None or self.latest_season is None:
            return False
        if self.had_up_to is None:
            return True
        return is_after(
            self.latest_season,
            self.latest_episode,
            start_season=self.had_season,
            start_number=self.had_up_to,
        )


def entries_of(user_id: int, *, ids: Iterable[uuid.UUID] | None = None) -> list[Entry]:
    """All that the user follows, or those of `ids`, with headlines but without details."""
    rows = _READ.filter(user_id=user_id)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    entries = [Entry(*row) for row in rows]
    _add_downloads(user_id, entries, narrowed=ids is not None)
    for entry in entries:
        entry.headline = headline_of(_facts(entry, is_late=False))
    # Most headlines are settled by what stands above "late"; those have no use for a guess.
    add_guesses([entry for entry in entries if entry.headline is Headline.CURRENT])
    late_before = timezone.now() - LATE_AFTER
    for entry in entries:
        if entry.guess is not None and entry.guess.at < late_before:
            entry.headline = headline_of(_facts(entry, is_late=True))
    return entries


def add_details(entries: Sequence[Entry]) -> None:
    """Fill `details` where they are missing."""
    by_id = {entry.id: entry for entry in entries if entry.details is None}
    if not by_id:
        return
    columns = _READ_DETAILS.filter(pk__in=list(by_id))
    for pk, below, fetched, facts, at, own_poster, poster, *plain in columns:
        lang, changed_at, auto_download, checked_at, next_check_at, is_checking = plain
        entry = by_id[pk]
        entry.details = Details(
            lang=lang,
            status_changed_at=changed_at,
            auto_download=auto_download,
            poster=own_poster or poster,
            checked_at=checked_at,
            next_check_at=next_check_at,
            is_checking=is_checking,
            news=_news_of(facts, at),
            have=min(below + fetched, entry.known),
        )


def add_guesses(entries: Iterable[Entry]) -> None:
    """Fill `guess` where a next episode is to be expected."""
    now = timezone.now()
    expecting = {
        entry.series_id: entry
        for entry in entries
        if entry.status == ItemStatus.ACTIVE
        and entry.airing_status != AiringStatus.FINISHED
        and entry.latest_at is not None
        and entry.latest_at > now - LOOK_BACK
    }
    for series_id, moments in arrivals_of(list(expecting), now).items():
        expecting[series_id].guess = guess_next(moments, now)


def _number_below() -> Coalesce:
    """How many episodes stand below the start: `watchlist.places` as a query."""
    season = Coalesce(OuterRef("last_season_downloaded"), F("season"))
    number = OuterRef("last_episode_downloaded")
    below = Episode.objects.filter(
        Q(season__lt=season) | Q(season=season, number__lte=number),
        series=OuterRef("series"),
        is_special=False,
    )
    return _count(below, "series")


def _number_fetched() -> Coalesce:
    """How many are in the library that do not stand below the start."""
    number = F("item__last_episode_downloaded")
    season = Coalesce(F("item__last_season_downloaded"), F("episode__season"))
    after = Q(episode__season__gt=season) | Q(episode__season=season, episode__number__gt=number)
    above = Q(item__last_episode_downloaded=None) | Q(episode__is_special=True) | after
    fetched = Grab.objects.filter(above, item=OuterRef("pk"), completed_at__isnull=False)
    return _count(fetched, "item")


def _news() -> QuerySet[Notification]:
    return Notification.objects.filter(
        item=OuterRef("pk"), read_at=None, closed_at=None, kind__in=_NEWS_KINDS
    )


def _news_of(facts: dict[str, Any] | None, at: datetime | None) -> News | None:
    if facts is None or at is None:
        return None
    return News(int(facts.get("count", 1)), str(facts.get("last", "")), at)


def busy_state(user_id: int) -> dict[uuid.UUID, str]:
    """What moves now, by item: a short text that changes whenever the card would."""
    state: dict[uuid.UUID, str] = defaultdict(str)
    grabs = Grab.objects.filter(item__user_id=user_id, completed_at=None, cancelled_at=None)
    for row in grabs.values_list(
        "item_id", "download__state", "download__bytes_done", "download__not_before"
    ).order_by("pk"):
        state[row[0]] += f"{row[1]}{row[2]}{row[3]};"
    checks = WatchlistItem.objects.filter(user_id=user_id, series__checks__status__in=OPEN)
    for pk, status in checks.values_list("pk", "series__checks__status"):
        state[pk] += status
    return dict(state)


_NEXT_TURN: Final = {State.FAILED: 1, State.QUEUED: 2, State.BLOCKED: 2, State.PAUSED: 3}


def _turn(download: OpenDownload) -> int:
    return 0 if download.is_running else _NEXT_TURN.get(download.state, 4)


def _add_downloads(user_id: int, entries: list[Entry], *, narrowed: bool) -> None:
    by_id = {entry.id: entry for entry in entries}
    grabs = _READ_DOWNLOADS.filter(item__user_id=user_id)
    if narrowed:
        grabs = grabs.filter(item__in=list(by_id))
    for item_id, season, number, state, *rest in grabs:
        if item_id in by_id:
            download = OpenDownload(season, number, State(state), *rest)
            by_id[item_id].downloads.append(download)


def _facts(entry: Entry, *, is_late: bool) -> SeriesFacts:
    states = {one.state for one in entry.downloads}
    return SeriesFacts(
        status=entry.status,
        error_code=entry.error_code,
        running=any(one.is_running for one in entry.downloads),
        given_up=State.FAILED in states,
        waiting=bool(states & WAITING),
        has_news=entry.has_news,
        is_late=is_late,
        has_episodes=entry.known > 0,
        is_behind=entry.is_behind,
        is_finished=entry.airing_status == AiringStatus.FINISHED,
    )


def _count(rows: QuerySet[Any], owner: str) -> Coalesce:
    grouped = rows.order_by().values(owner).annotate(number=Count("pk"))
    return Coalesce(Subquery(grouped.values("number")), 0)


# Making these queries costs as much as running them, so it is done once.
_READ: Final[QuerySet[WatchlistItem, Any]] = WatchlistItem.objects.values_list(
    "id",
    "series_id",
    "anime_title",
    "status",
    "last_episode_downloaded",
    "last_season_downloaded",
    "created_at",
    "series__provider_id",
    "series__airing_status",
    "series__episodes_known",
    "series__latest_episode",
    "series__latest_season",
    "series__has_seasons",
    "series__latest_episode_at",
    "series__last_error_code",
    Exists(_news()),
)
_READ_DOWNLOADS: Final[QuerySet[Grab, Any]] = (
    Grab.objects.filter(completed_at=None, cancelled_at=None)
    .exclude(download__state__in=[State.COMPLETED.value, State.CANCELLED.value])
    .values_list(
        "item_id",
        "episode__season",
        "episode__number",
        "download__state",
        "download__reason_code",
        "download__bytes_done",
        "download__bytes_total",
        "download__eta_seconds",
        "download__not_before",
    )
)
_READ_DETAILS: Final[QuerySet[WatchlistItem, Any]] = WatchlistItem.objects.annotate(
    start=F("last_episode_downloaded")
).values_list(
    "id",
    _number_below(),
    _number_fetched(),
    Subquery(_news().order_by("-created_at").values("facts")[:1], output_field=JSONField()),
    Subquery(_news().order_by("-created_at").values("created_at")[:1]),
    "poster_image",
    "series__poster_url",
    "lang",
    "status_changed_at",
    "auto_download",
    "series__last_checked_at",
    "series__next_check_at",
    Exists(Check.objects.filter(series=OuterRef("series"), status__in=OPEN)),
)
