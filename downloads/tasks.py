"""Celery's way in: each task is one call; a message is only a wake-up."""

from __future__ import annotations

from celery import shared_task

from downloads import runner, upkeep


@shared_task(name="downloads.tasks.run_next", acks_late=False)
def run_next() -> None:
    """Claim one download and work on it to its end."""
    runner.run_next()


@shared_task(name="downloads.tasks.tick_queue")
def tick_queue() -> None:
    """Repair leases, unblock, and wake workers for what waits."""
    upkeep.keep_queue_moving()


@shared_task(name="downloads.tasks.tick_leftovers")
def tick_leftovers() -> None:
    """Delete what given-up downloads left in `.incomplete`."""
    upkeep.remove_leftovers()
