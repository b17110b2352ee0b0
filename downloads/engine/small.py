"""Fetches small things whole into memory: playlists, keys, initialisation segments."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from downloads.engine.backoff import FailureCount, StatusRefused
from downloads.engine.calls import Call
from downloads.engine.errors import EngineError, PlaylistRefused
from downloads.engine.monitor import Monitor
from downloads.engine.transport import Transport

_AT_ONCE = 4
_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})


@dataclass(frozen=True, slots=True)
class SmallFile:
    """What came back."""

    content: bytes
    url: str  # after redirects


@dataclass(slots=True)
class _Fetch:
    """The sink of one call."""

    max_bytes: int
    pieces: list[bytes] = field(default_factory=list)
    length: int = 0
    is_over: bool = False
    error: EngineError | OSError | None = None
    url: str = ""

    def on_answer(self, call: Call) -> None:
        if call.answer is not None:
            if call.answer.status not in _GOOD:
                raise StatusRefused(call.answer)
            self.url = call.answer.url

    def on_bytes(self, content: memoryview) -> bool:
        self.length += len(content)
        if self.length > self.max_bytes:
            raise PlaylistRefused("A playlist or key is larger than what one may be.")
        self.pieces.append(bytes(content))
        return True

    def on_end(self, call: Call) -> None:
        self.error, self.is_over = call.error, True


class SmallFetcher:
    """Blocking calls for the thread that owns the transport; keeps in touch with the owner."""

    def __init__(self, transport: Transport, monitor: Monitor, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._transport, self._monitor = transport, monitor

    def fetch(
        self, url: str, *, max_bytes: int, byte_range: tuple[int, int] | None = None
    ) -> SmallFile:
        """One small file. Raises EngineError after all retries."""
        failures = FailureCount()
        while True:
            sink = _Fetch(max_bytes)
            call = Call(url, sink, headers=self.headers, byte_range=byte_range)
            self._run([call], [sink])
            if sink.error is None:
                content = b"".join(sink.pieces)
                if byte_range is not None and call.answer and call.answer.status == HTTPStatus.OK:
                    content = content[byte_range[0] : byte_range[1]]
                return SmallFile(content, sink.url)
            if isinstance(sink.error, OSError):
                raise sink.error
            wait = failures.wait_seconds(sink.error, bytes_done=0, limits=self._monitor.limits)
            self._pause(wait)

    def fetch_all(self, urls: list[str], *, max_bytes: int) -> dict[str, SmallFile]:
        """Several small files, a few at a time. Raises EngineError when one stays away."""
        found: dict[str, SmallFile] = {}
        for start in range(0, len(urls), _AT_ONCE):
            sinks = [_Fetch(max_bytes) for _ in urls[start : start + _AT_ONCE]]
            calls = [
                Call(url, sink, headers=self.headers)
                for url, sink in zip(urls[start:], sinks, strict=False)
            ]
            self._run(calls, sinks)
            for url, sink in zip(urls[start:], sinks, strict=False):
                if sink.error is None:
                    found[url] = SmallFile(b"".join(sink.pieces), sink.url)
                else:
                    found[url] = self.fetch(url, max_bytes=max_bytes)
        return found

    def _run(self, calls: list[Call], sinks: list[_Fetch]) -> None:
        try:
            for call in calls:
                self._transport.start(call)
            while not all(sink.is_over for sink in sinks):
                self._monitor.beat()
                self._transport.turn()
                self._transport.watch_stalls(time.monotonic())
        finally:
            for call in calls:
                self._transport.cancel(call)

    def _pause(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._monitor.beat()
            time.sleep(min(0.1, max(end - time.monotonic(), 0.0)))
