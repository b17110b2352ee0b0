"""The states of a download and the moves between them; plain Python.

    queued -> resolving -> downloading -> importing -> completed
      |           |             |             |            |
      |           +------+------+-------------+            +-> queued   ("download again")
      |                  v
      |      queued (retry later, handed back) | blocked | failed | paused | cancelled
      +-> paused, blocked, cancelled

    paused -> queued, cancelled        blocked -> queued, paused, cancelled
    failed -> queued (retry), cancelled        cancelled -> queued (wanted again)

`blocked` means that the machine or the provider is in the way (disk full, provider off): it burns
no attempt and goes on by itself. `importing` means that the verified file is being moved into the
library; a person can no longer stop it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class State(StrEnum):
    """Where a download stands."""

    QUEUED = "queued"
    RESOLVING = "resolving"
    DOWNLOADING = "downloading"
    IMPORTING = "importing"
    COMPLETED = "completed"
    PAUSED = "paused"
    BLOCKED = "blocked"
    FAILED = "failed"
    CANCELLED = "cancelled"


ACTIVE: Final = frozenset({State.RESOLVING, State.DOWNLOADING, State.IMPORTING})
WAITING: Final = frozenset({State.QUEUED, State.PAUSED, State.BLOCKED})
FINISHED: Final = frozenset({State.COMPLETED, State.FAILED, State.CANCELLED})

LEGAL_MOVES: Final[dict[State, frozenset[State]]] = {
    State.QUEUED: frozenset({State.RESOLVING, State.PAUSED, State.BLOCKED, State.CANCELLED}),
    State.RESOLVING: frozenset(
        {
            State.DOWNLOADING,
            State.IMPORTING,
            State.QUEUED,
            State.BLOCKED,
            State.FAILED,
            State.PAUSED,
            State.CANCELLED,
        }
    ),
    State.DOWNLOADING: frozenset(
        {
            State.IMPORTING,
            State.QUEUED,
            State.BLOCKED,
            State.FAILED,
            State.PAUSED,
            State.CANCELLED,
        }
    ),
    State.IMPORTING: frozenset({State.COMPLETED, State.QUEUED, State.BLOCKED, State.FAILED}),
    State.COMPLETED: frozenset({State.QUEUED}),
    State.PAUSED: frozenset({State.QUEUED, State.CANCELLED}),
    State.BLOCKED: frozenset({State.QUEUED, State.PAUSED, State.CANCELLED}),
    State.FAILED: frozenset({State.QUEUED, State.CANCELLED}),
    State.CANCELLED: frozenset({State.QUEUED}),
}


def is_legal(from_: State, to: State) -> bool:
    """Whether the table allows this move."""
    return to in LEGAL_MOVES[from_]
