"""Celery's way in: ids in, one service call out; a message is only a wake-up."""

from __future__ import annotations

import uuid

from celery import shared_task

from watchlist.services import (
    checking,
    deciding,
    due,
    history,
    notifications,
    posters,
    progress,
    rescheduling,
    scheduler,
    troubles,
)


@shared_task(name="watchlist.tasks.run_checks")
def run_checks(check_ids: list[str]) -> None:
    """Begin those of the given checks that nobody has taken yet."""
    checking.run_checks(check_ids=[uuid.UUID(check_id) for check_id in check_ids])


@shared_task(name="watchlist.tasks.tick_checks")
def tick_checks(**_: int) -> None:
    """Claim the series that are due; the interval stands in the schedule's own row."""
    due.queue_due_checks(interval=scheduler.interval())


@shared_task(name="watchlist.tasks.tick_repair")
def tick_repair() -> None:
    """Take back what dead workers held, and finish what a lost signal left undone."""
    due.requeue_lost_checks()
    interval = scheduler.interval()
    rescheduling.pull_back(interval)
    rescheduling.bring_back(interval)
    progress.settle_missed()
    deciding.decide_marked()
    notifications.close_solved_failures()
    notifications.tell_missed_failures()
    troubles.reconcile()


@shared_task(name="watchlist.tasks.tick_history")
def tick_history() -> None:
    """Delete history that nobody looks at any more."""
    history.forget_old()
    notifications.forget_old()
    posters.forget_unused()
