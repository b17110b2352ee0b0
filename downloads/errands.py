"""What work in a thread of its own, which asks the database, has to leave behind: nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django.db import connections

T = TypeVar("T")


def closing_connections(work: Callable[[], T]) -> Callable[[], T]:
    """The work for a thread of its own, whose connections to the database end with it."""

    def run() -> T:
        try:
            return work()
        finally:
            connections.close_all()

    return run
