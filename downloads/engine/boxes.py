"""Reads the outline of MP4 files without a parser that trusts them (ISO/IEC 14496-12, 4.2)."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass

_MAX_BOXES = 200_000
# What stands side by side in a file (ISO/IEC 14496-12, table 1; 23009-1 for the segments').
_USUAL_BOXES = frozenset(
    b"ftyp styp moov moof mfra mdat free skip wide meta uuid sidx ssix prft emsg pdin udta".split()
)
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
    """Whether a box of the file shows that bytes are missing at the end."""
    last_end = 0
    for box in outline(descriptor, 0, size):
        if box.end > size:
            # What follows the last box may be anything: padding, a tag, a proxy's remark.
            return box.name in _USUAL_BOXES
        last_end = box.end
    return last_end == 0
