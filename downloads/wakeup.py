"""Tells workers of this app that there may be work; rows are the truth, a lost message delays."""

from __future__ import annotations

from django.db import transaction

from downloads import messages

RUN_NEXT_TASK = "downloads.tasks.run_next"
QUEUE = "downloads"
# A message that waited longer is worth nothing: the tick has sent another by then.
EXPIRES_SECONDS = 60


def wake_workers(count: int = 1) -> None:
    """After the commit, tell `count` workers that there may be a download to claim."""
    transaction.on_commit(lambda: _send(count))


def _send(count: int) -> None:
    for _ in range(count):
        messages.send(RUN_NEXT_TASK, queue=QUEUE, expires_seconds=EXPIRES_SECONDS)
