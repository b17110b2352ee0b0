"""Reading the body of an HTTP answer: bounded in size and time, at most one content coding.

Part of the HTTP door; plain Python.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable

import urllib3

from providers.connections import DeadlineError, Exchange
from providers.errors import TooLarge, Unreachable

_READ_BYTES = 65_536
# The right word for "none" and those that servers send by mistake in its place.
_NO_CODINGS = frozenset({"", "identity", "none", "utf-8"})


def read_body(raw: urllib3.BaseHTTPResponse, exchange: Exchange, max_bytes: int) -> bytes:
    """Read an answer to its end, at most `max_bytes` on the wire and decoded.

    Raises TooLarge, Unreachable, and what urllib3, http.client and zlib raise.
    """
    decode = _decoder(raw.headers.get("Content-Encoding", ""))
    parts: list[bytes] = []
    size_bytes = received_bytes = 0
    while True:
        # read1 returns what one packet brought: a trickle can not hold it until the deadline.
        chunk = raw.read1(_READ_BYTES, decode_content=False)
        if exchange.is_cut:
            # http.client takes the cut for the end of the headers, or of a body without a length.
            raise DeadlineError("the deadline passed")
        received_bytes += len(chunk)
        piece = decode(chunk, max_bytes + 1 - size_bytes)
        size_bytes += len(piece)
        if max(size_bytes, received_bytes) > max_bytes:
            raise TooLarge(f"The answer is larger than {max_bytes:,} bytes.")
        parts.append(piece)
        if not chunk:
            return b"".join(parts)


def _decoder(coding: str) -> Callable[[bytes, int], bytes]:
    """Undo the one content coding that we ask for; b"" ends the body. Raises Unreachable."""
    codings = [
        name for each in coding.split(",") if (name := each.strip().lower()) not in _NO_CODINGS
    ]
    if not codings:
        return lambda chunk, _limit: chunk
    if codings in (["gzip"], ["x-gzip"]):
        return _Gunzip()
    raise Unreachable("The site's answer has an encoding that was not asked for.")


class _Gunzip:
    """Inflates at most as many bytes as the caller still takes (RFC 1952, several members).

    Zero bytes behind a member are padding, as gzip itself takes them.
    """

    def __init__(self) -> None:
        self._inflate = zlib.decompressobj(31)
        self._has_begun = False

    def __call__(self, chunk: bytes, limit_bytes: int) -> bytes:
        if not chunk:
            if self._has_begun and not self._inflate.eof:
                raise zlib.error("the compressed body is incomplete")
            return b""
        self._has_begun = True
        pieces: list[bytes] = []
        while chunk and limit_bytes > 0:
            if self._inflate.eof:
                chunk = chunk.lstrip(b"\0")
                if not chunk:
                    break
                self._inflate = zlib.decompressobj(31)
            piece = self._inflate.decompress(chunk, limit_bytes)
            limit_bytes -= len(piece)
            pieces.append(piece)
            chunk = self._inflate.unused_data or self._inflate.unconsumed_tail
        return b"".join(pieces)
