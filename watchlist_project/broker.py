"""Where the broker is, the embedded server or that of REDIS_URL, and how messages reach it."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from watchlist_project.env import BadSetting

# A Unix socket's path is limited to 108 bytes on Linux and 104 on macOS.
_LONGEST_SOCKET_PATH = 100
# Messages are in another one: 0, unless REDIS_URL says which.
CACHE_DATABASE = 2
TRANSPORT_OPTIONS: Final = {
    # Longer than any task runs: a message that becomes visible again while its task still runs is
    # run twice. What a dead worker held is taken back by leases in the database, not by this.
    "visibility_timeout": 6 * 3600,
    "unacked_restore_interval": 10,
    "unacked_restore_throttle": 1,
    "socket_keepalive": True,
    "socket_connect_timeout": 5,
    "socket_timeout": 30,
    # Queues are asked in the order in which a worker names them.
    "queue_order_strategy": "priority",
    # Sending gives up at once when the broker is away: the row is written, the next tick wakes it.
    "max_retries": 1,
    "interval_start": 0,
    "interval_step": 0.1,
    "interval_max": 0.2,
    "priority_steps": [0],
    "global_keyprefix": "tsuzuku:",
}


def broker_folder(data_dir: Path) -> Path:
    """The private folder of the embedded server: its append-only file, log and lock."""
    return data_dir / "broker"


def socket_path(data_dir: Path) -> Path:
    """The embedded server's socket; in a private folder for this user when DATA_DIR is too deep."""
    path = broker_folder(data_dir) / "valkey.sock"
    if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH:
        return path
    base = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:16]
    return base / f"tsuzuku-{os.getuid()}" / f"{digest}.sock"


def make_private_folder(path: Path) -> None:
    """Make a folder that only this account may enter; refuse one that somebody else prepared."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = path.stat()
    if state.st_uid != os.getuid():
        raise BadSetting(f"Cannot start: {path} belongs to another account.")
    if state.st_mode & 0o077:
        path.chmod(0o700)


def embedded_url(data_dir: Path) -> str:
    """The embedded server's address in kombu's words."""
    return f"redis+socket://{socket_path(data_dir)}"


def client_url(url: str, database: int = CACHE_DATABASE) -> str:
    """The same server's address in redis-py's words, with the number of a database on it."""
    parts = urlsplit(url)
    if parts.scheme == "redis+socket":
        return f"unix://{parts.path}?db={database}"
    return urlunsplit(parts._replace(path=f"/{database}"))
