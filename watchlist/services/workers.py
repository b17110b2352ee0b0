"""The name of a worker's process, and whether it still lives."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path


def new_owner() -> str:
    """A name for what this process takes now: host, process and something of its own."""
    return f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"


def is_gone(owner: str) -> bool:
    """Whether the process of this name has ended; False too when that cannot be seen from here."""
    host, _, rest = owner.partition(":")
    process_id = rest.partition(":")[0]
    if host != socket.gethostname() or not process_id.isdecimal():
        return False
    try:
        os.kill(int(process_id), 0)
    except ProcessLookupError:
        return True
    except (PermissionError, OverflowError):
        return False
    return _is_only_a_name(process_id)


def _is_only_a_name(process_id: str) -> bool:
    """Whether it has ended and waits for a parent that never asks: some containers have none."""
    try:
        line = Path("/proc", process_id, "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return line.rpartition(")")[2].split()[0] == "Z"
