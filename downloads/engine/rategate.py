"""How much a transfer may receive, and how eagerly it should look for more."""

from __future__ import annotations

import time

_BURST_SECONDS = 0.25
_LEAST_BURST_BYTES = 16_384.0
_WINDOW_SECONDS = 0.1
_FULL_TURN_BYTES = 524_288
_BUSY_BPS = 150_000_000


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
    """Says when many connections bring so little that it is better to let it gather.

    Without a short rest every piece of theirs would wake the process. Where much arrives a rest
    would only cost time.
    """

    def __init__(self) -> None:
        self._rate = float("inf")
        self._window_started = time.monotonic()
        self._window_bytes = 0
        self._last_bytes = 0

    def wants_rest(self, now: float, received: int) -> bool:
        """Whether to rest after a turn; `received` are all bytes of all turns."""
        elapsed = now - self._window_started
        if elapsed >= _WINDOW_SECONDS:
            self._rate = (received - self._window_bytes) / elapsed
            self._window_started, self._window_bytes = now, received
        moved, self._last_bytes = received - self._last_bytes, received
        return self._rate < _BUSY_BPS and moved < _FULL_TURN_BYTES
