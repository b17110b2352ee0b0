"""The schedule: its rows belong to django-celery-beat, so that the admin pages show the truth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask, PeriodicTasks

from watchlist.models import Preferences, Series
from watchlist.services import rescheduling

CHECK_NAME: Final = "Tsuzuku: check series that are due"
HEARTBEAT_NAME: Final = "Tsuzuku: keep the queue moving"
HEARTBEAT_SECONDS: Final = 10
DEFAULT_INTERVAL_HOURS: Final = 6
INTERVAL_RANGE_HOURS: Final = (1, 168)
# Beat writes the last run of each row when it sends; three missed ticks mean that it is gone.
BEAT_SILENCE: Final = timedelta(seconds=45)


@dataclass(frozen=True, slots=True)
class Tick:
    """One periodic task that we own."""

    name: str
    task: str
    seconds: int
    queue: str


TICKS: Final = (
    Tick(CHECK_NAME, "watchlist.tasks.tick_checks", 0, "control"),
    Tick(HEARTBEAT_NAME, "downloads.tasks.tick_queue", HEARTBEAT_SECONDS, "control"),
    Tick("Tsuzuku: repair what was lost", "watchlist.tasks.tick_repair", 20, "control"),
    Tick("Tsuzuku: delete leftovers", "downloads.tasks.tick_leftovers", 3600, "control"),
    Tick("Tsuzuku: forget old history", "watchlist.tasks.tick_history", 24 * 3600, "control"),
)


@dataclass(frozen=True, slots=True)
class SchedulerStatus:
    """What the scheduler does; `running` only while it is on and beat is alive."""

    running: bool
    enabled: bool
    beat_alive: bool
    next_run: datetime | None
    last_run: datetime | None
    due_now: int
    changed_by: str
    changed_at: datetime | None


def install_schedule() -> None:
    """Create or update the rows we own; what a person switched off stays off."""
    with transaction.atomic():
        for tick in TICKS:
            seconds = tick.seconds or settings.CHECK_TICK_SECONDS
            row = {
                "task": tick.task,
                "interval": _every(seconds),
                "queue": tick.queue,
                # A tick that nobody took before the next one is worth nothing.
                "expire_seconds": max(seconds - 1, 1),
            }
            # As in _change_check_row: saving a row that is switched off would forget its last run.
            if not PeriodicTask.objects.filter(name=tick.name).update(**row):
                PeriodicTask.objects.create(name=tick.name, kwargs=_kwargs_for(tick), **row)
        PeriodicTasks.update_changed()


def _every(seconds: int) -> IntervalSchedule:
    """The row of this interval; the admin pages let people add it a second time."""
    wanted = {"every": seconds, "period": IntervalSchedule.SECONDS}
    found = IntervalSchedule.objects.filter(**wanted).order_by("pk").first()
    return found or IntervalSchedule.objects.create(**wanted)


def _kwargs_for(tick: Tick) -> str:
    return (
        json.dumps({"interval_hours": DEFAULT_INTERVAL_HOURS}) if tick.name == CHECK_NAME else "{}"
    )


def interval_hours() -> int:
    """The global check interval, as the schedule's row has it."""
    kwargs = PeriodicTask.objects.filter(name=CHECK_NAME).values_list("kwargs", flat=True).first()
    return interval_hours_in(kwargs or "{}")


def interval() -> timedelta:
    """The time between two regular checks of a series."""
    if settings.CHECK_INTERVAL_SECONDS:
        return timedelta(seconds=settings.CHECK_INTERVAL_SECONDS)
    return timedelta(hours=interval_hours())


def set_interval_hours(hours: int) -> None:
    """Change the global check interval (1 to 168 hours); waiting series are brought forward."""
    _change_check_row(kwargs=json.dumps({"interval_hours": hours}))
    rescheduling.bring_forward(interval())


def set_running(*, running: bool, by: str) -> None:
    """Switch scheduled checks on or off; survives a restart."""
    if _check_row().enabled != running:
        _change_check_row(enabled=running)
        Preferences.objects.update_or_create(
            pk=Preferences.SINGLETON_ID,
            defaults={"scheduler_changed_by": by, "scheduler_changed_at": timezone.now()},
        )


def is_beat_alive() -> bool:
    """Whether beat has sent its heartbeat tick lately."""
    last = (
        PeriodicTask.objects.filter(name=HEARTBEAT_NAME)
        .values_list("last_run_at", flat=True)
        .first()
    )
    return is_fresh(last)


def is_fresh(heartbeat: datetime | None) -> bool:
    """Whether a heartbeat is one of the last seconds.

    One in the future was written before the clock was set back, and says nothing.
    """
    return heartbeat is not None and abs(timezone.now() - heartbeat) < BEAT_SILENCE


def status() -> SchedulerStatus:
    """The honest state of the scheduler."""
    row = PeriodicTask.objects.select_related("interval").filter(name=CHECK_NAME).first()
    alive = is_beat_alive()
    now = timezone.now()
    last_run = row.last_run_at if row else None
    enabled = bool(row and row.enabled)
    next_run = None
    if row and enabled and alive and row.interval:
        next_run = max(now, (last_run or now) + row.interval.schedule.run_every)
    changed = Preferences.objects.filter(pk=Preferences.SINGLETON_ID).first()
    return SchedulerStatus(
        running=enabled and alive,
        enabled=enabled,
        beat_alive=alive,
        next_run=next_run,
        last_run=last_run,
        due_now=Series.objects.filter(next_check_at__lte=now).count(),
        changed_by=changed.scheduler_changed_by if changed else "",
        changed_at=changed.scheduler_changed_at if changed else None,
    )


def _change_check_row(**facts: str | bool) -> None:
    """Change the row so that beat notices; saving a disabled one would forget its last run."""
    PeriodicTask.objects.filter(pk=_check_row().pk).update(**facts)
    PeriodicTasks.update_changed()


def _check_row() -> PeriodicTask:
    row = PeriodicTask.objects.filter(name=CHECK_NAME).first()
    if row is None:
        install_schedule()
        row = PeriodicTask.objects.get(name=CHECK_NAME)
    return row


def interval_hours_in(kwargs: str) -> int:
    """The interval in the arguments of the schedule's row.

    A person may have written anything into them; what makes no sense is the default.
    """
    try:
        hours = json.loads(kwargs).get("interval_hours")
    except (ValueError, AttributeError):
        return DEFAULT_INTERVAL_HOURS
    least, most = INTERVAL_RANGE_HOURS
    return hours if isinstance(hours, int) and least <= hours <= most else DEFAULT_INTERVAL_HOURS
