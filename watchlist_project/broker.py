"""Where the broker is: the embedded server's socket below DATA_DIR, or the server of REDIS_URL."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from watchlist_project.env import BadSetting

# A Unix socket's path is limited to 108 bytes on Linux and 104 on macOS.
_LONGEST_SOCKET_PATH = 100
_BROKER_DATABASE, CACHE_DATABASE = 0, 2


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
