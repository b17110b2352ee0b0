"""Fetches small things whole into memory: playlists, keys, initialisation segments."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

from downloads.engine.backoff import FailureCount, StatusRefused
from downloads.engine.calls import Answer, Call
from downloads.engine.errors import ConnectionFailed, EngineError, PlaylistRefused, WrongLength
from downloads.engine.lengthproof import tells_its_end
from downloads.engine.monitor import Monitor
from downloads.engine.transport import Transport

_AT_ONCE = 4
# What is fetched together is kept in memory together.
_MOST_TOGETHER_BYTES = 64_000_000
_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})


Part = tuple[str, tuple[int, int] | None]  # an address, and which of its bytes, half open


@dataclass(frozen=True, slots=True)
class SmallFile:
    """What came back."""

    content: bytes
    url: str  # after redirects
    whole_bytes: int | None = None  # size of the file of which a part was asked for, when told


@dataclass(slots=True)
class _Fetch:
    """The sink of one call."""

    max_bytes: int
    byte_range: tuple[int, int] | None = None  # half open
    pieces: list[bytes] = field(default_factory=list)
    skip: int = 0  # bytes still to come before those that are wanted
    length: int = 0
    is_over: bool = False
    error: EngineError | OSError | None = None
    url: str = ""
    whole_bytes: int | None = None
    is_end_told: bool = True

    def __post_init__(self) -> None:
        if self.byte_range is not None and self.byte_range[0] >= self.byte_range[1]:
            raise PlaylistRefused("The playlist names an impossible range of bytes.")

    @property
    def file(self) -> SmallFile:
        return SmallFile(b"".join(self.pieces), self.url, self.whole_bytes)

    def on_answer(self, call: Call) -> None:
        answer = call.answer
        if answer is None:
            return
        if answer.status not in _GOOD:
            raise StatusRefused(answer)
        self.url = answer.url
        self.is_end_told = self.byte_range is not None or tells_its_end(answer)
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            self._check_range(answer)
        elif self.byte_range is not None:
            # The whole file comes instead, and the range has to be cut out of it.
            self.skip = self.byte_range[0]
            self._require_small(self.byte_range[1])

    def _check_range(self, answer: Answer) -> None:
        told = answer.content_range
        if told is None or told[:2] != self.byte_range:
            raise WrongLength("The server answers ranges wrongly.")
        if answer.is_encoded:
            raise WrongLength("The server compresses ranges.")
        self.whole_bytes = told[2]

    def on_bytes(self, content: memoryview) -> bool:
        skipped = min(self.skip, len(content))
        self.skip -= skipped
        content = content[skipped:]
        if self.byte_range is not None:
            content = content[: self._wanted - self.length]
        self.length += len(content)
        self._require_small(self.length)
        self.pieces.append(bytes(content))
        return self.byte_range is None or self.length < self._wanted

    @property
    def _wanted(self) -> int:
        return 0 if self.byte_range is None else self.byte_range[1] - self.byte_range[0]

    def _require_small(self, size: int) -> None:
        if size > self.max_bytes:
            raise PlaylistRefused("A playlist or key is larger than what one may be.")

    def on_end(self, call: Call) -> None:
        self.error, self.is_over = call.error, True
        if self.error is None and self.byte_range is not None and self.length < self._wanted:
            self.error = ConnectionFailed("The server sent less than was asked for.")


class SmallFetcher:
    """Blocking calls for the thread that owns the transport; keeps in touch with the owner."""

    def __init__(self, transport: Transport, monitor: Monitor, headers: Mapping[str, str]) -> None:
        self.headers = headers
        self._transport, self._monitor = transport, monitor

    def fetch(
        self, url: str, *, max_bytes: int, byte_range: tuple[int, int] | None = None
    ) -> SmallFile:
        """One small file or exactly a part of one. Raises EngineError after all retries."""
        failures = FailureCount()
        lengths: set[int] = set()
        while True:
            sink = _Fetch(max_bytes, byte_range)
            call = Call(url, sink, headers=self.headers, byte_range=byte_range)
            self._run([call], [sink])
            if sink.error is None and (sink.is_end_told or sink.length in lengths):
                return sink.file
            if sink.error is None:
                # Whether it was cut only shows when it comes once more.
                lengths.add(sink.length)
                if len(lengths) == 1:
                    continue
                sink.error = ConnectionFailed("A playlist or key is cut.")
            if isinstance(sink.error, OSError):
                raise sink.error
            wait = failures.wait_seconds(sink.error, bytes_done=0, limits=self._monitor.limits)
            self._pause(wait)

    def fetch_all(self, parts: Sequence[Part], *, max_bytes: int) -> dict[Part, SmallFile]:
        """Several small files, a few at a time. Raises EngineError when one stays away."""
        found: dict[Part, SmallFile] = {}
        left = _MOST_TOGETHER_BYTES
        for start in range(0, len(parts), _AT_ONCE):
            batch = parts[start : start + _AT_ONCE]
            sinks = [_Fetch(max_bytes, byte_range) for _, byte_range in batch]
            calls = [
                Call(url, sink, headers=self.headers, byte_range=byte_range)
                for (url, byte_range), sink in zip(batch, sinks, strict=True)
            ]
            self._run(calls, sinks)
            for part, sink in zip(batch, sinks, strict=True):
                if sink.error is None and sink.is_end_told:
                    found[part] = sink.file
                else:
                    found[part] = self.fetch(part[0], max_bytes=max_bytes, byte_range=part[1])
                left -= len(found[part].content)
            if left < 0:
                raise PlaylistRefused("The stream needs too many keys or beginnings.")
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
