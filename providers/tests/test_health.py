from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.health import LADDER_MINUTES, TOP_LEVEL, after_failure, after_success

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def _failed(level: int, *, wish: float | None = None, ratio: float = 0.5) -> tuple[int, float]:
    step = after_failure(level, NOW, retry_after_seconds=wish, random_ratio=lambda: ratio)
    return step.level, ((step.retry_at or NOW) - NOW).total_seconds()


def test_each_failure_waits_longer_up_to_an_hour() -> None:
    waits, level = [], 0
    for _ in range(8):
        level, seconds = _failed(level)
        waits.append(seconds / 60)
    assert waits == [0, 1, 5, 15, 30, 60, 60, 60]


@given(st.integers(0, TOP_LEVEL), st.floats(0, 1))
def test_the_wait_is_spread_by_half(level: int, ratio: float) -> None:
    reached, seconds = _failed(level, ratio=ratio)
    middle = LADDER_MINUTES[reached] * 60
    assert 0.5 * middle - 1 <= seconds <= 1.5 * middle + 1


@pytest.mark.parametrize(
    ("wish", "seconds"), [(10, 60), (600, 600), (21_600, 21_600), (999_999, 21_600)]
)
def test_the_sites_own_wish_counts_when_longer_up_to_six_hours(wish: float, seconds: float) -> None:
    assert _failed(1, wish=wish)[1] == seconds


def test_the_first_failure_waits_for_nothing_but_the_sites_own_wish() -> None:
    assert _failed(0)[1] == 0
    assert _failed(0, wish=10)[1] == 10


def test_success_steps_down_one_and_opens() -> None:
    assert after_success(4).level == 3
    assert after_success(0).level == 0
    assert after_success(4).retry_at is None


def test_a_day_of_outage_costs_few_probes() -> None:
    moment, level, probes = NOW, 0, 0
    while moment < NOW + timedelta(hours=24):
        probes += 1
        step = after_failure(level, moment, retry_after_seconds=None, random_ratio=lambda: 0.5)
        level, moment = step.level, step.retry_at or moment
    assert probes <= 40
