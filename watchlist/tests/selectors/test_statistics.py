from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from watchlist.models import Grab, WatchlistItem
from watchlist.selectors.statistics import Period, Statistics, statistics
from watchlist.tests.factories import (
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PARIS = ZoneInfo("Europe/Paris")


def done(
    item: WatchlistItem, at: datetime, *, waited: timedelta = timedelta(), **columns: Any
) -> Grab:
    episode = EpisodeFactory.create(series=item.series, first_seen_at=at - waited)
    download = DownloadFactory.create(
        completed=True, provider_id=item.series.provider_id, finished_at=at, **columns
    )
    return GrabFactory.create(
        item=item, episode=episode, download=download, completed_at=at, created_at=at - waited
    )


def failed(item: WatchlistItem, at: datetime) -> Grab:
    download = DownloadFactory.create(
        failed=True, provider_id=item.series.provider_id, finished_at=at
    )
    return GrabFactory.create(item=item, download=download)


def figures(user: User, period: Period = Period.WEEK) -> Statistics:
    return statistics(user, period=period, zone=PARIS, now=NOW)


def test_nothing_is_no_division_by_zero() -> None:
    found = figures(UserFactory.create())
    assert (found.done, found.failed, found.size_bytes) == (0, 0, 0)
    assert found.success_ratio is None
    assert found.change_ratio is None
    assert found.average_size_bytes is None
    assert found.speed_bps is None
    assert found.typical_wait is None


def test_the_success_rate_counts_what_came_to_an_end() -> None:
    item = WatchlistItemFactory.create()
    for _ in range(3):
        done(item, NOW)
    failed(item, NOW)
    GrabFactory.create(item=item)
    found = figures(item.user)
    assert (found.done, found.failed, found.success_ratio) == (3, 1, 0.75)


def test_volume_and_average() -> None:
    item = WatchlistItemFactory.create()
    done(item, NOW, final_size_bytes=100)
    done(item, NOW, final_size_bytes=300)
    found = figures(item.user)
    assert (found.size_bytes, found.average_size_bytes) == (400, 200)


def test_the_speed_is_that_of_the_transfers() -> None:
    item = WatchlistItemFactory.create()
    done(item, NOW, final_size_bytes=1000, started_at=NOW - timedelta(seconds=4))
    done(item, NOW, final_size_bytes=1000, started_at=NOW - timedelta(seconds=1))
    assert figures(item.user).speed_bps == 400


def test_the_typical_wait_is_the_median() -> None:
    item = WatchlistItemFactory.create()
    for minutes in (5, 11, 600):
        done(item, NOW, waited=timedelta(minutes=minutes))
    assert figures(item.user).typical_wait == timedelta(minutes=11)


def test_what_appeared_before_it_was_wanted_waits_from_the_wish_on() -> None:
    item = WatchlistItemFactory.create()
    grab = done(item, NOW, waited=timedelta(days=2))
    grab.created_at = NOW - timedelta(minutes=3)
    grab.save()
    assert figures(item.user).typical_wait == timedelta(minutes=3)


def test_there_is_a_bar_for_each_day_up_to_today() -> None:
    item = WatchlistItemFactory.create()
    done(item, NOW)
    failed(item, NOW - timedelta(days=6))
    bars = figures(item.user).bars
    assert [bar.day for bar in bars] == [date(2026, 11, day) for day in range(14, 21)]
    assert [(bar.done, bar.failed) for bar in bars] == [(0, 1), *[(0, 0)] * 5, (1, 0)]


def test_the_day_is_that_of_the_readers_time_zone() -> None:
    item = WatchlistItemFactory.create()
    done(item, datetime(2026, 11, 18, 23, 30, tzinfo=UTC))
    found = {bar.day: bar.done for bar in figures(item.user).bars}
    assert found[date(2026, 11, 19)] == 1


def test_a_year_is_shown_in_weeks() -> None:
    item = WatchlistItemFactory.create()
    done(item, NOW)
    done(item, NOW - timedelta(days=364))
    bars = figures(item.user, Period.YEAR).bars
    assert len(bars) == 53
    assert (bars[0].done, bars[-1].done) == (1, 1)


def test_the_period_before_is_compared_with() -> None:
    item = WatchlistItemFactory.create()
    for days in (0, 1, 2, 8, 9):
        done(item, NOW - timedelta(days=days))
    found = figures(item.user)
    assert (found.done, found.done_before, found.change_ratio) == (3, 2, 0.5)


def test_series_and_providers_are_ranked() -> None:
    user = UserFactory.create()
    one = WatchlistItemFactory.create(user=user, anime_title="One", series__provider_id="feed")
    two = WatchlistItemFactory.create(user=user, anime_title="Two", series__provider_id="animesama")
    done(one, NOW)
    for _ in range(2):
        done(two, NOW)
    failed(one, NOW)
    found = figures(user)
    assert [(row.name, row.done, row.failed) for row in found.series] == [
        ("Two", 2, 0),
        ("One", 1, 1),
    ]
    assert [(row.name, row.done) for row in found.providers] == [("animesama", 2), ("feed", 1)]


def test_what_others_downloaded_is_not_counted() -> None:
    item = WatchlistItemFactory.create()
    done(item, NOW)
    failed(item, NOW)
    found = figures(UserFactory.create(), Period.YEAR)
    assert (found.done, found.failed, found.series) == (0, 0, [])


def test_the_number_of_queries_does_not_grow(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    item = WatchlistItemFactory.create()
    for days in range(20):
        done(item, NOW - timedelta(days=days))
    with django_assert_max_num_queries(3):
        figures(item.user, Period.MONTH)
