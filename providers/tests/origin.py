"""A loopback server that sends exactly the bytes a test wants, however wrong they are."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

Behaviour = Callable[[socket.socket], None]


class Origin:
    """Listens on a free port; `answers` maps a path to what is done with the connection."""

    def __init__(self) -> None:
        self.answers: dict[str, Behaviour] = {}
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.is_open = True
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Stop listening and end what is still being sent."""
        self.is_open = False
        for each in (self._listener, *self._connections):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def paths(self) -> list[str]:
        """The path of every request so far."""
        return [request.split(b" ", 2)[1].decode() for request in self.requests]

    def header(self, name: str, *, of_request: int = -1) -> str | None:
        """A header of a request, the last by default; None when it was not sent."""
        head = self.requests[of_request].partition(b"\r\n\r\n")[0].decode("latin-1")
        for line in head.split("\r\n")[1:]:
            found, _, value = line.partition(": ")
            if found.lower() == name.lower():
                return value
        return None

    def _accept(self) -> None:
        while self.is_open:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            while (request := _read_request(connection)) is not None:
                self.requests.append(request)
                target = request.split(b" ", 2)[1].decode("latin-1")
                answer = self.answers.get(urlsplit(target).path)
                if answer is None:
                    connection.sendall(page(b"not here", status="404 Not Found"))
                    continue
                answer(connection)
                if getattr(answer, "ends_connection", True):
                    return


def _read_request(connection: socket.socket) -> bytes | None:
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65_536)
        if not piece:
            return None
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length: "):
            while len(body) < int(line.split(b" ")[1]):
                body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


def page(body: bytes, *, status: str = "200 OK", **headers: str) -> bytes:
    """A correct answer; underscores in header names become dashes."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


def sends(*pieces: bytes) -> Behaviour:
    """Send these bytes and close the connection."""

    def behave(connection: socket.socket) -> None:
        for piece in pieces:
            connection.sendall(piece)

    return behave


def serves(body: bytes, *, status: str = "200 OK", **headers: str) -> Behaviour:
    """Answer correctly and keep the connection open for the next request."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(page(body, status=status, **headers))

    behave.ends_connection = False  # type: ignore[attr-defined]  # read by Origin
    return behave


def redirects(location: str, status: str = "302 Found") -> Behaviour:
    """Answer with a redirect."""
    return serves(b"", status=status, Location=location)


def repeats(start: bytes, piece: bytes, *, pause_seconds: float = 0.0) -> Behaviour:
    """Send `piece` for ever, or until the other side has enough."""

    def behave(connection: socket.socket) -> None:
        pause = threading.Event()
        connection.sendall(start)
        while True:
            connection.sendall(piece)
            pause.wait(pause_seconds)

    return behave


def stays_silent(start: bytes = b"") -> Behaviour:
    """Send the beginning and then nothing, the connection left open."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        connection.recv(1)

    return behave


def resets(start: bytes = b"") -> Behaviour:
    """Break the connection off with a reset."""

    def behave(connection: socket.socket) -> None:
        connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    return behave


@contextlib.contextmanager
def running_origin() -> Iterator[Origin]:
    """An origin that is closed afterwards."""
    origin = Origin()
    try:
        yield origin
    finally:
        origin.close()
