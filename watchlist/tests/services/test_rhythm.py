from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from watchlist.services.rhythm import guess_next

WEEK = timedelta(days=7)
START = datetime(2026, 10, 2, 17, 0, tzinfo=UTC)


def weekly(count: int) -> list[datetime]:
    return [START + WEEK * step for step in range(count)]


def test_a_weekly_series_is_expected_a_week_after_the_last_episode() -> None:
    guess = guess_next(weekly(4), START + WEEK * 3 + timedelta(days=1))
    assert guess is not None
    assert guess.at == START + WEEK * 4
    assert guess.gap == WEEK


def test_the_order_of_the_arrivals_does_not_matter() -> None:
    now = START + WEEK * 4
    assert guess_next(reversed(weekly(4)), now) == guess_next(weekly(4), now)


def test_a_check_that_comes_half_a_day_late_does_not_break_the_rhythm() -> None:
    late = [moment + timedelta(hours=10 * (step % 2)) for step, moment in enumerate(weekly(6))]
    guess = guess_next(late, START + WEEK * 6)
    assert guess is not None
    assert abs(guess.gap - WEEK) <= timedelta(hours=10)


def test_one_missed_week_does_not_break_the_rhythm() -> None:
    moments = weekly(7)
    del moments[3]
    guess = guess_next(moments, START + WEEK * 7)
    assert guess is not None
    assert guess.gap == WEEK


def test_a_season_put_online_in_one_go_says_nothing() -> None:
    moments = [START + timedelta(minutes=step) for step in range(24)]
    assert guess_next(moments, START + timedelta(days=1)) is None


def test_a_back_catalogue_counts_as_one_arrival() -> None:
    catalogue = [START + timedelta(seconds=step) for step in range(12)]
    guess = guess_next(catalogue + weekly(4)[1:], START + WEEK * 4)
    assert guess is not None
    assert guess.gap == WEEK


def test_two_arrivals_are_no_rhythm() -> None:
    assert guess_next(weekly(2), START + WEEK * 2) is None


def test_irregular_arrivals_are_no_rhythm() -> None:
    days = (0, 3, 20, 24, 60, 62)
    moments = [START + timedelta(days=day) for day in days]
    assert guess_next(moments, START + timedelta(days=63)) is None


@pytest.mark.parametrize("gap", [timedelta(minutes=1), timedelta(days=90)])
def test_gaps_that_no_calendar_shows_are_no_rhythm(gap: timedelta) -> None:
    moments = [START + gap * step for step in range(6)]
    assert guess_next(moments, moments[-1]) is None


def test_a_late_episode_is_still_expected_for_two_gaps() -> None:
    moments = weekly(4)
    assert guess_next(moments, moments[-1] + WEEK * 2) is not None
    assert guess_next(moments, moments[-1] + WEEK * 3 + timedelta(hours=1)) is None


def test_only_the_last_arrivals_count() -> None:
    old = [START - timedelta(days=3) * step for step in range(1, 20)]
    guess = guess_next(old + weekly(9), START + WEEK * 9)
    assert guess is not None
    assert guess.gap == WEEK


def test_no_arrival_is_no_rhythm() -> None:
    assert guess_next([], START) is None
