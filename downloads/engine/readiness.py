"""Which of libcurl's connections have something to do; they are served one by one.

libcurl's simple interface serves all of them in one go. Then many calls end at the same moment, and
each time the line lies idle while the answers to the next ones are on their way.
"""

from __future__ import annotations

import selectors
import time
from collections.abc import Iterator
from typing import Any

import pycurl

_WATCHED = {
    pycurl.POLL_IN: selectors.EVENT_READ,
    pycurl.POLL_OUT: selectors.EVENT_WRITE,
    pycurl.POLL_INOUT: selectors.EVENT_READ | selectors.EVENT_WRITE,
}
_FOUND = {
    selectors.EVENT_READ: pycurl.CSELECT_IN,
    selectors.EVENT_WRITE: pycurl.CSELECT_OUT,
    selectors.EVENT_READ | selectors.EVENT_WRITE: pycurl.CSELECT_IN | pycurl.CSELECT_OUT,
}


class Readiness:
    """Serves the sockets and the clock of one multi handle."""

    def __init__(self, multi: Any) -> None:
        self._multi = multi
        self._selector = selectors.DefaultSelector()
        self._due: float | None = None  # when libcurl wants to look at its clock
        multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        multi.setopt(pycurl.M_TIMERFUNCTION, self._set_clock)

    def serve(self, timeout_seconds: float) -> Iterator[None]:
        """Wait at most that long for something to do; gives way after each thing done."""
        if self._due is not None:
            timeout_seconds = min(timeout_seconds, max(self._due - time.monotonic(), 0.0))
        found = self._selector.select(timeout_seconds)
        if self._due is not None and time.monotonic() >= self._due:
            self._due = None
            self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
            yield
        for key, events in found:
            self._multi.socket_action(key.fd, _FOUND[events])
            yield

    def close(self) -> None:
        """Let go of everything, after the multi handle was closed."""
        self._selector.close()

    def _watch(self, what: int, descriptor: int, _multi: Any, _nothing: Any) -> None:
        events = _WATCHED.get(what)
        is_known = descriptor in self._selector.get_map()
        if events is None:
            if is_known:
                self._selector.unregister(descriptor)
        elif is_known:
            self._selector.modify(descriptor, events)
        else:
            self._selector.register(descriptor, events)

    def _set_clock(self, milliseconds: int) -> None:
        self._due = None if milliseconds < 0 else time.monotonic() + milliseconds / 1000
