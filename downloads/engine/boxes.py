"""Reads the outline of MP4 files without a parser that trusts them (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_BOXES = 200_000
_SHORT, _LONG = 8, 16  # bytes of the two kinds of header


@dataclass(frozen=True, slots=True)
class Box:
    """One box: its four-letter name and where it lies in the file."""

    name: bytes
    start: int
    header_bytes: int
    end: int


def outline(descriptor: int, start: int, end: int) -> Iterator[Box]:
    """The boxes between two offsets; a box may claim to end behind `end`, and is the last then."""
    position = start
    for _ in range(_MAX_BOXES):
        head = os.pread(descriptor, 16, position)
        if position + _SHORT > end or len(head) < _SHORT:
            return
        size, name = struct.unpack(">I4s", head[:8])
        header_bytes = 8
        if size == 1 and len(head) == _LONG:
            size, header_bytes = struct.unpack(">Q", head[8:])[0], 16
        elif size == 0:
            size = end - position
        if size < header_bytes:
            return
        yield Box(name, position, header_bytes, position + size)
        position += size


def is_cut(descriptor: int, size: int) -> bool:
    """Whether a box of the file, or the file's tail, shows that bytes are missing at the end."""
    last_end = 0
    for box in outline(descriptor, 0, size):
        if box.end > size:
            return True
        last_end = box.end
    # Some writers pad the end with a few bytes that are no box.
    return last_end == 0
