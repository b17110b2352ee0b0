"""Which queue a task goes to, and what a worker of each kind is limited to."""

from __future__ import annotations

import pytest

from downloads.wakeup import RUN_NEXT_TASK
from watchlist.services.scheduler import TICKS
from watchlist.wakeup import RUN_CHECKS_TASK
from watchlist_project.celery import app, kind_of


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


def test_every_task_sent_by_name_is_registered() -> None:
    app.loader.import_default_modules()
    assert {RUN_NEXT_TASK, RUN_CHECKS_TASK, *(tick.task for tick in TICKS)} <= set(app.tasks)


def test_only_json_is_accepted() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


@pytest.mark.parametrize(
    ("queues", "kind"),
    [
        ("downloads", "downloads"),
        (["downloads"], "downloads"),
        ("control,manual,checks", "checks"),
        (["control", "downloads"], "checks"),
        (None, "checks"),
    ],
)
def test_the_kind_of_a_worker_follows_its_queues(queues: object, kind: str) -> None:
    assert kind_of(queues) == kind
