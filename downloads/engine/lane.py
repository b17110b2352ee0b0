"""One connection of a direct download: checks the answer, compares, writes."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from downloads.engine.backoff import StatusRefused
from downloads.engine.errors import EngineError
from downloads.engine.journal import Identity
from downloads.engine.ranges import Span
from downloads.engine.sniff import SNIFF_BYTES
from downloads.engine.transport import Answer, Call

if TYPE_CHECKING:
    from downloads.engine.progressive import Progressive

OVERLAP_BYTES = 65_536
GATHER_BYTES = 262_144
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")


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
    if answer.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
        return identity
    if answer.status == HTTPStatus.PARTIAL_CONTENT:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match and match[3] != "*":
            identity.size = int(match[3])
    elif answer.headers.get("content-length", "").isdigit():
        identity.size = int(answer.headers["content-length"])
    return identity


class Lane:
    """The sink of one call; `span` is what it has to bring."""

    def __init__(self, owner: Progressive, span: Span, overlap_bytes: int) -> None:
        self.owner = owner
        self.span = span
        self.first_byte = span.position - overlap_bytes
        self.call: Call | None = None
        self._compared = overlap_bytes  # bytes still to be compared with what is on disk
        self._skipped = 0  # bytes that the server sends before the asked ones
        self._pieces: list[bytes] = []
        self._pending = 0
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

    def _refuse_unsatisfiable(self) -> None:
        # An empty file has no range that could be asked for; any other has become shorter.
        if self.first_byte == 0:
            raise RangesUnusable("The server accepts no range.")
        raise RemoteChanged("The remote file has changed.")

    def _check_range(self, answer: Answer) -> None:
        match = _CONTENT_RANGE.fullmatch(answer.headers.get("content-range", ""))
        if match is None or int(match[1]) > self.first_byte:
            raise RangesUnusable("The server answers ranges wrongly.")
        if answer.headers.get("content-encoding", "identity").lower() not in {"", "identity"}:
            raise RangesUnusable("The server compresses ranges.")
        self._skipped = self.first_byte - int(match[1])
        self.call_end = min(int(match[2]) + 1, self.owner.size_limit)

    def on_piece(self, piece: bytes) -> bool:
        """Gather; false when the rest belongs to another connection."""
        if self._skipped or self._compared:
            piece = self._without_known(piece)
        span = self.span
        if not span.started_at:
            span.started_at = self.owner.now()
        self._pieces.append(piece)
        self._pending += len(piece)
        if self._pending >= GATHER_BYTES or span.position + self._pending >= span.end:
            self.flush()
            return span.position < span.end or span.end >= self.call_end
        return True

    def _without_known(self, piece: bytes) -> bytes:
        if self._skipped:
            skipped = min(self._skipped, len(piece))
            self._skipped -= skipped
            piece = piece[skipped:]
        if self._compared and piece:
            size = min(self._compared, len(piece))
            at = self.span.position - self._compared
            if not self.owner.part.matches(piece[:size], at):
                raise RemoteChanged("The remote file has changed.")
            self._compared -= size
            piece = piece[size:]
        return piece

    def flush(self, *, is_last: bool = False) -> None:
        """Write what was gathered. Raises OSError, NotAVideo, RangesUnusable."""
        # A file's first bytes are judged, which takes enough of them.
        is_too_early = self.span.position == 0 and self._pending < SNIFF_BYTES and not is_last
        if not self._pending or is_too_early:
            return
        span, pieces, size = self.span, self._pieces, self._pending
        self._pieces, self._pending = [], 0
        if span.position == 0:
            self.owner.look_at_head(b"".join(pieces[:2]))
        excess = span.position + size - span.end
        if excess > 0:
            content = b"".join(pieces)
            self.owner.check_seam(span.end, content[size - excess :])
            pieces, size = [content[: size - excess]], size - excess
        if size:
            self.owner.part.write(pieces, span.position)
            span.position += size
            self.owner.note_bytes(size)

    def on_end(self, call: Call) -> None:
        """Write the rest and tell the owner."""
        if not isinstance(call.error, RemoteChanged | RangesUnusable):
            try:
                self.flush(is_last=call.error is None)
            except EngineError as error:
                call.error = error
        self.owner.lane_ended(self, call)
