"""Tells workers which checks to run; rows are the truth, so a lost message only delays."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import transaction

from downloads import messages

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
    queue = URGENT_QUEUE if urgent else SCHEDULED_QUEUE
    transaction.on_commit(
        lambda: messages.send(
            RUN_CHECKS_TASK, [names], queue=queue, expires_seconds=EXPIRES_SECONDS
        )
    )
