"""Beat goes on sending when the clock is set back, while it runs and while it does not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from celery.beat import Service
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from watchlist.services import scheduler
from watchlist.services.scheduler import CHECK_NAME, HEARTBEAT_NAME
from watchlist_project.celery import app

# Beat closes its connection now and then, and a transaction of the test with it.
pytestmark = pytest.mark.django_db(transaction=True)
A_DAY = timedelta(days=1)
OURS = {tick.name for tick in scheduler.TICKS}

# What beat sends at this moment.
Turn = Callable[[], set[str]]


@pytest.fixture
def turn() -> Turn:
    """A beat that began to run at the first turn, with everything due."""
    scheduler.install_schedule()
    PeriodicTask.objects.update(last_run_at=timezone.now() - 2 * A_DAY)
    begun: list[Any] = []
    sent: set[str] = set()

    def turn() -> set[str]:
        if not begun:
            begun.append(Service(app, scheduler_cls=app.conf.beat_scheduler).get_scheduler())
            begun[0].apply_async = lambda entry, **_: sent.add(entry.name)
        sent.clear()
        for _ in range(2 * len(OURS)):  # it sends one at a call
            begun[0].tick()
        begun[0].sync()
        return sent & OURS

    return turn


def test_a_beat_that_starts_sends_what_ran_in_the_future_by_a_wrong_clock(turn: Turn) -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now() + A_DAY)
    assert turn() == OURS
    assert scheduler.is_beat_alive()
    assert turn() == set()


def test_a_clock_set_back_under_a_running_beat_stops_nothing(turn: Turn) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        turn()
        clock.move_to(start - A_DAY)
        assert turn() == OURS
        assert scheduler.is_beat_alive()
        clock.shift(scheduler.HEARTBEAT_SECONDS + 1)
        assert turn() == {HEARTBEAT_NAME}


def test_a_change_of_the_schedule_after_the_clock_was_set_back_is_seen_at_once(turn: Turn) -> None:
    start = timezone.now()
    with time_machine.travel(start, tick=False) as clock:
        turn()
        clock.move_to(start - A_DAY)
        turn()
        clock.shift(100)
        scheduler.set_running(running=False, by="sam")
        clock.shift(1)
        sent = turn()
        assert HEARTBEAT_NAME in sent
        assert CHECK_NAME not in sent


def test_a_last_run_in_the_future_is_no_sign_of_life() -> None:
    scheduler.install_schedule()
    PeriodicTask.objects.update(last_run_at=timezone.now() + A_DAY)
    assert not scheduler.is_beat_alive()
