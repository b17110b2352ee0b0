"""Many due times moved at once: each to a moment of its own, and none that nobody wants."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from providers import gateway
from watchlist.models import Series
from watchlist.services import due, rescheduling
from watchlist.services.preferences import change_settings
from watchlist.tasks import tick_repair
from watchlist.tests.factories import SeriesFactory

pytestmark = pytest.mark.django_db
SEVEN_HOURS = timedelta(hours=7)


def due_times() -> list[datetime]:
    rows = Series.objects.order_by("pk").values_list("next_check_at", flat=True)
    return [when for when in rows if when]


def test_a_shorter_interval_brings_waiting_series_forward() -> None:
    series = SeriesFactory.create(next_check_at=timezone.now() + timedelta(hours=100))
    change_settings(changes={"check_interval_hours": 2})
    series.refresh_from_db()
    assert series.next_check_at is not None
    assert series.next_check_at < timezone.now() + timedelta(hours=3)


def test_series_brought_forward_come_due_at_moments_spread_over_the_new_interval() -> None:
    now = timezone.now()
    SeriesFactory.create_batch(400, next_check_at=now + timedelta(hours=160))
    change_settings(changes={"check_interval_hours": 6})
    times = due_times()
    assert max(Counter(times).values()) <= rescheduling.TOGETHER
    assert max(times) <= timezone.now() + timedelta(hours=6)
    # That all forty moments lie in one half of it by chance is not to be expected in any life.
    assert min(times) < now + timedelta(hours=3) < max(times)


def test_what_is_due_soon_what_failed_and_what_nobody_wants_is_not_brought_forward() -> None:
    now = timezone.now()
    for hours, failures in [(2, 0), (13, 3)]:
        SeriesFactory.create(next_check_at=now + timedelta(hours=hours), failures=failures)
    SeriesFactory.create(next_check_at=None)
    before = due_times()
    change_settings(changes={"check_interval_hours": 6})
    assert due_times() == before
    assert Series.objects.filter(next_check_at=None).count() == 1


def test_no_series_waits_for_a_time_that_the_clock_had_before_it_was_set_back() -> None:
    now = timezone.now()
    SeriesFactory.create(next_check_at=now + timedelta(days=365), failures=2)
    tick_repair()
    (at,) = due_times()
    assert now <= at <= timezone.now() + timedelta(hours=6)


@pytest.mark.parametrize("hours", [1, 6, 168])
def test_the_longest_of_ordinary_waits_is_left_alone(hours: int) -> None:
    interval = timedelta(hours=hours)
    now = timezone.now()
    longest_wish = 6 * 3600.0
    for at in [
        *(due.next_regular(now, interval) for _ in range(20)),
        *(due.next_after_failure(now, interval, n, longest_wish) for n in range(1, 20)),
        now + interval * 1.3,  # with a provider that is off
    ]:
        SeriesFactory.create(next_check_at=at)
    before = due_times()
    rescheduling.pull_back(interval)
    assert due_times() == before


def put_off(provider_id: str, **columns: object) -> Series:
    """A series whose check was put off because its provider was switched off."""
    columns = {"next_check_at": timezone.now() + SEVEN_HOURS} | columns
    series: Series = SeriesFactory.create(
        provider_id=provider_id,
        last_error_code="provider_disabled",
        last_error_text="This provider is switched off.",
        **columns,
    )
    return series


def test_series_of_a_provider_that_is_on_again_are_checked_soon_and_no_longer_say_it_is_off() -> (
    None
):
    series = put_off("feed")
    tick_repair()
    series.refresh_from_db()
    assert series.next_check_at is not None
    assert series.next_check_at <= timezone.now() + rescheduling.BACK_WITHIN
    assert (series.last_error_code, series.last_error_text) == ("", "")


def test_series_of_a_provider_that_is_still_off_go_on_waiting() -> None:
    gateway.set_enabled("feed", False)
    series = put_off("feed")
    tick_repair()
    assert Series.objects.get(last_error_code="provider_disabled").next_check_at == (
        series.next_check_at
    )


@pytest.mark.parametrize(("provider_id", "at"), [("feed", None), ("unheard-of", SEVEN_HOURS)])
def test_what_nobody_wants_or_nobody_can_ask_is_not_brought_back(
    provider_id: str, at: timedelta | None
) -> None:
    series = put_off(provider_id, next_check_at=at and timezone.now() + at)
    tick_repair()
    assert Series.objects.get().next_check_at == series.next_check_at


def test_the_tick_that_finds_no_provider_on_again_writes_nothing() -> None:
    gateway.set_enabled("feed", False)
    put_off("feed")
    with CaptureQueriesContext(connection) as asked:
        rescheduling.bring_back(timedelta(hours=6))
    assert not [one for one in asked if not one["sql"].startswith("SELECT")]
