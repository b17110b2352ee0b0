"""The queues of messages: who works on which, and which task goes where."""

from __future__ import annotations

from typing import Final

from kombu import Exchange, Queue

# In the order in which a worker asks them.
CHECK_QUEUES: Final = ("control", "manual", "checks")
DOWNLOAD_QUEUES: Final = ("downloads",)
# Each with an exchange and key of its own: by default all would share those of `checks`.
QUEUES: Final = [
    Queue(name, Exchange(name), routing_key=name) for name in (*CHECK_QUEUES, *DOWNLOAD_QUEUES)
]
# The first pattern that fits wins.
ROUTES: Final = (
    [
        ("*.tasks.tick*", {"queue": "control"}),
        ("downloads.tasks.*", {"queue": "downloads"}),
        ("watchlist.tasks.*", {"queue": "checks"}),
    ],
)
