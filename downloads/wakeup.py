"""The one place of this app that sends a message; rows are the truth, a lost one only delays."""

from __future__ import annotations

import logging

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

RUN_NEXT_TASK = "downloads.tasks.run_next"
QUEUE = "downloads"
# A message that waited longer is worth nothing: the tick has sent another by then.
EXPIRES_SECONDS = 60


def wake_workers(count: int = 1) -> None:
    """After the commit, tell `count` workers that there may be a download to claim."""
    transaction.on_commit(lambda: _send(count))


def _send(count: int) -> None:
    try:
        for _ in range(count):
            current_app.send_task(
                RUN_NEXT_TASK, queue=QUEUE, expires=EXPIRES_SECONDS, retry=False, ignore_result=True
            )
    except (OperationalError, OSError) as error:
        logger.warning("The broker took no wake-up, the next tick will: %s", error)
