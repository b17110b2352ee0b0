"""One connection of a segmented download: decrypts, checks and stores one segment."""

from __future__ import annotations

import time
from http import HTTPStatus
from typing import TYPE_CHECKING

from downloads.engine.backoff import PROGRESS_BYTES, StatusRefused
from downloads.engine.calls import Answer, Call, Sink
from downloads.engine.errors import ConnectionFailed, EngineError, WrongLength
from downloads.engine.lengthproof import LengthProof, tells_its_end
from downloads.engine.segmentstore import Place
from downloads.engine.sniff import SNIFF_BYTES, refuse_text

if TYPE_CHECKING:
    from downloads.engine.segments import SegmentFetch

_TS_PACKET_BYTES = 188
_GOOD = frozenset({HTTPStatus.OK, HTTPStatus.PARTIAL_CONTENT})


class SegmentChanged(EngineError):
    """A segment is not the one that an earlier run has stored."""


class SegmentLane:
    """The sink of one call."""

    def __init__(self, owner: SegmentFetch, *, index: int, number: int) -> None:
        self.owner = owner
        self.index = index
        self.number = number
        self.segment = owner.source.segments[index]
        self.started_at = time.monotonic()
        self.length = 0  # plain bytes written so far
        self.expected: Place | None = None
        self.enough: int | None = None  # bytes to be compared; None: all of the segment
        self.call: Call
        self._decryptor = owner.source.decryptor(self.segment)
        self._head = b""
        self._skip = 0
        self._wanted: int | None = None
        self._ends_itself = False
        self._received = 0  # bytes as they came
        self._is_end_told = True

    @property
    def is_probe(self) -> bool:
        """Whether the segment is only compared with what is stored."""
        return self.expected is not None

    def on_answer(self, call: Call) -> None:
        """Refuse errors and wrong ranges. Raises EngineError."""
        answer = call.answer
        if answer is None:
            return
        if answer.status not in _GOOD:
            raise StatusRefused(answer)
        if call.byte_range is None:
            self._is_end_told = tells_its_end(answer)
            if answer.status == HTTPStatus.PARTIAL_CONTENT:
                raise ConnectionFailed("The server sent a part of a segment.")
            return
        self._check_range(answer, *call.byte_range)

    def _check_range(self, answer: Answer, start: int, end: int | None) -> None:
        self._wanted = None if end is None else end - start
        if answer.status == HTTPStatus.OK:
            if self._begins_anywhere:
                raise ConnectionFailed("The server ignores ranges.")
            self._skip = start
            return
        told = answer.content_range
        if told is None or told[0] != start:
            raise WrongLength("The server answers ranges wrongly.")
        if self.segment.file_bytes and told[2] not in {None, self.segment.file_bytes}:
            raise SegmentChanged("The stream has changed.")
        # What is read to its end keeps its connection.
        self._ends_itself = answer.headers.get("content-length") == str(self._wanted)

    def on_bytes(self, content: memoryview) -> bool:
        """Decrypt and write; false when the byte range is whole."""
        self._received += len(content)
        if self._skip or self._wanted is not None:
            content = self._in_range(content)
        self._store(content if self._decryptor is None else self._decryptor.update(content))
        if self._has_enough:
            return False
        return self._ends_itself or self._wanted is None or self._wanted > 0

    @property
    def _has_enough(self) -> bool:
        return self.enough is not None and self.length >= self.enough

    def _in_range(self, content: memoryview) -> memoryview:
        skipped = min(self._skip, len(content))
        self._skip -= skipped
        content = content[skipped:]
        if self._wanted is not None:
            content = content[: self._wanted]
            self._wanted -= len(content)
        return content

    @property
    def _begins_anywhere(self) -> bool:
        """Whether it is a later piece of a file: then its first bytes may look like anything."""
        part = self.segment.byte_range
        return bool(self.segment.file_bytes) and part is not None and part[0] > 0

    def _store(self, content: bytes | memoryview) -> None:
        if not content:
            return
        if len(self._head) < SNIFF_BYTES and not self._begins_anywhere:
            self._head += bytes(content[: SNIFF_BYTES - len(self._head)])
            refuse_text(self._head)
        if self.expected is not None:
            self._compare(content)
        else:
            self.owner.store.write(self.number, content, self.length)
        self.length += len(content)

    def _compare(self, content: bytes | memoryview) -> None:
        place = self.expected
        if place is not None and self.owner.store.read(place, self.length, len(content)) != content:
            raise SegmentChanged("The stream has changed.")

    def on_end(self, call: Call) -> None:
        """Write the rest, see whether the segment is whole, tell the owner."""
        rest = self._rest_after(call)
        if rest is not None:
            self._ask(call, self, rest)
            return
        try:
            if call.error is None and not self._has_enough:
                if self._decryptor is not None:
                    self._store(self._decryptor.finish())
                self._require_whole()
        except (EngineError, OSError) as error:
            call.error = error
        if call.error is None and not self._is_end_told and not self.is_probe:
            self._prove_end(call)
        else:
            self.owner.lane_ended(self, call)

    def _rest_after(self, call: Call) -> tuple[int, int] | None:
        """What is still to come of a range that ended too early, but not without progress."""
        part = self.segment.byte_range
        if part is None or call.byte_range is None or not self._wanted or self._has_enough:
            return None
        if call.error is not None and not isinstance(call.error, ConnectionFailed):
            return None
        start = part[1] - self._wanted
        return (start, part[1]) if start - call.byte_range[0] >= PROGRESS_BYTES else None

    def _prove_end(self, call: Call) -> None:
        # Places in what a server insists on compressing cannot be asked for.
        is_ranged = call.answer is not None and not call.answer.is_encoded
        last = (self._received - 1, self._received + 1) if is_ranged else None
        self._ask(call, LengthProof(self, self._received), last)

    def _ask(self, before: Call, sink: Sink, byte_range: tuple[int, int] | None) -> None:
        self.call = Call(before.url, sink, headers=before.headers, byte_range=byte_range)
        self.owner.send(self.call)

    def _require_whole(self) -> None:
        if not self.length:
            raise ConnectionFailed("A segment is empty.")
        if self._wanted:
            raise ConnectionFailed("The server sent less than it had announced.")
        if self.expected is not None and self.length != self.expected.length:
            if not self._is_end_told and self.length < self.expected.length:
                raise ConnectionFailed("A segment is cut.")
            raise SegmentChanged("The stream has changed.")
        if (
            self._wanted is None
            and self._head.startswith(b"\x47")
            and self.length % _TS_PACKET_BYTES
        ):
            raise ConnectionFailed("A segment is cut.")
