"""When series are checked: only what is due, once, spread, gently after failures."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from providers import gateway
from watchlist.models import Check, CheckStatus, CheckTrigger, ItemStatus, Series
from watchlist.services import due, items, users, workers
from watchlist.services.preferences import change_settings
from watchlist.tests.factories import (
    AdministratorFactory,
    SeriesFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db
SIX_HOURS = timedelta(hours=6)


def due_series(count: int = 1, **values: object) -> list[Series]:
    past = timezone.now() - timedelta(minutes=1)
    return SeriesFactory.create_batch(count, provider_id="feed", next_check_at=past, **values)


def test_a_series_followed_by_many_is_checked_once() -> None:
    (series,) = due_series()
    for _ in range(5):
        WatchlistItemFactory.create(series=series, user=UserFactory.create())
    assert due.queue_due_checks(interval=SIX_HOURS) == 1
    assert Check.objects.filter(series=series).count() == 1


def test_what_is_not_due_is_left_alone() -> None:
    SeriesFactory.create(next_check_at=timezone.now() + timedelta(minutes=1))
    SeriesFactory.create(next_check_at=None)
    assert due.queue_due_checks(interval=SIX_HOURS) == 0


def test_a_second_tick_finds_nothing_more() -> None:
    due_series(30)
    assert due.queue_due_checks(interval=SIX_HOURS) == 30
    assert due.queue_due_checks(interval=SIX_HOURS) == 0


def test_series_of_a_provider_that_is_off_wait_and_say_so() -> None:
    (series,) = due_series()
    gateway.set_enabled("feed", False)
    assert due.queue_due_checks(interval=SIX_HOURS) == 0
    series.refresh_from_db()
    assert series.last_error_code == "provider_disabled"
    assert series.next_check_at is not None
    assert series.next_check_at > timezone.now() + timedelta(hours=5)


def test_a_manual_check_joins_the_one_that_is_open() -> None:
    (series,) = due_series()
    due.queue_due_checks(interval=SIX_HOURS)
    scheduled = Check.objects.get()
    joined = due.request_check(series, trigger=CheckTrigger.MANUAL)
    assert joined.pk == scheduled.pk
    assert joined.is_urgent


def test_a_scheduled_check_joins_a_manual_one() -> None:
    (series,) = due_series()
    manual = due.request_check(series, trigger=CheckTrigger.MANUAL)
    due.queue_due_checks(interval=SIX_HOURS)
    assert [check.pk for check in Check.objects.all()] == [manual.pk]


def test_many_series_are_asked_for_at_once_with_one_check_each() -> None:
    rows = due_series(30)
    ids = [series.pk for series in rows]
    first = due.request_checks(ids)
    again = due.request_checks(ids)
    assert len(first) == 30
    assert {check.pk for check in first} == {check.pk for check in again}


def test_a_dead_workers_check_is_queued_again() -> None:
    (series,) = due_series()
    check = Check.objects.create(
        series=series,
        trigger=CheckTrigger.SCHEDULED,
        status=CheckStatus.RUNNING,
        owner="dead",
        created_at=timezone.now() - timedelta(minutes=10),
        lease_expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert due.requeue_lost_checks() == 1
    check.refresh_from_db()
    assert (check.status, check.owner) == (CheckStatus.QUEUED, "")


def leased(owner: str) -> Check:
    (series,) = due_series()
    return Check.objects.create(
        series=series,
        trigger=CheckTrigger.SCHEDULED,
        status=CheckStatus.RUNNING,
        owner=owner,
        lease_expires_at=timezone.now() + timedelta(minutes=1),
    )


@pytest.mark.parametrize(
    "owner", ["", "some name", "another-host:1:x", "a container", "this process"]
)
def test_a_running_check_within_its_lease_is_left_alone(owner: str) -> None:
    # A container on this host whose processes have numbers of their own.
    named = {
        "this process": workers.new_owner(),
        "a container": f"{socket.gethostname()}/1234abcd-1:999999:x",
    }
    check = leased(named.get(owner, owner))
    due.requeue_lost_checks()
    check.refresh_from_db()
    assert check.status == CheckStatus.RUNNING


def test_a_check_of_a_process_that_was_killed_is_taken_back_before_its_lease_ends() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        check = leased(workers.new_owner().replace(f":{os.getpid()}:", f":{process.pid}:"))
        due.requeue_lost_checks()
        check.refresh_from_db()
        assert check.status == CheckStatus.RUNNING
        process.kill()
    due.requeue_lost_checks()
    check.refresh_from_db()
    assert (check.status, check.owner) == (CheckStatus.QUEUED, "")


def test_a_check_is_not_held_for_long_after_the_clock_was_set_back() -> None:
    with time_machine.travel(timezone.now() + timedelta(days=365)):
        check = leased("another-host:1:x")
    # Whoever holds it may be about to answer.
    assert due.requeue_lost_checks() == 0
    with time_machine.travel(timezone.now() + timedelta(minutes=5)):
        assert due.requeue_lost_checks() == 1
    check.refresh_from_db()
    assert check.status == CheckStatus.QUEUED


@pytest.mark.parametrize(
    ("provider_asked", "age_seconds", "woken"),
    [(None, 1, 0), (None, 6, 1), ("animesama", 6, 1), ("feed", 6, 0), ("feed", 61, 1)],
)
def test_a_check_whose_message_was_lost_is_woken_soon_unless_it_may_stand_in_line(
    provider_asked: str | None, age_seconds: int, woken: int
) -> None:
    now = timezone.now()
    if provider_asked:
        Check.objects.create(
            series=SeriesFactory.create(provider_id=provider_asked),
            trigger=CheckTrigger.SCHEDULED,
            status=CheckStatus.RUNNING,
            lease_expires_at=now + timedelta(minutes=1),
        )
    check = due.request_check(due_series()[0], trigger=CheckTrigger.MANUAL)
    Check.objects.filter(pk=check.pk).update(created_at=now - timedelta(seconds=age_seconds))
    assert due.requeue_lost_checks() == woken


def test_a_check_whose_message_was_lost_is_woken_however_many_wait_for_another_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(due, "WOKEN_AT_ONCE", 3)
    now = timezone.now()
    many = SeriesFactory.create_batch(5, provider_id="animeultime")
    for series, minutes in [*((one, 5) for one in many), (due_series()[0], 4)]:
        Check.objects.create(
            series=series,
            trigger=CheckTrigger.SCHEDULED,
            created_at=now - timedelta(minutes=minutes),
        )
    assert due.requeue_lost_checks() == 3 + 1


def test_regular_checks_are_spread_by_a_tenth() -> None:
    now = timezone.now()
    times = [due.next_regular(now, SIX_HOURS) - now for _ in range(200)]
    assert min(times) >= SIX_HOURS * 0.9
    assert max(times) <= SIX_HOURS * 1.1
    assert len(set(times)) == 200


def test_failures_in_a_row_wait_longer_and_longer_but_never_beyond_two_intervals() -> None:
    now = timezone.now()
    waits = [due.next_after_failure(now, SIX_HOURS, n, None) - now for n in (1, 3, 5, 50)]
    assert waits == sorted(waits)
    assert waits[0] <= timedelta(minutes=6)
    assert waits[-1] <= SIX_HOURS * 2 * 1.2


def test_pausing_the_last_follower_takes_the_series_off_the_schedule() -> None:
    (series,) = due_series()
    first, second = (
        WatchlistItemFactory.create(series=series, user=UserFactory.create()) for _ in range(2)
    )
    items.set_status(item=first, status=ItemStatus.PAUSED)
    series.refresh_from_db()
    assert series.next_check_at is not None
    items.set_status(item=second, status=ItemStatus.PAUSED)
    series.refresh_from_db()
    assert series.next_check_at is None


def test_resuming_puts_it_back_and_makes_it_due_at_once() -> None:
    series = SeriesFactory.create(next_check_at=None)
    item = WatchlistItemFactory.create(series=series, status=ItemStatus.PAUSED)
    items.set_status(item=item, status=ItemStatus.ACTIVE)
    series.refresh_from_db()
    assert series.next_check_at is not None
    assert series.next_check_at <= timezone.now()


def test_completed_series_are_checked_only_when_they_are_included() -> None:
    series = SeriesFactory.create(next_check_at=None)
    WatchlistItemFactory.create(series=series, status=ItemStatus.COMPLETED)
    change_settings(changes={"include_completed_anime": True})
    series.refresh_from_db()
    assert series.next_check_at is not None
    change_settings(changes={"include_completed_anime": False})
    series.refresh_from_db()
    assert series.next_check_at is None


def test_series_of_somebody_who_was_deactivated_are_no_longer_checked() -> None:
    (series,) = due_series()
    item = WatchlistItemFactory.create(series=series)
    administrator = AdministratorFactory.create()
    users.set_active(user=item.user, is_active=False, by=administrator)
    series.refresh_from_db()
    assert series.next_check_at is None
    users.set_active(user=item.user, is_active=True, by=administrator)
    series.refresh_from_db()
    assert series.next_check_at is not None
