"""What a process must do about its parent, its name and its signals."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1
# Loaded at import: between a fork and an exec nothing may be looked up any more.
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def die_with_parent(parent: int, signal_number: int = signal.SIGKILL) -> None:
    """Get this signal when the parent ends, however it ends (Linux); called in the child.

    The parent may have ended before the request was in place, so that is looked at afterwards.
    """
    if _libc is not None:
        _libc.prctl(_PR_SET_PDEATHSIG, signal_number)
    if os.getppid() != parent:
        os._exit(1)
