"""The partial file of a direct download together with its journal."""

from __future__ import annotations

import os
import time

from downloads.engine.journal import Identity, Journal, Syncer
from downloads.engine.ranges import RangePlan
from downloads.engine.storage import WorkFolder, has_cheap_preallocation, write_at

PART_NAME = "media.part"
_MARK_BYTES = 1_000_000
_MARK_SECONDS = 0.25
_SYNC_SECONDS = 5.0


class PartFile:
    """Bytes at offsets, and a memory of which of them are there that survives everything."""

    def __init__(self, folder: WorkFolder) -> None:
        self.path = folder.path / PART_NAME
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self.descriptor = os.open(self.path, flags, 0o600)
        self._folder = folder.path
        self._journal, self._written = Journal.load(folder.path)
        self._syncer = Syncer(self._journal, self.descriptor)
        self._unmarked_bytes = 0
        self._next_mark = 0.0
        self._next_sync = time.monotonic() + _SYNC_SECONDS

    @property
    def identity(self) -> Identity:
        """The remote file that the bytes belong to."""
        return self._journal.identity

    def resumed_plan(self) -> RangePlan | None:
        """What is left to fetch after an earlier run; None when there is nothing to build on."""
        size, written = self.identity.size, self._written
        if size is None or not written:
            return None
        if os.fstat(self.descriptor).st_size < written[-1][1]:
            return None
        return RangePlan.resume(size, written)

    def begin(self, identity: Identity) -> None:
        """Start with nothing on disk; reserves the room when the size is known. Raises OSError."""
        self._syncer.wait()
        self._journal.begin(identity)
        os.ftruncate(self.descriptor, 0)
        if identity.size:
            if has_cheap_preallocation(self._folder):
                os.posix_fallocate(self.descriptor, 0, identity.size)
            os.ftruncate(self.descriptor, identity.size)

    def write(self, content: memoryview, offset: int) -> None:
        """Put bytes at an offset. Raises OSError."""
        write_at(self.descriptor, content, offset)
        self._unmarked_bytes += len(content)

    def matches(self, content: memoryview, offset: int) -> bool:
        """Whether the same bytes are on disk there."""
        return os.pread(self.descriptor, len(content), offset) == content

    @property
    def wants_mark(self) -> bool:
        """Whether so much has been written that it should be noted at once."""
        return self._unmarked_bytes >= _MARK_BYTES

    def is_mark_due(self, now: float) -> bool:
        """Whether it is time to note what has been written, however little."""
        return now >= self._next_mark

    def mark(self, plan: RangePlan) -> None:
        """Note what has been written; from time to time bring it to the disk. Raises OSError."""
        self._syncer.check()
        now = time.monotonic()
        self._unmarked_bytes = 0
        self._next_mark = now + _MARK_SECONDS
        written = plan.written()
        self._journal.mark(written)
        if now >= self._next_sync:
            self._next_sync = now + _SYNC_SECONDS
            self._syncer.start(written)

    def finish(self, size: int) -> None:
        """Give the file its final size."""
        os.ftruncate(self.descriptor, size)

    @staticmethod
    def discard(folder: WorkFolder) -> None:
        """Remove the file and its journal; neither may be open."""
        Journal.discard(folder.path)
        (folder.path / PART_NAME).unlink(missing_ok=True)

    def close(self) -> None:
        """Let go of the file. Raises OSError when not all that was to be synced could be."""
        try:
            self._syncer.wait()
        finally:
            self._journal.close()
            os.close(self.descriptor)
