"""The speed limit of a transfer, held over all of its connections."""

from __future__ import annotations

import time

_BURST_SECONDS = 0.25
_LEAST_BURST_BYTES = 16_384.0


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
