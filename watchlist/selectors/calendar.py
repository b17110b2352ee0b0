"""What appeared on which day, and what is expected by each series' own rhythm; one user's view."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from providers.types import AiringStatus
from watchlist.models import Episode, Grab, ItemStatus, WatchlistItem
from watchlist.selectors.arrivals import APPEARED_AT, arrivals_of
from watchlist.services.rhythm import Guess, guess_next


@dataclass(frozen=True, slots=True)
class Followed:
    """A series on the user's list."""

    item_id: uuid.UUID
    series_id: uuid.UUID
    title: str
    lang: str
    poster_source: str  # the address it comes from; never shown to a browser
    is_expecting: bool  # active, and not finished as far as is known


@dataclass(frozen=True, slots=True)
class Arrival:
    """Episodes of one series that appeared on one day."""

    followed: Followed
    day: date
    at: datetime  # when the first of them appeared, in the reader's time zone
    numbers: tuple[Decimal, ...]  # rising, never empty
    in_library: int  # how many of them this user has
    first_id: uuid.UUID  # of the episode that came first
    changed_at: datetime  # when the last of them appeared or came into the library

    @property
    def is_complete(self) -> bool:
        """Whether all of them are in the library."""
        return self.in_library == len(self.numbers)


@dataclass(frozen=True, slots=True)
class Expected:
    """An episode to come by the series' own rhythm: a guess, and only its day means something."""

    followed: Followed
    day: date
    gap_days: int
    is_late: bool  # the day has passed
    known_at: datetime  # the arrival from which it is reckoned


@dataclass(slots=True)
class Day:
    """One day of the calendar."""

    day: date
    arrivals: list[Arrival] = field(default_factory=list)
    expected: list[Expected] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether nothing happens on it."""
        return not (self.arrivals or self.expected)


def calendar(
    user: User, *, first: date, last: date, zone: tzinfo, now: datetime, lang: str = ""
) -> list[Day]:
    """Every day from `first` to `last`, both included, with what happens on it.

    A late episode stands on today, because that is when it may still come.
    """
    followed = _followed(user, lang)
    days = {day: Day(day) for day in _days(first, last)}
    for arrival in _arrivals(user, followed, first, last, zone):
        days[arrival.day].arrivals.append(arrival)
    today = now.astimezone(zone).date()
    for expected in _expected(followed, first, last, zone, now):
        shown_on = max(expected.day, today)
        if shown_on in days:
            days[shown_on].expected.append(expected)
    for day in days.values():
        day.arrivals.sort(key=lambda arrival: (arrival.at, arrival.followed.title))
        day.expected.sort(key=lambda expected: (not expected.is_late, expected.followed.title))
    return list(days.values())


def languages_of(user: User) -> list[str]:
    """The languages that occur on the user's list, for the filter."""
    rows = WatchlistItem.objects.filter(user_id=user.pk).exclude(status=ItemStatus.ARCHIVED)
    return sorted(rows.order_by().values_list("lang", flat=True).distinct())


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=step) for step in range((last - first).days + 1))


def _followed(user: User, lang: str) -> dict[uuid.UUID, Followed]:
    columns = _READ.filter(user_id=user.pk)
    if lang:
        columns = columns.filter(lang=lang)
    return {
        series_id: Followed(
            item_id=item_id,
            series_id=series_id,
            title=title,
            lang=item_lang,
            poster_source=own_poster or poster,
            is_expecting=status == ItemStatus.ACTIVE and airing != AiringStatus.FINISHED,
        )
        for item_id, series_id, title, item_lang, status, own_poster, poster, airing in columns
    }


def _arrivals(
    user: User, followed: dict[uuid.UUID, Followed], first: date, last: date, zone: tzinfo
) -> list[Arrival]:
    start = datetime.combine(first, time.min, zone)
    end = datetime.combine(last + timedelta(days=1), time.min, zone)
    rows = _APPEARED.filter(
        series__items__user_id=user.pk, appeared_at__gte=start, appeared_at__lt=end
    )
    # The reader may have filtered by language.
    found = [row for row in rows if row[1] in followed]
    had = _in_library(user, [row[0] for row in found])
    grouped: dict[tuple[uuid.UUID, date], list[Any]] = defaultdict(list)
    for row in found:
        grouped[row[1], row[3].astimezone(zone).date()].append(row)
    return [
        _arrival(followed[series_id], day, group, had, zone)
        for (series_id, day), group in grouped.items()
    ]


def _arrival(
    followed: Followed, day: date, group: list[Any], had: dict[uuid.UUID, datetime], zone: tzinfo
) -> Arrival:
    """The rows of one series and day: id, series, number and moment."""
    first = min(group, key=lambda row: (row[3], row[2]))
    moments = [row[3] for row in group] + [had[row[0]] for row in group if row[0] in had]
    return Arrival(
        followed=followed,
        day=day,
        at=first[3].astimezone(zone),
        numbers=tuple(sorted({row[2] for row in group})),
        in_library=len({row[2] for row in group if row[0] in had}),
        first_id=first[0],
        changed_at=max(moments),
    )


def _expected(
    followed: dict[uuid.UUID, Followed], first: date, last: date, zone: tzinfo, now: datetime
) -> list[Expected]:
    """Every day from `first` to `last` on which a rhythm lets one expect an episode; the late."""
    expecting = {key: one for key, one in followed.items() if one.is_expecting}
    today = now.astimezone(zone).date()
    found = []
    for series_id, arrivals in arrivals_of(list(expecting), now).items():
        guess = guess_next(arrivals, now)
        if guess is None:
            continue
        gap_days = max(1, round(guess.gap / timedelta(days=1)))
        # Of days that have passed only the latest matters: that is the one that is late.
        since = today - timedelta(days=gap_days)
        known_at = guess.at - guess.gap
        found += [
            Expected(expecting[series_id], day, gap_days, day < today, known_at)
            for day in _days_of(guess, last, zone)
            if day > since and (day >= first or day < today)
        ]
    return found


def _days_of(guess: Guess, last: date, zone: tzinfo) -> Iterable[date]:
    at = guess.at
    while (day := at.astimezone(zone).date()) <= last:
        yield day
        at += guess.gap


def _in_library(user: User, episode_ids: list[uuid.UUID]) -> dict[uuid.UUID, datetime]:
    """Those of the episodes that the user has, and since when."""
    if not episode_ids:
        return {}
    grabs = Grab.objects.filter(item__user_id=user.pk, episode__in=episode_ids)
    columns = grabs.values_list("episode_id", "completed_at")
    return {episode_id: at for episode_id, at in columns if at is not None}


# Making these queries costs as much as running them, so it is done once.
_APPEARED: Final[QuerySet[Any, Any]] = (
    Episode.objects.order_by()
    .annotate(appeared_at=APPEARED_AT)
    .values_list("pk", "series_id", "number", "appeared_at")
)
_READ: Final[QuerySet[WatchlistItem, Any]] = WatchlistItem.objects.exclude(
    status=ItemStatus.ARCHIVED
).values_list(
    "pk",
    "series_id",
    "anime_title",
    "lang",
    "status",
    "poster_image",
    "series__poster_url",
    "series__airing_status",
)
