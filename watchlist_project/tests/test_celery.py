"""Which tasks the application knows, in what words, and which kind of worker is which."""

from __future__ import annotations

import pytest

from downloads.wakeup import RUN_NEXT_TASK
from watchlist.services.scheduler import TICKS
from watchlist.wakeup import RUN_CHECKS_TASK
from watchlist_project.celery import app, kind_of


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
