"""A loopback HTTP server that misbehaves on demand: every fault that the engine has to survive."""

from __future__ import annotations

import gzip
import re
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from types import TracebackType

_CHUNK = 65_536


@dataclass(frozen=True)
class Answer:
    """What is served at one path, and how badly."""

    content: bytes = b""
    status: int = 200  # anything else is sent as it is, without looking at ranges
    content_type: str = "application/octet-stream"
    etag: str = '"one"'
    last_modified: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    ranges: bool = True
    whole_size: int | None = None  # content is repeated up to this size
    cut_after: int | None = None  # bytes of body, then the connection is closed
    reset: bool = False  # the cut is a reset
    stall_after: int | None = None  # bytes of body, then silence
    bytes_per_second: float | None = None
    delay_seconds: float = 0.0  # before the headers
    announced: int | None = None  # Content-Length that is told instead of the true one
    chunked: bool = False
    no_length: bool = False  # ended by closing
    gzipped: bool = False
    range_shift: int = 0  # Content-Range tells another start
    body_from_zero: bool = False  # right header, body from byte 0
    told_from_zero: bool = False  # as many bytes as asked for, but from byte 0, and told so
    most_bytes: int | None = None  # a range is made shorter than asked for, and told so
    endless: bool = False  # zeros without end follow; with `chunked` and `whole_size`


_ENDLESS_BYTES = 1 << 50


@dataclass
class Seen:
    """One request and what was sent for it; noted before the client can see any of it."""

    path: str
    headers: dict[str, str]
    sent: int = 0

    @property
    def range(self) -> str:
        return self.headers.get("range", "")


Script = Callable[[int, dict[str, str]], Answer]  # number of the request at this path, headers


@dataclass
class Origin:
    """Serves answers by path; use it as a context manager."""

    tls: ssl.SSLContext | None = None
    seen: list[Seen] = field(default_factory=list)
    open_connections: int = 0
    most_connections: int = 0
    _answers: dict[str, Answer | Script] = field(default_factory=dict)
    _counts: dict[str, int] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)
    _guard: threading.Lock = field(default_factory=threading.Lock)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Origin:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._accepting = threading.Thread(target=self._accept, daemon=True)
        self._accepting.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        # A connection of our own wakes the thread that waits for one.
        with socket.create_connection(("127.0.0.1", self.port)):
            pass
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def serve(self, path: str, answer: Answer | Script | bytes) -> str:
        """Serve something at a path and return its URL."""
        with self._guard:
            self._answers[path] = Answer(answer) if isinstance(answer, bytes) else answer
        return self.url(path)

    def url(self, path: str) -> str:
        scheme, host = ("https", "localhost") if self.tls else ("http", "127.0.0.1")
        return f"{scheme}://{host}:{self.port}{path}"

    def sent_bytes(self, path: str = "") -> int:
        """Bytes of body that were sent, for one path or for all."""
        with self._guard:
            return sum(seen.sent for seen in self.seen if path in {"", seen.path})

    def requests(self, path: str) -> list[Seen]:
        with self._guard:
            return [seen for seen in self.seen if seen.path == path]

    def _accept(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            if self._closing.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve_connection, args=(connection,))
            thread.daemon = True
            self._threads.append(thread)
            thread.start()

    def _serve_connection(self, connection: socket.socket) -> None:
        with self._guard:
            self.open_connections += 1
            self.most_connections = max(self.most_connections, self.open_connections)
        try:
            if self.tls is not None:
                connection = self.tls.wrap_socket(connection, server_side=True)
            connection.settimeout(0.1)
            while self._serve_request(connection):
                pass
        except OSError:
            pass
        finally:
            with self._guard:
                self.open_connections -= 1
            connection.close()

    def _serve_request(self, connection: socket.socket) -> bool:
        head = self._read_head(connection)
        if not head:
            return False
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1].split("?")[0]
        headers = {
            name.strip().lower(): value.strip()
            for name, value in (line.split(":", 1) for line in lines[1:] if ":" in line)
        }
        with self._guard:
            found = self._answers.get(path, Answer(b"not here", status=404))
            self._counts[path] = count = self._counts.get(path, 0) + 1
        answer = found if isinstance(found, Answer) else found(count, headers)
        reply = _Reply(answer, headers)
        seen = Seen(path, headers)
        with self._guard:
            self.seen.append(seen)
        self._wait(answer.delay_seconds)
        connection.settimeout(5)
        connection.sendall(reply.head())
        for piece in reply.pieces():
            self._pace(answer, seen.sent, len(piece))
            seen.sent += len(piece)
            connection.sendall(reply.framed(piece))
        if answer.stall_after is not None and seen.sent >= answer.stall_after:
            self._closing.wait(60)
        return self._end(connection, answer, reply)

    def _read_head(self, connection: socket.socket) -> bytes:
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            try:
                piece = connection.recv(1)
            except TimeoutError:
                if self._closing.is_set():
                    return b""
                continue
            if not piece:
                return b""
            head += piece
        return head

    def _pace(self, answer: Answer, sent: int, size: int) -> None:
        if answer.bytes_per_second and sent:
            self._wait(size / answer.bytes_per_second)

    def _wait(self, seconds: float) -> None:
        if seconds and self._closing.wait(seconds):
            raise OSError

    @staticmethod
    def _end(connection: socket.socket, answer: Answer, reply: _Reply) -> bool:
        if reply.is_cut:
            if answer.reset:
                linger = struct.pack("ii", 1, 0)
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            return False
        if answer.chunked:
            connection.sendall(b"0\r\n\r\n")
        connection.settimeout(0.1)
        return not answer.no_length


