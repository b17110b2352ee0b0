"""Keeps finished segments on disk in the order they arrive, and remembers where each one is.

Each connection appends to a file of its own; a log says which segment lies where. A line is written
after the segment's last byte; from time to time a sync line tells how many of them have reached the
disk. After a power cut, or when a line says that the disk has lost something, only those are
believed. When all were joined a line says to which file.
"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from downloads.engine.journal import boot_id
from downloads.engine.storage import write_at

_LOG_NAME = "segments.log"
_SYNC_SECONDS = 5.0
_VERSION = "1"
_OLDEST_SEGMENTS = 8
_LOST = "lost"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a segment's bytes are."""

    lane: int
    offset: int
    length: int


class SegmentStore:
    """The segments of one stream, whatever its tracks; safe to be read from another thread."""

    def __init__(self, folder: Path, fingerprint: str, count: int) -> None:
        self._folder = folder
        self._files: dict[int, int] = {}
        self._ends: dict[int, int] = {}
        self._places: dict[int, Place] = {}
        self._changed = threading.Condition()
        self._syncing: threading.Thread | None = None
        self._failure: OSError | None = None
        self._next_sync = time.monotonic() + _SYNC_SECONDS
        self.newest: int | None = None
        self.joined: Path | None = None  # what an earlier run has made of all segments
        self._line_count = 0
        header = self._header = f"{_VERSION} {fingerprint} {count}"
        lines = self._read_log(header)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        self._log = os.open(folder / _LOG_NAME, flags, 0o600)
        if lines is None:
            self._begin(header)
        else:
            self._load(lines, count)

    def _read_log(self, header: str) -> list[str] | None:
        try:
            text = (self._folder / _LOG_NAME).read_text(encoding="ascii")
        except (OSError, ValueError):
            return None
        lines = text.split("\n")[:-1]
        if not lines or lines[0] != header:
            return None
        return lines[1:]

    def _begin(self, header: str) -> None:
        os.ftruncate(self._log, 0)
        for path in self._folder.glob("lane-*"):
            path.unlink()
        self._append(f"{header}\nboot {boot_id()}\n")

    def _load(self, lines: list[str], count: int) -> None:
        entries = [entry for line in lines if (entry := _entry(line, count)) is not None]
        has_lost = f"boot {boot_id()}" not in lines or _LOST in lines
        if has_lost:
            synced = [int(line[5:]) for line in lines if re.fullmatch(r"sync \d{1,9}", line)]
            entries = entries[: max(synced, default=0)]
        for index, place in entries:
            self._trust(index, place)
        self._line_count = len(entries)
        if has_lost:
            self._rewrite(count)
        else:
            self.joined = self._joined_file(lines)

    def _joined_file(self, lines: list[str]) -> Path | None:
        for line in reversed(lines):
            match = re.fullmatch(r"joined (\d{1,15}) ([\w.]+)", line)
            if match is None:
                continue
            path = self._folder / match[2]
            if path.is_file():
                return path if path.stat().st_size == int(match[1]) else None
        return None

    def _rewrite(self, count: int) -> None:
        places = dict(self._places)
        header = self._header
        os.ftruncate(self._log, 0)
        lines = [_line(index, place) for index, place in places.items() if index < count]
        self._append(f"{header}\nboot {boot_id()}\n{''.join(lines)}sync {len(lines)}\n")
        self._line_count = len(lines)

    def _trust(self, index: int, place: Place) -> None:
        end = place.offset + place.length
        try:
            size = os.fstat(self.file_of(place.lane)).st_size
        except OSError:
            return
        if size >= end:
            self._places[index] = place
            self._ends[place.lane] = max(self._ends.get(place.lane, 0), end)
            self.newest = index

    def _append(self, text: str) -> None:
        os.write(self._log, text.encode("ascii"))

    def file_of(self, lane: int) -> int:
        """The descriptor of a connection's file."""
        descriptor = self._files.get(lane)
        if descriptor is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._folder / f"lane-{lane:03d}", flags, 0o600)
            self._files[lane] = descriptor
        return descriptor

    def end_of(self, lane: int) -> int:
        """Where the next segment of a connection begins."""
        return self._ends.get(lane, 0)

    @property
    def finished(self) -> frozenset[int]:
        """The segments that are whole."""
        return frozenset(self._places)

    @property
    def finished_count(self) -> int:
        """How many segments are whole."""
        return len(self._places)

    @property
    def oldest(self) -> int:
        """Of the segments that were finished first the one with the most to compare."""
        first = list(self._places.items())[:_OLDEST_SEGMENTS]
        return max(first, key=lambda item: item[1].length)[0]

    @property
    def stored_bytes(self) -> int:
        """Bytes of all whole segments."""
        return sum(place.length for place in self._places.values())

    def write(self, lane: int, content: bytes | memoryview, length: int) -> None:
        """Add bytes to a segment of which `length` are written. Raises OSError."""
        write_at(self.file_of(lane), content, self.end_of(lane) + length)

    def add(self, index: int, lane: int, length: int) -> None:
        """A segment was written at the end of its connection's file.

        Raises OSError, also for any sync so far.
        """
        self._check()
        place = Place(lane, self.end_of(lane), length)
        self._ends[lane] = place.offset + length
        self._append(_line(index, place))
        self._line_count += 1
        with self._changed:
            self._places[index] = place
            self._changed.notify_all()
        if time.monotonic() >= self._next_sync:
            self._next_sync = time.monotonic() + _SYNC_SECONDS
            self._start_sync()

    def place_of(self, index: int, *, timeout_seconds: float | None = None) -> Place | None:
        """Where a segment is; None when it is still missing after the timeout."""
        if index not in self._places and timeout_seconds is not None:
            with self._changed:
                self._changed.wait_for(lambda: index in self._places, timeout_seconds)
        return self._places.get(index)

    def read(self, place: Place, offset: int, size: int) -> bytes:
        """Bytes of a segment. Raises OSError."""
        size = min(size, place.length - offset)
        return os.pread(self._files[place.lane], size, place.offset + offset)

    def note_joined(self, path: Path) -> None:
        """All segments are in this file of the same folder; they are needed no more.

        Raises OSError when some of what it was made of may have been lost.
        """
        self._finish_sync()
        self._append(f"joined {path.stat().st_size} {path.name}\n")

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the segments are."""
        return tuple(self._folder.glob("lane-*"))

    def _start_sync(self) -> None:
        if self._syncing is None or not self._syncing.is_alive():
            files = list(self._files.values())
            self._syncing = threading.Thread(
                target=self._sync, args=(files, self._line_count), daemon=True
            )
            self._syncing.start()

    def _sync(self, files: list[int], lines: int) -> None:
        try:
            for descriptor in files:
                os.fdatasync(descriptor)
            self._append(f"sync {lines}\n")
            os.fdatasync(self._log)
        except OSError as error:
            # The system tells it this once, and from now on takes the bytes for written.
            self._failure = error
            with contextlib.suppress(OSError):
                self._append(f"{_LOST}\n")

    def _finish_sync(self) -> None:
        if self._syncing is not None:
            self._syncing.join()
        self._check()

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    @staticmethod
    def discard(folder: Path) -> None:
        """Forget all segments of a folder; no store may be open on it."""
        (folder / _LOG_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of all files. Raises OSError when not all that was to be synced could be."""
        try:
            self._finish_sync()
        finally:
            for descriptor in [*self._files.values(), self._log]:
                os.close(descriptor)
            self._files.clear()


def _line(index: int, place: Place) -> str:
    return f"{index} {place.lane} {place.offset} {place.length}\n"


def _entry(line: str, count: int) -> tuple[int, Place] | None:
    match = re.fullmatch(r"(\d{1,9}) (\d{1,3}) (\d{1,15}) (\d{1,15})", line)
    if match is None or int(match[1]) >= count:
        return None
    return int(match[1]), Place(int(match[2]), int(match[3]), int(match[4]))
