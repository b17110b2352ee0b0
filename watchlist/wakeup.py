"""The one place of this app that sends messages; rows are the truth, so a lost one only delays."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)

RUN_CHECKS_TASK = "watchlist.tasks.run_checks"
SCHEDULED_QUEUE = "checks"
URGENT_QUEUE = "manual"
# The tick wakes checks that nobody ran; an older message has been replaced by then.
EXPIRES_SECONDS = 600


def wake_for_checks(check_ids: Sequence[uuid.UUID], *, urgent: bool) -> None:
    """After the commit, tell a worker to run these checks."""
    if not check_ids:
        return
    names = [str(check_id) for check_id in check_ids]
    transaction.on_commit(lambda: _send(names, URGENT_QUEUE if urgent else SCHEDULED_QUEUE))


def _send(check_ids: list[str], queue: str) -> None:
    try:
        current_app.send_task(
            RUN_CHECKS_TASK,
            args=[check_ids],
            queue=queue,
            expires=EXPIRES_SECONDS,
            retry=False,
            ignore_result=True,
        )
    except (OperationalError, OSError) as error:
        logger.warning("The broker took no wake-up, the next tick will: %s", error)
