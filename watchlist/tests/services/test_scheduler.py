"""The rows of the schedule, and whether anybody follows them."""

from __future__ import annotations

import pytest
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from watchlist.services import scheduler

pytestmark = pytest.mark.django_db


def test_a_second_row_of_the_same_interval_does_not_keep_the_schedule_from_being_installed() -> (
    None
):
    scheduler.install_schedule()
    first = PeriodicTask.objects.get(name=scheduler.HEARTBEAT_NAME).interval
    IntervalSchedule.objects.create(
        every=scheduler.HEARTBEAT_SECONDS, period=IntervalSchedule.SECONDS
    )
    scheduler.install_schedule()
    assert PeriodicTask.objects.get(name=scheduler.HEARTBEAT_NAME).interval == first
