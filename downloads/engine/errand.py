"""One blocking call beside the thread that wants its result and has to stay in touch meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from threading import Thread
from typing import Generic, TypeVar

T = TypeVar("T")


class Errand(Generic[T]):
    """Starts at once in a thread of its own.

    Whoever no longer wants the result just goes: nothing waits for the thread, which ends when the
    work does. So the work must have a time limit of its own, and leave nothing open.
    """

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._results: list[T] = []
        self._failure: BaseException | None = None
        self._thread = Thread(target=self._run, name="errand", daemon=True)
        self._thread.start()

    def wait(self, timeout_seconds: float | None = 0.0) -> bool:
        """Whether the work is over, after that time at most; None: however long it takes."""
        self._thread.join(timeout_seconds)
        return not self._thread.is_alive()

    def result(self) -> T:
        """What the work gave, once it is over. Raises what the work raised."""
        self._thread.join()
        if self._failure is not None:
            raise self._failure
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._work())
        except BaseException as error:  # noqa: BLE001 - the waiting thread raises it again
            self._failure = error
