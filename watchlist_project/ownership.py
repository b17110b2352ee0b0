"""One supervisor for each DATA_DIR, and none of its processes left behind.

Two lock files. The first belongs to the supervisor alone: whoever cannot take it is the second one.
The second is inherited by every process that the supervisor starts, so it is free exactly when the
last of them has ended, also after the supervisor itself was killed.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from watchlist_project.env import BadSetting

_LEFTOVER_GRACE_SECONDS = 2.0
_LEFTOVER_LIMIT_SECONDS = 10.0
_POLL_SECONDS = 0.05


class DataDirOwner:
    """Holds both locks for as long as the supervisor lives."""

    def __init__(self, data_dir: Path) -> None:
        """Nothing is locked yet."""
        self._data_dir = data_dir
        self._own_path = data_dir / "supervisor.lock"
        self._parts_path = data_dir / "parts.lock"
        self.own_descriptor = -1
        self.parts_descriptor = -1

    def acquire(self) -> None:
        """Take both locks; end what a killed supervisor left. Raises BadSetting."""
        self.own_descriptor = self._open(self._own_path)
        if not _lock(self.own_descriptor):
            raise BadSetting(
                f"Cannot start: Tsuzuku already runs on {self._data_dir}"
                f" (process {self._running_process()}); stop it or set another DATA_DIR."
            )
        os.ftruncate(self.own_descriptor, 0)
        os.write(self.own_descriptor, f"{os.getpid()}\n".encode())
        self.parts_descriptor = self._open(self._parts_path)
        self._outlive_leftovers()

    def release(self) -> None:
        """Give both locks back."""
        for descriptor in (self.parts_descriptor, self.own_descriptor):
            if descriptor >= 0:
                os.close(descriptor)
        self.own_descriptor = self.parts_descriptor = -1

    def _open(self, path: Path) -> int:
        try:
            return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise BadSetting(f"Cannot start: {path} cannot be opened: {error.strerror}.") from None

    def _running_process(self) -> str:
        with suppress(OSError):
            return self._own_path.read_text(encoding="ascii", errors="replace").strip()
        return "unknown"

    def _outlive_leftovers(self) -> None:
        started = time.monotonic()
        while not _lock(self.parts_descriptor):
            waited = time.monotonic() - started
            if waited > _LEFTOVER_LIMIT_SECONDS:
                raise BadSetting(
                    f"Cannot start: processes of an earlier start still use {self._data_dir}: "
                    f"{', '.join(map(str, holders(self._parts_path)))}; end them first."
                )
            if waited > _LEFTOVER_GRACE_SECONDS:
                for pid in holders(self._parts_path):
                    with suppress(ProcessLookupError, PermissionError):
                        os.kill(pid, signal.SIGKILL)
            time.sleep(_POLL_SECONDS)


def holders(path: Path) -> list[int]:
    """The other processes that have this file open."""
    found = _holders_in_proc(path) if sys.platform == "linux" else _holders_by_lsof(path)
    return sorted(found - {os.getpid()})


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holders_in_proc(path: Path) -> set[int]:
    found = set()
    target = str(path.resolve())
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            # Processes end while they are looked at, and those of others are closed to us.
            with suppress(OSError):
                if any(str(link.readlink()) == target for link in (folder / "fd").iterdir()):
                    found.add(int(folder.name))
    return found


def _holders_by_lsof(path: Path) -> set[int]:
    try:
        answer = subprocess.run(
            ["lsof", "-t", "--", str(path)],  # noqa: S607 -- where it is differs by system
            capture_output=True,
            text=True,
            check=False,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return set()
    return {int(word) for word in answer.stdout.split() if word.isdecimal()}
