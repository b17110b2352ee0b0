"""What is on disk of a partial file, so that any later run on any worker can go on safely.

Two files in the work folder. `journal.json` is replaced atomically and names the remote file (size
and validators) and the ranges that have been synced to the disk. `marks` is overwritten in place
many times a second and names the ranges that have been written; it is believed only while the
machine has not been restarted since, because a power cut loses what was written but not synced.
"""

from __future__ import annotations

import contextlib
import json
import os
import threading
import zlib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

Ranges = list[tuple[int, int]]  # sorted, disjoint, half open

_JOURNAL_NAME = "journal.json"
_MARKS_NAME = "marks"
_SLOT_BYTES = 4096
_MAX_RANGES = 100


@dataclass(slots=True)
class Identity:
    """What tells one version of a remote file from another."""

    size: int | None = None
    etag: str = ""  # strong ones only
    last_modified: str = ""

    @property
    def validator(self) -> str:
        """What `If-Range` may carry; empty when the server gives nothing usable."""
        return self.etag or self.last_modified

    def contradicts(self, other: Identity) -> bool:
        """Whether the two cannot be the same bytes; what one of them does not tell is no proof."""
        for mine, theirs in ((self.etag, other.etag), (self.size, other.size)):
            if mine and theirs and mine != theirs:
                return True
        if self.etag and other.etag:
            return False
        mine_changed, theirs_changed = self.last_modified, other.last_modified
        return bool(mine_changed and theirs_changed and mine_changed != theirs_changed)


@dataclass(slots=True)
class Journal:
    """One generation of a partial file."""

    folder: Path
    identity: Identity = field(default_factory=Identity)
    generation: str = ""  # ties the marks to this journal
    synced: Ranges = field(default_factory=list)
    _marks: int | None = None
    _slot: int = 0
    _sequence: int = 0

    @classmethod
    def load(cls, folder: Path) -> tuple[Journal, Ranges]:
        """The journal of a folder and the ranges that may be trusted; a new one when unreadable."""
        journal = cls(folder)
        try:
            stored = json.loads((folder / _JOURNAL_NAME).read_text(encoding="utf-8"))
            identity = Identity(**stored["identity"])
            journal.identity = identity
            journal.generation = str(stored["generation"])
            journal.synced = _checked_ranges(stored["synced"], identity.size)
        except (OSError, ValueError, KeyError, TypeError):
            return cls(folder), []
        written = journal._read_marks()
        return journal, written if written is not None else journal.synced

    def begin(self, identity: Identity) -> None:
        """Start a new generation in which nothing is on disk yet."""
        self.identity, self.synced = identity, []
        self.generation = os.urandom(8).hex()
        self._save()

    def _save(self) -> None:
        content = {
            "identity": {
                "size": self.identity.size,
                "etag": self.identity.etag,
                "last_modified": self.identity.last_modified,
            },
            "generation": self.generation,
            "synced": self.synced,
        }
        replace_file(self.folder / _JOURNAL_NAME, json.dumps(content).encode())

    def mark(self, written: Ranges) -> None:
        """Note what has been written; cheap enough to be called for every megabyte."""
        if self._marks is None:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._marks = os.open(self.folder / _MARKS_NAME, flags, 0o600)
        self._sequence += 1
        self._slot ^= 1
        body = json.dumps([self._sequence, boot_id(), self.generation, written[:_MAX_RANGES]])
        record = b"%08x %s\n" % (zlib.crc32(body.encode()), body.encode())
        os.pwrite(self._marks, record.ljust(_SLOT_BYTES), self._slot * _SLOT_BYTES)

    def _read_marks(self) -> Ranges | None:
        best: tuple[int, Ranges] | None = None
        with contextlib.suppress(OSError):
            content = (self.folder / _MARKS_NAME).read_bytes()
            for start in (0, _SLOT_BYTES):
                slot = self._read_slot(content[start : start + _SLOT_BYTES])
                if slot is not None and (best is None or slot[0] > best[0]):
                    best = slot
        if best is None:
            return None
        self._sequence = best[0]
        return best[1]

    def _read_slot(self, slot: bytes) -> tuple[int, Ranges] | None:
        try:
            checksum, body = slot.rstrip().split(b" ", 1)
            if int(checksum, 16) != zlib.crc32(body):
                return None
            sequence, boot, generation, ranges = json.loads(body)
            if boot != boot_id() or generation != self.generation:
                return None
            return int(sequence), _checked_ranges(ranges, self.identity.size)
        except (ValueError, TypeError):
            return None

    def note_synced(self, synced: Ranges) -> None:
        """Note what has reached the disk; the caller has synced the file before."""
        self.synced = synced
        self._save()

    def distrust_marks(self) -> None:
        """The disk has lost what was not synced; what was written is not believed any more."""
        (self.folder / _MARKS_NAME).unlink(missing_ok=True)

    @staticmethod
    def discard(folder: Path) -> None:
        """Forget what was on disk; no journal may be open on the folder."""
        for name in (_JOURNAL_NAME, _MARKS_NAME):
            (folder / name).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the marks."""
        if self._marks is not None:
            os.close(self._marks)
            self._marks = None


class Syncer:
    """Brings the written ranges to the disk from time to time without holding up the transfer.

    The system tells of a write that the disk refused once only, to the sync that comes first, and
    from then on takes the bytes for written. So a failure is kept, and told until the end.
    """

    def __init__(self, journal: Journal, descriptor: int) -> None:
        self._journal = journal
        self._descriptor = descriptor
        self._thread: threading.Thread | None = None
        self._failure: OSError | None = None

    def start(self, written: Ranges) -> None:
        """Sync in the background, unless that is still being done."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._sync, args=(written,), daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Wait for the running sync. Raises OSError, as `check` does."""
        if self._thread is not None:
            self._thread.join()
        self.check()

    def check(self) -> None:
        """Raises the OSError of any sync so far."""
        if self._failure is not None:
            raise self._failure

    def _sync(self, written: Ranges) -> None:
        try:
            os.fdatasync(self._descriptor)
            self._journal.note_synced(written)
        except OSError as error:
            self._failure = error
            with contextlib.suppress(OSError):
                self._journal.distrust_marks()


def replace_file(path: Path, content: bytes) -> None:
    """Replace a small file so that after a crash either the old or the new content is there."""
    temporary = path.with_name(path.name + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(descriptor, content)
        os.fdatasync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Changes with every start of the machine."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        # Without it nothing that was not synced is believed.
        return os.urandom(8).hex()


def _checked_ranges(stored: object, size: int | None) -> Ranges:
    if not isinstance(stored, list):
        raise TypeError("ranges must be a list")
    ranges = [(int(start), int(end)) for start, end in stored]
    last = 0
    for start, end in ranges:
        if start < last or end <= start or (size is not None and end > size):
            raise ValueError("ranges overlap or leave the file")
        last = end
    return ranges
