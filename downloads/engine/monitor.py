"""Talks to the owner of a transfer while it runs: asks what to do, tells how far it is."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from threading import Event
from typing import TypeVar

from downloads.engine.errand import Errand
from downloads.engine.errors import Interrupted
from downloads.engine.types import Command, Control, Limits, Progress, Stage

_POLL_SECONDS = 0.2
_LIMITS_SECONDS = 0.5
_PROGRESS_SECONDS = 0.33
_WORK_SECONDS = 0.05
_SPEED_WINDOW_SECONDS = 4.0
_LEAST_SAMPLES = 2
_WORDS = {
    Command.PAUSE: "The download was paused.",
    Command.CANCEL: "The download was cancelled.",
    Command.HAND_BACK: "The worker is stopping; the download goes on elsewhere.",
}

T = TypeVar("T")


class Monitor:
    """One per run of the engine; `beat` is cheap and may be called at any rate."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.limits: Limits = control.limits()
        self.started_at = time.monotonic()
        self.stage = Stage.CONNECTING
        self.bytes_done = 0
        self.bytes_total: int | None = None
        self.connections = 0
        self.most_connections = 0
        self.resumed_from = 0
        self._samples: deque[tuple[float, int]] = deque()
        self._next_poll = self._next_limits = self._next_progress = 0.0

    def beat(self) -> None:
        """Ask and tell whatever is due. Raises Interrupted."""
        now = time.monotonic()
        if now >= self._next_poll:
            self._next_poll = now + _POLL_SECONDS
            command = self._control.poll()
            if command is not Command.GO_ON:
                raise Interrupted(_WORDS[command])
        if now >= self._next_limits:
            self._next_limits = now + _LIMITS_SECONDS
            self.limits = self._control.limits()
        if now >= self._next_progress:
            self._next_progress = now + _PROGRESS_SECONDS
            self._publish(now)

    def enter(self, stage: Stage) -> None:
        """Begin another stage and tell so at once."""
        if stage is not self.stage:
            self.stage = stage
            self._next_progress = 0.0
        self.beat()

    def restarted(self) -> None:
        """Forget the speed: the bytes are counted from zero again."""
        self._samples.clear()
        self.resumed_from = 0

    def wait_for(self, work: Callable[[Event], T]) -> T:
        """Run blocking work in a thread and keep in touch meanwhile.

        The work is given an event that tells it to stop; nothing of it runs on after the return.
        Raises what the work raises, or Interrupted.
        """
        stop = Event()
        errand = Errand(lambda: work(stop))
        try:
            while not errand.wait(_WORK_SECONDS):
                self.beat()
        finally:
            stop.set()
            errand.wait(None)
        return errand.result()

    def _publish(self, now: float) -> None:
        self.most_connections = max(self.most_connections, self.connections)
        speed = self._speed(now)
        left = None if self.bytes_total is None else max(self.bytes_total - self.bytes_done, 0)
        self._control.progress(
            Progress(
                stage=self.stage,
                bytes_done=self.bytes_done,
                bytes_total=self.bytes_total,
                speed_bps=speed,
                eta_seconds=left / speed if left is not None and speed > 0 else None,
                connections=self.connections,
                resumed_from=self.resumed_from,
            )
        )

    def _speed(self, now: float) -> float:
        samples = self._samples
        samples.append((now, self.bytes_done))
        while len(samples) > _LEAST_SAMPLES and now - samples[0][0] > _SPEED_WINDOW_SECONDS:
            samples.popleft()
        elapsed = now - samples[0][0]
        return max(self.bytes_done - samples[0][1], 0) / elapsed if elapsed > 0 else 0.0
