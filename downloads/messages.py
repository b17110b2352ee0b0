"""Messages to the broker, which nobody waits for: each is a wake-up for a row, and may be lost."""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Sequence
from typing import Any, Final

from celery import current_app
from django.conf import settings
from kombu.exceptions import OperationalError
from kombu.pools import ProducerPool
from redis.exceptions import TimeoutError as NoAnswer

from providers.breaker import Breaker

logger = logging.getLogger(__name__)

# A broker that is well answers within a few milliseconds; a page waits no longer than this for it.
ANSWER_SECONDS: Final = 1.0
_MOST_CONNECTIONS: Final = 10
# For broker and cache, which are one server.
broker_breaker: Final = Breaker(rest_seconds=5.0)


def send(task: str, args: Sequence[Any] = (), *, queue: str, expires_seconds: int) -> None:
    """Send one message; when the broker does not take it, the next tick sends another."""
    if broker_breaker.is_open:
        return
    try:
        with _producers(os.getpid(), settings.CELERY_BROKER_URL).acquire(block=True) as producer:
            current_app.send_task(
                task,
                args=args,
                producer=producer,
                queue=queue,
                expires=expires_seconds,
                retry=False,
                ignore_result=True,
            )
    except (OperationalError, OSError) as error:
        if isinstance(error.__cause__, NoAnswer):
            broker_breaker.trip()
        logger.warning("The broker took no wake-up, the next tick will: %s", error)


@functools.cache
def _producers(_process_id: int, url: str) -> Any:
    """One pool per process: a forked child must not share its parent's connections.

    Workers wait for messages with the patience of the Celery application; senders do not.
    """
    limits = {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": ANSWER_SECONDS,
        "max_retries": 0,
    }
    connection = current_app.connection_for_write(url, transport_options=limits)
    return ProducerPool(connection.Pool(_MOST_CONNECTIONS), limit=_MOST_CONNECTIONS)
