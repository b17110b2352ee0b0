from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from django.contrib.auth.models import User
from pytest_django import DjangoAssertNumQueries

from providers.types import AiringStatus
from watchlist.models import ItemStatus, WatchlistItem
from watchlist.selectors.calendar import Day, calendar, languages_of
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


def weekly(item: WatchlistItem, *, count: int, last: datetime) -> None:
    for step in range(count):
        EpisodeFactory.create(
            series=item.series,
            number=Decimal(count - step),
            first_seen_at=last - timedelta(days=7 * step),
        )


def days(user: User, first: date, last: date, lang: str = "") -> dict[date, Day]:
    found = calendar(user, first=first, last=last, zone=PARIS, now=NOW, lang=lang)
    return {day.day: day for day in found}


def test_every_day_of_the_range_is_there() -> None:
    found = days(UserFactory.create(), date(2026, 11, 1), date(2026, 11, 30))
    assert list(found) == [date(2026, 11, day) for day in range(1, 31)]
    assert all(day.is_empty for day in found.values())


def test_episodes_of_one_day_and_series_stand_together() -> None:
    item = WatchlistItemFactory.create()
    for number in (3, 1, 2):
        EpisodeFactory.create(series=item.series, number=Decimal(number), first_seen_at=NOW)
    (arrival,) = days(item.user, NOW.date(), NOW.date())[NOW.date()].arrivals
    assert arrival.numbers == (Decimal(1), Decimal(2), Decimal(3))
    assert arrival.followed.title == item.anime_title


def test_the_day_is_that_of_the_readers_time_zone() -> None:
    item = WatchlistItemFactory.create()
    late_evening = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
    EpisodeFactory.create(series=item.series, first_seen_at=late_evening)
    found = days(item.user, date(2026, 11, 10), date(2026, 11, 11))
    assert found[date(2026, 11, 10)].is_empty
    assert len(found[date(2026, 11, 11)].arrivals) == 1


def test_the_sites_own_date_counts_before_ours() -> None:
    item = WatchlistItemFactory.create()
    EpisodeFactory.create(
        series=item.series, first_seen_at=NOW, published_at=NOW - timedelta(days=2)
    )
    found = days(item.user, date(2026, 11, 18), date(2026, 11, 20))
    assert len(found[date(2026, 11, 18)].arrivals) == 1
    assert found[date(2026, 11, 20)].is_empty


def test_what_is_in_the_library_is_counted() -> None:
    item = WatchlistItemFactory.create()
    had, other = (EpisodeFactory.create(series=item.series, first_seen_at=NOW) for _ in range(2))
    GrabFactory.create(item=item, episode=had, download=DownloadFactory.create(completed=True))
    GrabFactory.create(item=item, episode=other, download=DownloadFactory.create())
    (arrival,) = days(item.user, NOW.date(), NOW.date())[NOW.date()].arrivals
    assert arrival.in_library == 1
    assert not arrival.is_complete


def test_a_weekly_series_is_expected_on_its_next_day() -> None:
    item = WatchlistItemFactory.create()
    weekly(item, count=4, last=NOW - timedelta(days=3))
    found = days(item.user, date(2026, 11, 20), date(2026, 11, 30))
    (expected,) = found[date(2026, 11, 24)].expected
    assert (expected.gap_days, expected.is_late) == (7, False)


def test_a_late_episode_stands_on_today() -> None:
    item = WatchlistItemFactory.create()
    weekly(item, count=4, last=NOW - timedelta(days=9))
    found = days(item.user, date(2026, 11, 15), date(2026, 11, 25))
    (expected,) = found[NOW.date()].expected
    assert expected.is_late
    assert expected.day == date(2026, 11, 18)


def test_every_day_that_the_rhythm_names_is_expected() -> None:
    item = WatchlistItemFactory.create()
    weekly(item, count=4, last=NOW - timedelta(days=3))
    found = days(item.user, date(2026, 11, 1), date(2026, 12, 31))
    expected = [day.day for day in found.values() if day.expected]
    assert expected == [date(2026, 11, 24) + timedelta(days=7 * week) for week in range(6)]


@pytest.mark.parametrize("status", [ItemStatus.PAUSED, ItemStatus.COMPLETED, ItemStatus.ARCHIVED])
def test_only_active_items_expect_something(status: ItemStatus) -> None:
    item = WatchlistItemFactory.create(status=status)
    weekly(item, count=4, last=NOW - timedelta(days=3))
    found = days(item.user, date(2026, 11, 20), date(2026, 11, 30))
    assert not any(day.expected for day in found.values())


def test_a_finished_series_expects_nothing() -> None:
    item = WatchlistItemFactory.create(series__airing_status=AiringStatus.FINISHED)
    weekly(item, count=4, last=NOW - timedelta(days=3))
    found = days(item.user, date(2026, 11, 20), date(2026, 11, 30))
    assert not any(day.expected for day in found.values())


def test_the_language_filter_leaves_the_others_out() -> None:
    user = UserFactory.create()
    subbed = WatchlistItemFactory.create(user=user, series__lang="vostfr")
    dubbed = WatchlistItemFactory.create(user=user, series__lang="vf")
    for item in (subbed, dubbed):
        EpisodeFactory.create(series=item.series, first_seen_at=NOW)
    (arrival,) = days(user, NOW.date(), NOW.date(), lang="vf")[NOW.date()].arrivals
    assert arrival.followed.item_id == dubbed.pk
    assert languages_of(user) == ["vf", "vostfr"]


def test_what_others_follow_is_not_shown() -> None:
    item = WatchlistItemFactory.create()
    EpisodeFactory.create(series=item.series, first_seen_at=NOW)
    assert days(UserFactory.create(), NOW.date(), NOW.date())[NOW.date()].is_empty


def test_the_number_of_queries_does_not_grow(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    user = UserFactory.create()
    for _ in range(5):
        weekly(WatchlistItemFactory.create(user=user), count=4, last=NOW - timedelta(days=3))
    with django_assert_max_num_queries(4):
        days(user, date(2026, 10, 26), date(2026, 12, 6))
