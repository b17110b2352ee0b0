"""One connection of a direct download: checks the answer, compares, writes."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from downloads.engine.backoff import StatusRefused
from downloads.engine.calls import Answer, Call
from downloads.engine.errors import EngineError
from downloads.engine.journal import Identity
from downloads.engine.ranges import Span
from downloads.engine.sniff import SNIFF_BYTES

if TYPE_CHECKING:
    from downloads.engine.progressive import Progressive

OVERLAP_BYTES = 65_536
_HEAD_BYTES = 32_768


class RemoteChanged(EngineError):
    """The remote file is not the one whose bytes are on disk; it has to be fetched anew."""


class RangesUnusable(EngineError):
    """The server answers ranges wrongly."""


class RangesIgnored(RangesUnusable):
    """The server sends the whole file when asked for a part."""


def identity_of(answer: Answer) -> Identity:
    """Size and validators that an answer tells (RFC 9110, 8.8): weak ETags prove nothing."""
    etag = answer.headers.get("etag", "")
    identity = Identity(
        etag=etag if etag.startswith('"') else "",
        last_modified=answer.headers.get("last-modified", ""),
    )
    if answer.is_encoded:
        return identity
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        told = answer.content_range
        identity.size = None if told is None else told[2]
    elif answer.headers.get("content-length", "").isdecimal():
        identity.size = int(answer.headers["content-length"])
    return identity


class Lane:
    """The sink of one call; `span` is what it has to bring."""

    def __init__(self, owner: Progressive, span: Span, overlap_bytes: int) -> None:
        self.owner = owner
        self.span = span
        self.first_byte = span.position - overlap_bytes
        self.begun_at = span.position
        self.written_at = 0.0  # monotonic seconds
        self.call: Call
        self._compared = overlap_bytes  # bytes still to be compared with what is on disk
        self._skipped = 0  # bytes that the server sends before the asked ones
        self._head = b""  # of the file, while there is too little to judge
        self.call_end = span.end

    def on_answer(self, call: Call) -> None:
        """Refuse what would spoil the file. Raises EngineError."""
        answer = call.answer
        if answer is None:
            return
        if answer.status == HTTPStatus.PARTIAL_CONTENT:
            self._check_range(answer)
        elif answer.status == HTTPStatus.OK:
            if call.byte_range is not None and self.first_byte > 0:
                self.owner.refuse_whole(answer)
        elif answer.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            self._refuse_unsatisfiable()
        else:
            raise StatusRefused(answer)
        self.owner.lane_answered(self, answer)
        self.span.started_at = self.owner.now()

    def _refuse_unsatisfiable(self) -> None:
        # An empty file has no range that could be asked for; any other has become shorter.
        if self.first_byte == 0:
            raise RangesUnusable("The server accepts no range.")
        raise RemoteChanged("The remote file has changed.")

    def _check_range(self, answer: Answer) -> None:
        told = answer.content_range
        if told is None or told[0] > self.first_byte:
            raise RangesUnusable("The server answers ranges wrongly.")
        if answer.is_encoded:
            raise RangesUnusable("The server compresses ranges.")
        self._skipped = self.first_byte - told[0]
        self.call_end = min(told[1], self.owner.size_limit)
        if self.call_end <= self.span.position:
            raise RangesUnusable("The server answers ranges with other ones.")

    def on_bytes(self, content: memoryview) -> bool:
        """Write; false when the rest belongs to another connection."""
        if self._skipped or self._compared:
            content = self._without_known(content)
        span = self.span
        if span.position == 0:
            # A file's first bytes are judged before they are written, which takes enough of them.
            content = memoryview(self._head + content)
            if len(content) < SNIFF_BYTES:
                self._head = bytes(content)
                return True
            self._head = b""
            self.owner.look_at_head(bytes(content[:_HEAD_BYTES]))
        is_too_much = len(content) > span.end - span.position
        self._write(content)
        # An answer that ends where the span ends is read to its end, which keeps the connection;
        # but some never end.
        return span.position < span.end or (span.end >= self.call_end and not is_too_much)

    def _without_known(self, content: memoryview) -> memoryview:
        skipped = min(self._skipped, len(content))
        self._skipped -= skipped
        content = content[skipped:]
        size = min(self._compared, len(content))
        if size:
            at = self.span.position - self._compared
            if not self.owner.part.matches(content[:size], at):
                raise RemoteChanged("The remote file has changed.")
            self._compared -= size
        return content[size:]

    def _write(self, content: memoryview) -> None:
        span = self.span
        left = span.end - span.position
        if len(content) > left:
            self.owner.check_seam(span.end, content[left:])
            content = content[:left]
        if content:
            self.owner.part.write(content, span.position)
            span.position += len(content)
            self.written_at = self.owner.now()
            self.owner.note_bytes(len(content))

    @property
    def brought_bytes(self) -> int:
        """Bytes that were not on disk before."""
        return self.span.position - self.begun_at

    @property
    def was_refused(self) -> bool:
        """Whether the server has not even begun to send what was asked for."""
        return not self.span.started_at

    def flush(self) -> None:
        """Write what the connection has brought by now; what goes wrong ends the call later."""
        self.call.flush()

    def on_end(self, call: Call) -> None:
        """Judge a file that is tiny, and tell the owner."""
        if self._head and call.error is None:
            try:
                if self.call_end < (self.owner.size or 0):
                    raise RangesUnusable("The server sends next to nothing of a range.")
                self.owner.look_at_head(self._head)
                self._write(memoryview(self._head))
            except EngineError as error:
                call.error = error
        self.owner.lane_ended(self, call)
