"""A circuit breaker: whoever waited for a server in vain does not wait again at once."""

from __future__ import annotations

from time import monotonic


class Breaker:
    """Open for a while after a server did not answer. Safe to share between threads.

    What it knows concerns this process alone and is worth seconds, so nothing is kept of it.
    """

    def __init__(self, *, rest_seconds: float) -> None:
        self._rest_seconds = rest_seconds
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Whether the server is left alone now."""
        return monotonic() < self._open_until

    def trip(self) -> None:
        """It did not answer: leave it alone for a while."""
        self._open_until = monotonic() + self._rest_seconds