class _Reply:
    """One answer made ready for one request."""

    def __init__(self, answer: Answer, headers: dict[str, str]) -> None:
        self.answer = answer
        self.size = answer.whole_size if answer.whole_size is not None else len(answer.content)
        self.body = answer.content
        if answer.gzipped:
            self.body = gzip.compress(answer.content)
            self.size = len(self.body)
        self.start, self.end, self.status = 0, self.size, answer.status
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        validators = {"", answer.etag, answer.last_modified}
        if (
            asked
            and answer.ranges
            and answer.status == 200
            and headers.get("if-range", "") in validators
        ):
            self.start = int(asked[1])
            self.end = min(int(asked[2]) + 1, self.size) if asked[2] else self.size
            self.status = 206 if self.start < self.size else 416
            if self.status == 416:
                self.start = self.end = 0
            if answer.told_from_zero:
                self.start, self.end = 0, self.end - self.start
            if answer.most_bytes is not None:
                self.end = min(self.end, self.start + answer.most_bytes)
        limit = self.end - self.start
        for cut in (answer.cut_after, answer.stall_after):
            limit = limit if cut is None else min(limit, cut)
        self.limit = limit
        self.is_cut = answer.cut_after is not None and limit < self.end - self.start
        if answer.announced is not None:
            self.limit = min(self.limit, answer.announced)
            self.is_cut = self.is_cut or answer.announced > self.end - self.start

    def head(self) -> bytes:
        answer = self.answer
        lines = [f"HTTP/1.1 {self.status} X", f"Content-Type: {answer.content_type}"]
        lines += [f"{name}: {value}" for name, value in answer.headers]
        if answer.etag:
            lines.append(f"ETag: {answer.etag}")
        if answer.last_modified:
            lines.append(f"Last-Modified: {answer.last_modified}")
        if answer.gzipped:
            lines.append("Content-Encoding: gzip")
        if self.status == 206:
            first = self.start + answer.range_shift
            lines.append(f"Content-Range: bytes {first}-{self.end - 1}/{self.size}")
        if self.status == 416:
            lines.append(f"Content-Range: bytes */{self.size}")
        if answer.chunked:
            lines.append("Transfer-Encoding: chunked")
        elif answer.no_length:
            lines.append("Connection: close")
        else:
            length = self.end - self.start if answer.announced is None else answer.announced
            lines.append(f"Content-Length: {length}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def pieces(self) -> list[bytes]:
        """The body in small pieces; lazily made, because some bodies are huge."""
        return _Pieces(self)  # type: ignore[return-value]

    def framed(self, piece: bytes) -> bytes:
        return b"%x\r\n%s\r\n" % (len(piece), piece) if self.answer.chunked else piece

    def bytes_at(self, offset: int, size: int) -> bytes:
        if self.answer.body_from_zero:
            offset -= self.start
        if self.answer.whole_size is None:
            return self.body[offset : offset + size]
        if offset < len(self.body):
            return self.body[offset : offset + size].ljust(size, b"\0")
        return bytes(size)


class _Pieces:
    def __init__(self, reply: _Reply) -> None:
        self.reply = reply

    def __iter__(self):  # type: ignore[no-untyped-def]
        reply = self.reply
        step = _CHUNK
        if reply.answer.bytes_per_second:
            step = max(1, min(_CHUNK, int(reply.answer.bytes_per_second / 20)))
        sent = 0
        limit = _ENDLESS_BYTES if reply.answer.endless else reply.limit
        while sent < limit:
            size = min(step, limit - sent)
            yield reply.bytes_at(reply.start + sent, size)
            sent += size


def failing_first(times: int, failure: Answer, answer: Answer) -> Script:
    """The failure for the first requests, then the answer."""
    return lambda number, _headers: failure if number <= times else answer


def cut_each(answer: Answer, after: int) -> Answer:
    return replace(answer, cut_after=after)


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for something that has to come; fails when it does not."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not happen in time")
        time.sleep(0.01)
