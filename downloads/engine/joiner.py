"""Joins a stream's segments in a thread while they are still being fetched."""

from __future__ import annotations

from pathlib import Path
from threading import Event, Thread

from downloads.engine.hls import SegmentPlan
from downloads.engine.monitor import Monitor
from downloads.engine.segments import SegmentFetch

_WAIT_SECONDS = 0.05


class _StoppedError(Exception):
    """The fetch has ended before the segment came."""


class Joiner:
    """Follows one fetch; what it writes is worth nothing before `finish` has returned."""

    def __init__(self, plan: SegmentPlan, transfer: SegmentFetch, target: Path) -> None:
        self._plan, self._transfer, self._target = plan, transfer, target
        self._stop = Event()
        self._thread: Thread | None = None
        self._path: Path | None = None
        self._failure: BaseException | None = None

    def keep_up(self) -> None:
        """Begin as soon as the stored segments can be trusted; raise what went wrong meanwhile."""
        if self._failure is not None:
            raise self._failure
        if self._thread is None and self._transfer.is_trusted:
            self._thread = Thread(target=self._run, daemon=True)
            self._thread.start()

    def finish(self, monitor: Monitor) -> Path:
        """Wait for the joined file and return its path. Raises EngineError, OSError."""
        self.keep_up()
        while self._thread is not None and self._thread.is_alive():
            self._thread.join(_WAIT_SECONDS)
            monitor.beat()
        self.keep_up()
        if self._path is None:
            raise _StoppedError
        return self._path

    def stop(self) -> None:
        """End the thread, if it still runs; nothing of it runs on after the return."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        try:
            # Loaded while the first segments are on their way.
            from downloads.engine.segmentjoin import join  # noqa: PLC0415 - brings libavformat

            self._path = join(
                self._plan, self._transfer.store, self._target, stop=self._stop, wait=self._wait
            )
        except BaseException as error:  # noqa: BLE001 - the fetching thread raises it again
            self._failure = error

    def _wait(self, index: int) -> bool:
        store = self._transfer.store
        while store.place_of(index, timeout_seconds=_WAIT_SECONDS) is None:
            if self._stop.is_set():
                return False
        return True
