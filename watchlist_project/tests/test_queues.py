"""Which queue a task goes to."""

from __future__ import annotations

import pytest

from watchlist_project.celery import app


@pytest.mark.parametrize(
    ("task", "queue"),
    [
        ("watchlist.tasks.tick_checks", "control"),
        ("downloads.tasks.tick_queue", "control"),
        ("watchlist.tasks.run_checks", "checks"),
        ("downloads.tasks.run_next", "downloads"),
    ],
)
def test_a_task_goes_to_its_queue(task: str, queue: str) -> None:
    assert app.amqp.router.route({}, task)["queue"].name == queue


def test_no_two_queues_get_the_same_messages() -> None:
    bound = [(queue.exchange.name, queue.routing_key) for queue in app.conf.task_queues]
    assert len(set(bound)) == len(bound) == 4
