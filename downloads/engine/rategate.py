"""How much a transfer may receive, and how eagerly it should look for more."""

from __future__ import annotations

import time
from collections.abc import Sequence

_BURST_SECONDS = 0.25
_LEAST_BURST_BYTES = 16_384.0
_WINDOW_SECONDS = 0.1
_BUSY_BPS = 150_000_000
_REST_SECONDS = 0.032
_SHORT_REST_SECONDS = 0.008
# Senders wait when more than this gathers at once.
_REST_BYTES = 2_097_152


class RateGate:
    """Says when nothing more may be received."""

    def __init__(self) -> None:
        self.limit_bps: int | None = None
        self.is_closed = False
        self._allowance = 0.0
        self._refilled = time.monotonic()

    def spend(self, size: int) -> None:
        """Count received bytes against the allowance."""
        self._allowance -= size
        self.is_closed = self._allowance <= 0

    def refill(self, now: float) -> None:
        """Grow the allowance by the time that has passed, at most by a quarter second's worth."""
        if self.limit_bps is None:
            self.is_closed = False
        else:
            grown = self._allowance + (now - self._refilled) * self.limit_bps
            most = max(self.limit_bps * _BURST_SECONDS, _LEAST_BURST_BYTES)
            self._allowance = min(grown, most)
            self.is_closed = self._allowance <= 0
        self._refilled = now


class Pulse:
    """Says how long many connections that bring little are better left to gather it.

    Without a rest every piece of theirs would wake the process. Where much arrives, or something
    is about to begin or to end, a rest would only cost time.
    """

    def __init__(self) -> None:
        self._rate = float("inf")
        self._window_started = time.monotonic()
        self._window_bytes = 0

    def rest_seconds(self, now: float, received: int, outstanding: Sequence[int]) -> float:
        """How long to rest after a turn; 0 when there is no time for it.

        `received` are the bytes of all calls so far, `outstanding` what each open one has still to
        bring, 0 where that is unknown.
        """
        elapsed = now - self._window_started
        if elapsed >= _WINDOW_SECONDS:
            self._rate = (received - self._window_bytes) / elapsed
            self._window_started, self._window_bytes = now, received
        if self._rate >= _BUSY_BPS:
            return 0.0
        rest = min(_REST_SECONDS, _REST_BYTES / max(self._rate, 1.0))
        # Twice what a connection brings meanwhile: some bring more than others.
        is_end_near = min(outstanding) < 2 * rest * self._rate / len(outstanding)
        return min(rest, _SHORT_REST_SECONDS) if is_end_near else rest
