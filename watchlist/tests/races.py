"""Two transactions that meet, made certain: one begins while the other is in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any
from unittest.mock import patch

from django.db import connection


@contextmanager
def others() -> Iterator[Callable[[Callable[[], object]], None]]:
    """What begins something in a thread, and returns when that has ended or waits for a lock.

    What it raised, because the database chose it to end a deadlock, is raised at the end.
    """
    begun: list[Future[None]] = []

    def begin(act: Callable[[], object]) -> None:
        pids: SimpleQueue[int] = SimpleQueue()
        future = pool.submit(_run, act, pids)
        begun.append(future)
        pid = pids.get()
        while not future.done() and not _waits_for_a_lock(pid):
            time.sleep(0.01)

    with ThreadPoolExecutor() as pool:
        yield begin
    for future in begun:
        future.result()


@contextmanager
def meanwhile(place: object, name: str, act: Callable[[], object]) -> Iterator[None]:
    """In this block the first call of `place.name` happens after `act` has begun in a thread."""
    real = getattr(place, name)
    has_begun = False
    with others() as begin:

        def after_it_has_begun(*args: Any, **kwargs: Any) -> Any:
            nonlocal has_begun
            if not has_begun:
                has_begun = True
                begin(act)
            return real(*args, **kwargs)

        with patch.object(place, name, after_it_has_begun):
            yield
    assert has_begun


def _run(act: Callable[[], object], pids: SimpleQueue[int]) -> None:
    try:
        connection.ensure_connection()
        is_postgres = connection.vendor == "postgresql"
        pids.put(connection.connection.info.backend_pid if is_postgres else 0)
        act()
    finally:
        connection.close()


def _waits_for_a_lock(pid: int) -> bool:
    if not pid:
        return True  # on SQLite there is one writer, and a transaction waits where it begins
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_locks WHERE pid = %s AND NOT granted", [pid])
        return cursor.fetchone() is not None
