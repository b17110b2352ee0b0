"""Workers for tests: one in the test's own thread, one beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from django.db import connection

from downloads import queue, runner
from downloads.models import Download
from downloads.queue import Order
from downloads.tests.engine.origin import Answer


def run(order: Order) -> Download:
    download = queue.enqueue(order)
    assert runner.run_next()
    download.refresh_from_db()
    return download


def in_thread() -> threading.Thread:
    """A worker that runs the next download beside the test."""

    def work() -> None:
        try:
            runner.run_next()
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def slow(clip: bytes, *, seconds: float = 6) -> Answer:
    """As long as that takes one connection; several take less."""
    return Answer(clip, content_type="video/mp4", bytes_per_second=len(clip) / seconds)
