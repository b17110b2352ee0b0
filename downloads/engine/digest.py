"""The checksum of a file, computed while its beginning is already there."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Condition, Event, Thread

_PIECE_BYTES = 1_048_576
_WAIT_SECONDS = 0.1


def sha256_of(path: Path, stop: Event | None = None) -> str:
    """Hexadecimal SHA-256 of a file; an empty text when told to stop. Raises OSError."""
    import hashlib  # noqa: PLC0415 - brings a second OpenSSL, and not every caller wants a sum

    checksum = hashlib.sha256()
    buffer = memoryview(bytearray(_PIECE_BYTES))
    with path.open("rb", buffering=0) as content:
        while count := content.readinto(buffer):
            checksum.update(buffer[:count])
            if stop is not None and stop.is_set():
                return ""
    return checksum.hexdigest()


class RunningDigest:
    """Follows the front of a growing file in a thread; the sum is there soon after the file.

    What is wrong with the file's bytes or cannot be read is no matter of this class: then the sum
    is computed anew from the whole file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed = Condition()
        self._front = 0
        self._generation = 0  # grows when the bytes before the front are no longer the same
        self._is_closed = False
        self._is_whole = False
        self._sums: dict[int, str] = {}  # by size
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def advance(self, front: int) -> None:
        """All bytes before this offset are in the file; fewer than before: it began anew."""
        if front == self._front:
            return
        with self._changed:
            if front < self._front:
                self._generation += 1
            self._front = front
            self._changed.notify()

    def finish(self, size: int, stop: Event) -> str:
        """The sum of the whole file; an empty text when told to stop. Raises OSError."""
        self.advance(size)
        with self._changed:
            self._is_whole = True
            self._changed.notify()
        while self._thread.is_alive() and not stop.is_set():
            self._thread.join(_WAIT_SECONDS)
        if stop.is_set():
            return ""
        return self._sums.get(size) or sha256_of(self._path, stop)

    def close(self) -> None:
        """End the thread; nothing of it runs on after the return."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        self._thread.join()

    def _run(self) -> None:
        try:
            descriptor = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except OSError:
            return
        try:
            self._follow(descriptor)
        finally:
            os.close(descriptor)

    def _follow(self, descriptor: int) -> None:
        import hashlib  # noqa: PLC0415 - as above

        buffer = memoryview(bytearray(_PIECE_BYTES))
        generation, position, checksum = 0, 0, hashlib.sha256()
        while True:
            front = self._wait_for(position)
            if front is None:
                return
            if generation != self._generation:
                generation, position, checksum = self._generation, 0, hashlib.sha256()
                continue
            wanted = min(front - position, _PIECE_BYTES)
            if not wanted:
                self._sums[position] = checksum.hexdigest()
                return
            count = os.preadv(descriptor, [buffer[:wanted]], position)
            if not count:
                return
            checksum.update(buffer[:count])
            position += count

    def _wait_for(self, position: int) -> int | None:
        """The front, as soon as there is a piece worth reading; None: it is over."""
        with self._changed:
            generation = self._generation
            self._changed.wait_for(
                lambda: (
                    self._is_closed
                    or self._is_whole
                    or self._generation != generation
                    or self._front - position >= _PIECE_BYTES
                )
            )
            return None if self._is_closed else self._front
