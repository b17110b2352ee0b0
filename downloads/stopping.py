"""Tells running downloads that their worker is going down, so that they hand back at once.

One byte of memory shared by a worker's main process, which gets the signal, and its pool children,
which run the downloads. Plain Python.
"""

from __future__ import annotations

import mmap

_flag = mmap.mmap(-1, 1)


def renew() -> None:
    """Give this worker a flag of its own; called before its pool children are forked."""
    global _flag  # noqa: PLW0603 -- the flag is one per process by nature
    _flag = mmap.mmap(-1, 1)


def request_stop() -> None:
    """Ask the downloads of this worker to hand back."""
    _flag[0] = 1


def stop_requested() -> bool:
    """Whether this worker is going down; cheap enough to ask many times a second."""
    return _flag[0] == 1
