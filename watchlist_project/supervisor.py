"""Starts every part of the program, starts again what dies, and leaves nothing behind.

The supervisor imports everything once and forks the parts, so that they share its memory and start
at once. It holds no thread and no connection to database or broker of its own: both would be
broken in a child. Signals only write a byte into a pipe; all work is done in one loop.
"""

from __future__ import annotations

import gc
import logging
import os
import signal
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass

from watchlist_project.env import BadSetting
from watchlist_project.processes import SignalPipe, fork

logger = logging.getLogger(__name__)

_STOP_SIGNALS: frozenset[int] = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})
_LONGEST_PAUSE_SECONDS = 30.0
# Who lived this long has started well; the next death is a new story.
_STEADY_SECONDS = 60.0
_IDLE_SECONDS = 60.0
# Together they stay below the ten seconds that a stop may take.
_WORK_STOP_SECONDS = 6.0
_BASE_STOP_SECONDS = 2.0
_SAME_STOP_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Part:
    """One process of the program."""

    name: str
    run: Callable[[], object]
    # Others need it: started first, stopped last.
    is_base: bool = False
    # Sent to the part when the supervisor itself is killed.
    death_signal: int = signal.SIGKILL
    # Descriptors of the supervisor that this part uses.
    keeps: frozenset[int] = frozenset()


@dataclass(slots=True)
class _Running:
    part: Part
    pid: int = 0
    started_at: float = 0.0
    pause_seconds: float = 0.0
    start_at: float = 0.0


class Supervisor:
    """The loop over the parts."""

    def __init__(self, signals: SignalPipe, private_descriptors: Iterable[int]) -> None:
        """`private_descriptors` are closed in every part that does not say it keeps them."""
        self._signals = signals
        self._private = frozenset(private_descriptors) | frozenset(signals.descriptors)
        self._parts: dict[str, _Running] = {}
        self.is_stopping = False

    def start(self, part: Part) -> None:
        """Start a part and look after it from now on."""
        self._parts[part.name] = running = _Running(part)
        self._spawn(running)

    def run_once(self, run: Callable[[], object], title: str) -> bool:
        """Run something to its end in a process of its own; whether it ended well.

        False also when a stop was asked for meanwhile.
        """
        pid = fork(run, title, close=self._private)
        while True:
            self._note(self._signals.wait(_IDLE_SECONDS))
            ended, status = os.waitpid(pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status) == 0 and not self.is_stopping
            if self.is_stopping:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def wait_until(
        self,
        is_ready: Callable[[], bool],
        limit_seconds: float,
        problem: Callable[[], str],
    ) -> bool:
        """Look again and again; False when asked to stop. Raises BadSetting when too late."""
        deadline = time.monotonic() + limit_seconds
        while not is_ready():
            if time.monotonic() > deadline:
                raise BadSetting(f"Cannot start: {problem()}.")
            self._note(self._signals.wait(0.01))
            self._reap()
            if self.is_stopping:
                return False
        return True

    def watch(self, each_minute: Callable[[], object]) -> None:
        """Look after the parts until a stop is asked for; `each_minute` is called now and then."""
        while not self.is_stopping:
            each_minute()
            self._note(self._signals.wait(self._seconds_to_next_start()))
            self._reap()
            if not self.is_stopping:
                self._start_due()

    def stop(self) -> None:
        """Stop every part, those that others need last, and whatever they left."""
        self.is_stopping = True
        started = time.monotonic()
        self._stop_group(is_base=False, deadline=started + _WORK_STOP_SECONDS)
        self._stop_group(is_base=True, deadline=time.monotonic() + _BASE_STOP_SECONDS)

    def _stop_group(self, *, is_base: bool, deadline: float) -> None:
        group = [one for one in self._parts.values() if one.part.is_base is is_base]
        # A stop that is asked for again means now; but make and a terminal both pass one on.
        patience_ends = time.monotonic() + _SAME_STOP_SECONDS
        for running in group:
            _send(running.pid, signal.SIGTERM)
        while any(one.pid for one in group) and time.monotonic() < deadline:
            arrived = self._signals.wait(deadline - time.monotonic())
            self._reap()
            if _STOP_SIGNALS & arrived and time.monotonic() > patience_ends:
                break
        for running in group:
            if running.pid:
                logger.warning("%s did not stop in time and is killed", running.part.name)
                _send_to_group(running.pid, signal.SIGKILL)
        while any(one.pid for one in group):
            self._signals.wait(1.0)
            self._reap()

    def _note(self, arrived: set[int]) -> None:
        if _STOP_SIGNALS & arrived:
            self.is_stopping = True

    def _spawn(self, running: _Running) -> None:
        part = running.part
        running.started_at = time.monotonic()
        running.pid = fork(
            part.run,
            part.name,
            close=self._private - part.keeps,
            death_signal=part.death_signal,
        )

    def _reap(self) -> None:
        for running in self._parts.values():
            if running.pid:
                ended, status = os.waitpid(running.pid, os.WNOHANG)
                if ended:
                    self._bury(running, os.waitstatus_to_exitcode(status))

    def _bury(self, running: _Running, code: int) -> None:
        # Children of a killed part: theirs is the part's own process group.
        _send_to_group(running.pid, signal.SIGKILL)
        running.pid = 0
        if self.is_stopping:
            return
        now = time.monotonic()
        if now - running.started_at > _STEADY_SECONDS:
            running.pause_seconds = 0.0
        running.start_at = now + running.pause_seconds
        cause = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        logger.warning(
            "%s %s; it starts again in %.0f s",
            running.part.name,
            cause,
            running.pause_seconds,
        )
        running.pause_seconds = min(_LONGEST_PAUSE_SECONDS, running.pause_seconds * 2 or 1.0)

    def _start_due(self) -> None:
        now = time.monotonic()
        for running in self._parts.values():
            if not running.pid and running.start_at <= now:
                self._spawn(running)

    def _seconds_to_next_start(self) -> float:
        waiting = [one.start_at for one in self._parts.values() if not one.pid]
        return min(waiting) - time.monotonic() if waiting else _IDLE_SECONDS


def freeze_memory() -> None:
    """Keep the collector away from what is loaded so far: looking at it would copy every page."""
    gc.collect()
    gc.freeze()


def _send(pid: int, number: int) -> None:
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _send_to_group(pid: int, number: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)
