"""The name of a worker's process, and whether it still lives."""

from __future__ import annotations

import os
import socket
import uuid
from functools import cache
from pathlib import Path

from downloads.engine.journal import boot_id

_PROCESSES = Path("/proc/self/ns/pid")


def new_owner() -> str:
    """A name for what this process takes now: its place, its number, and something of its own."""
    return f"{_place()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def is_gone(owner: str) -> bool:
    """Whether the process of this name has ended; False too when that cannot be seen from here."""
    place, _, rest = owner.partition(":")
    process_id = rest.partition(":")[0]
    if place != _place() or not process_id.isdecimal():
        return False
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return _is_only_a_name(process_id)


@cache
def _place() -> str:
    """Where a process's number means the same process; a host's name may be shared by containers.

    The name alone where the system does not tell more.
    """
    name = socket.gethostname()[:64]
    try:
        return f"{name}/{boot_id()[:8]}-{_PROCESSES.stat().st_ino}"
    except OSError:
        return name


def _is_only_a_name(process_id: str) -> bool:
    """Whether it has ended and waits for a parent that never asks: some containers have none."""
    try:
        line = Path("/proc", process_id, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return line.rpartition(")")[2].split()[0] == "Z"
