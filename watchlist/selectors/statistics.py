"""What came of a user's wishes in a period: figures by day, series and provider; own ones only."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from enum import IntEnum
from statistics import median
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.db.models import QuerySet

from downloads.states import State
from watchlist.models import Grab

RANKED: Final = 10


class Period(IntEnum):
    """How many days back the figures look."""

    WEEK = 7
    MONTH = 30
    YEAR = 365

    @property
    def step_days(self) -> int:
        """How many days one bar of the chart stands for."""
        return 7 if self is Period.YEAR else 1


@dataclass(frozen=True, slots=True)
class Bar:
    """One day, or one week that begins on `day`."""

    day: date
    done: int
    failed: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """How much a series or a provider brought."""

    name: str
    item_id: uuid.UUID | None  # None for a provider
    done: int
    failed: int
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """The figures of one period and what they are compared with."""

    done: int
    done_before: int  # in the period of the same length before it
    failed: int
    size_bytes: int
    speed_bps: float | None  # over all transfers; None when nothing was transferred
    typical_wait: timedelta | None  # from appearing to on disk, the median
    bars: list[Bar]
    series: list[Ranked]
    providers: list[Ranked]

    @property
    def success_ratio(self) -> float | None:
        """From 0 to 1; None when nothing ended."""
        ended = self.done + self.failed
        return self.done / ended if ended else None

    @property
    def change_ratio(self) -> float | None:
        """How much more than before; None when there is nothing to compare with."""
        return (self.done - self.done_before) / self.done_before if self.done_before else None

    @property
    def average_size_bytes(self) -> float | None:
        """The size of one episode; None when there is none."""
        return self.size_bytes / self.done if self.done else None


class _Ending(NamedTuple):
    """A wish that came to an end; the columns of `_READ`, in this order."""

    item_id: uuid.UUID
    title: str
    provider_id: str
    state: str
    completed_at: datetime | None
    finished_at: datetime | None
    started_at: datetime | None
    size_bytes: int | None
    first_seen_at: datetime
    wanted_at: datetime

    @property
    def is_done(self) -> bool:
        return self.completed_at is not None

    @property
    def ended_at(self) -> datetime:
        return self.completed_at or self.finished_at or self.wanted_at


# Making the query costs as much as running it, so it is made once.
_READ: Final[QuerySet[Grab, Any]] = Grab.objects.values_list(
    "item_id",
    "item__anime_title",
    "download__provider_id",
    "download__state",
    "completed_at",
    "download__finished_at",
    "download__started_at",
    "download__final_size_bytes",
    "episode__first_seen_at",
    "created_at",
)


def statistics(user: User, *, period: Period, zone: tzinfo, now: datetime) -> Statistics:
    """The figures of the days up to and including today, in the reader's time zone."""
    today = now.astimezone(zone).date()
    first = today - timedelta(days=period - 1)
    start = datetime.combine(first, time.min, zone)
    before = datetime.combine(first - timedelta(days=period.value), time.min, zone)
    endings = _endings(user, start)
    done = [ending for ending in endings if ending.is_done]
    return Statistics(
        done=len(done),
        done_before=_own(user).filter(completed_at__gte=before, completed_at__lt=start).count(),
        failed=len(endings) - len(done),
        size_bytes=_size(done),
        speed_bps=_speed(done),
        typical_wait=_typical_wait(done),
        bars=_bars(endings, first, period, zone),
        series=_ranked(endings, lambda ending: (ending.title, ending.item_id)),
        providers=_ranked(endings, lambda ending: (ending.provider_id, None)),
    )


def _own(user: User) -> QuerySet[Grab, Any]:
    return _READ.filter(item__user_id=user.pk)


def _endings(user: User, start: datetime) -> list[_Ending]:
    done = _own(user).filter(completed_at__gte=start)
    failed = _own(user).filter(
        completed_at=None,
        cancelled_at=None,
        download__state=State.FAILED,
        download__finished_at__gte=start,
    )
    return [_Ending._make(row) for row in (*done, *failed)]


def _size(endings: Iterable[_Ending]) -> int:
    return sum(ending.size_bytes or 0 for ending in endings if ending.is_done)


def _speed(done: list[_Ending]) -> float | None:
    """Bytes a second while something was transferred."""
    size = seconds = 0.0
    for ending in done:
        if ending.size_bytes and ending.started_at and ending.finished_at:
            size += ending.size_bytes
            seconds += max((ending.finished_at - ending.started_at).total_seconds(), 0)
    return size / seconds if seconds else None


def _typical_wait(done: list[_Ending]) -> timedelta | None:
    """The median; for what had appeared long before it was wanted, from the wish on."""
    waits = [
        (ending.completed_at - max(ending.first_seen_at, ending.wanted_at)).total_seconds()
        for ending in done
        if ending.completed_at is not None
    ]
    return timedelta(seconds=max(median(waits), 0)) if waits else None


def _bars(endings: list[_Ending], first: date, period: Period, zone: tzinfo) -> list[Bar]:
    step = period.step_days
    done: Counter[int] = Counter()
    failed: Counter[int] = Counter()
    sizes: Counter[int] = Counter()
    for ending in endings:
        place = (ending.ended_at.astimezone(zone).date() - first).days // step
        (done if ending.is_done else failed)[place] += 1
        sizes[place] += (ending.size_bytes or 0) if ending.is_done else 0
    return [
        Bar(first + timedelta(days=place * step), done[place], failed[place], sizes[place])
        for place in range(-(-period // step))
    ]


def _ranked(
    endings: list[_Ending], key: Callable[[_Ending], tuple[str, uuid.UUID | None]]
) -> list[Ranked]:
    groups: dict[tuple[str, uuid.UUID | None], list[_Ending]] = defaultdict(list)
    for ending in endings:
        groups[key(ending)].append(ending)
    rows = [
        Ranked(
            name=name,
            item_id=item_id,
            done=sum(ending.is_done for ending in group),
            failed=sum(not ending.is_done for ending in group),
            size_bytes=_size(group),
        )
        for (name, item_id), group in groups.items()
    ]
    return sorted(rows, key=lambda row: (-row.done, -row.failed, row.name))[:RANKED]
