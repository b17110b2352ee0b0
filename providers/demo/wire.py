"""HTTP/1.1 on loopback with kept-alive connections, small and quick; one thread a connection."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from io import BufferedReader
from urllib.parse import parse_qs, unquote, urlsplit

_IDLE_SECONDS = 60.0
_MAX_LINE_BYTES = 65_536
_MAX_BODY_BYTES = 1_000_000
_MAX_HEADERS = 100
_PIECE_BYTES = 65_536
_WRITES_PER_SECOND = 10.0
_NO_BODY = frozenset({HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED})
_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True)
class Request:
    """One request; header names are in lower case, `path` is percent-decoded."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    port: int  # on which it came in

    @cached_property
    def path(self) -> str:
        """The path without the query."""
        return unquote(self.target.partition("?")[0])

    @cached_property
    def query(self) -> dict[str, str]:
        """The last value of each field of the query."""
        return _fields(self.target.partition("?")[2], "utf-8")

    @cached_property
    def origin(self) -> str:
        """The address that absolute links start with: as asked for, when that leads to us."""
        host = self.headers.get("host", "")
        if host.rpartition(":")[2] != str(self.port):
            host = f"127.0.0.1:{self.port}"
        return f"http://{host}"

    def form(self, encoding: str = "utf-8") -> dict[str, str]:
        """The last value of each field of a form."""
        return _fields(self.body.decode("latin-1"), encoding)


@dataclass(slots=True)
class Reply:
    """One answer, and how badly it is to be delivered."""

    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    status: int = HTTPStatus.OK
    headers: dict[str, str] = field(default_factory=dict)
    bytes_per_second: float | None = None  # None: as fast as it goes
    drop_after_bytes: int | None = None  # of the body; then the connection is reset

    def head(self, *, announced_bytes: int) -> bytes:
        """The status line and the headers."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Status')}"]
        lines.extend(f"{name}: {value}" for name, value in self.headers.items())
        if self.status not in _NO_BODY:
            lines.append(f"Content-Type: {self.content_type}")
            lines.append(f"Content-Length: {announced_bytes}")
        return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n"


Application = Callable[[Request], Reply]


class Listener:
    """One port of 127.0.0.1 that answers with an application until it is closed."""

    def __init__(self, application: Application, port: int = 0) -> None:
        self._application = application
        self._socket = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._socket.getsockname()[1]
        self._closing = threading.Event()
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name="demo site", daemon=True)
        self._acceptor.start()

    def close(self) -> None:
        """Stop listening, end what is being sent, and wait for the threads."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._acceptor.join(timeout=5)
        self._socket.close()
        with self._lock:
            running = dict(self._connections)
        for connection in running:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in running.values():
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self._closing.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            connection.settimeout(_IDLE_SECONDS)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with connection.makefile("rb") as stream, contextlib.suppress(OSError, ValueError):
                self._converse(connection, stream)
        finally:
            with self._lock:
                del self._connections[connection]
            connection.close()

    def _converse(self, connection: socket.socket, stream: BufferedReader) -> None:
        while not self._closing.is_set():
            request = read_request(stream, self.port)
            if request is None:
                return
            reply = self._application(request)
            if not self._send(connection, request, reply):
                return
            if request.headers.get("connection", "").lower() == "close":
                return

    def _send(self, connection: socket.socket, request: Request, reply: Reply) -> bool:
        """Deliver an answer; false when the connection is of no use any more."""
        head = reply.head(announced_bytes=len(reply.body))
        body = b"" if request.method == "HEAD" or reply.status in _NO_BODY else reply.body
        if reply.drop_after_bytes is not None:
            connection.sendall(head + body[: reply.drop_after_bytes])
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return False
        if reply.bytes_per_second is None:
            connection.sendall(head + body if len(body) < _PIECE_BYTES else head)
            if len(body) >= _PIECE_BYTES:
                connection.sendall(body)
            return True
        connection.sendall(head)
        for piece, pause_seconds in _paced(body, reply.bytes_per_second):
            connection.sendall(piece)
            if self._closing.wait(pause_seconds):
                return False
        return True


def read_request(stream: BufferedReader, port: int) -> Request | None:
    """The next request of a connection, None at its end. Raises ValueError when it is none."""
    line = stream.readline(_MAX_LINE_BYTES)
    if not line:
        return None
    method, target, _version = line.decode("latin-1").split()
    if not target.startswith("/"):
        parts = urlsplit(target)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers: dict[str, str] = {}
    while line := stream.readline(_MAX_LINE_BYTES).strip():
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
        if len(headers) > _MAX_HEADERS:
            raise ValueError("too many headers")
    length = int(headers.get("content-length") or 0)
    if not 0 <= length <= _MAX_BODY_BYTES:
        raise ValueError("the body is too long")
    body = stream.read(length) if length else b""
    return Request(method, target, headers, body, port)


def _paced(body: bytes, bytes_per_second: float) -> Iterator[tuple[bytes, float]]:
    """Pieces of a body, each with the pause that follows it, in seconds."""
    size = max(1, round(bytes_per_second / _WRITES_PER_SECOND))
    for start in range(0, len(body), size):
        yield body[start : start + size], size / bytes_per_second


def _fields(text: str, encoding: str) -> dict[str, str]:
    found = parse_qs(text, keep_blank_values=True, encoding=encoding, errors="replace")
    return {name: values[-1] for name, values in found.items()}
