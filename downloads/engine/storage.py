"""The work folder of one transfer: who may use it, how much room there is, what its errors mean."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from pathlib import Path
from types import TracebackType

from downloads.engine.errors import DiskFull, EngineError, FolderBusy, FolderUnwritable

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_LOCK_NAME = "lock"


def storage_error(error: OSError) -> EngineError:
    """What a failed file operation means for the owner of the download."""
    if error.errno in _FULL:
        return DiskFull("There is not enough free space on the disk.")
    reason = os.strerror(error.errno) if error.errno else "unknown error"
    return FolderUnwritable(f"The download folder cannot be written: {reason}.")


def free_bytes(path: Path) -> int:
    """Bytes that an ordinary user may still write on the file system of an existing path."""
    return shutil.disk_usage(path).free


class WorkFolder:
    """A folder that one process at a time may use; use it as a context manager."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    def __enter__(self) -> WorkFolder:
        """Create and lock the folder. Raises FolderBusy, FolderUnwritable, DiskFull."""
        try:
            # Only the last two: a place that has vanished with its disk is not made anew.
            self.path.parent.mkdir(exist_ok=True)
            self.path.mkdir(exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            lock = os.open(self.path / _LOCK_NAME, flags, 0o600)
        except OSError as error:
            raise storage_error(error) from error
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(lock)
            raise FolderBusy("Another process is downloading into the same folder.") from None
        self._lock = lock
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let others in."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def require_space(self, needed_bytes: int, min_free_bytes: int) -> None:
        """Raises DiskFull when that much would not fit, FolderUnwritable without the folder."""
        try:
            free = free_bytes(self.path)
        except OSError as error:
            raise storage_error(error) from error
        needed = max(needed_bytes, 0)
        if free < needed + min_free_bytes:
            raise DiskFull("There is not enough free space on the disk.", needed_bytes=needed)

    def discard(self, *, keep: tuple[str, ...] = ()) -> None:
        """Remove everything that earlier runs left here, except the named entries."""
        for entry in self.path.iterdir():
            if entry.name == _LOCK_NAME or entry.name in keep:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()


def has_cheap_preallocation(path: Path) -> bool:
    """Whether reserving a file's blocks costs next to nothing on the file system of `path`.

    Elsewhere the C library writes into every block of the file, over the network if need be.
    """
    try:
        device = path.stat().st_dev
        wanted = f"{os.major(device)}:{os.minor(device)}"
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
        for line in mounts.splitlines():
            fields = line.split()
            if fields[2] == wanted:
                return fields[fields.index("-") + 1] in {"ext4", "xfs", "btrfs"}
    except (OSError, ValueError, IndexError):
        return False
    return False


def write_at(descriptor: int, content: bytes | memoryview, offset: int) -> None:
    """Write everything at an offset. Raises OSError."""
    written = os.pwrite(descriptor, content, offset)
    while written < len(content):
        # A short write means a full disk or a signal; writing the rest tells which.
        written += os.pwrite(descriptor, memoryview(content)[written:], offset + written)


def sync_folder(path: Path) -> None:
    """Make renames in a folder survive a power cut."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
