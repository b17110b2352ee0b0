"""A loopback origin whose files change and whose answers lie, and which counts what it sends.

It runs in a thread. `/rate=2m,slow=5,cut=1000/<name>`: the words before the name say how the answer
is spoiled; see `Manner`. Bytes count as sent once the kernel has taken them; the answers of the
kill tests are slower than their readers, so that next to nothing waits in between.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import mmap
import re
import socket
import threading
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.downloads.origin import number

PAGE = b"<!DOCTYPE html><html><body>This video was removed.</body></html>\n" * 2000
_STEP_BYTES = 16_384
_FAST_STEP_BYTES = 65_536
_TYPES = {".mp4": "video/mp4", ".ts": "video/mp2t", ".m3u8": "application/vnd.apple.mpegurl"}


@dataclass(frozen=True)
class Manner:
    """How an answer is given; every field is a word of the address."""

    rate: float = 0  # bytes a second for each connection
    slow: int = 0  # every so-manieth connection gets a tenth of the rate
    validators: str = "both"  # both, modified, none
    # no: 200 to everything; from-zero: the bytes from 0 under a right Content-Range; told-zero:
    # a Content-Range that says itself that it begins at 0.
    ranges: str = "yes"
    length: str = "true"  # none, chunked, or a number of bytes that is added to the truth
    cut: int = 0  # the connection ends after so many bytes of each answer
    body: str = "file"  # page: HTML; gzip: packed though nobody asked; empty

    @classmethod
    def of(cls, words: str) -> Self:
        given = dict(word.split("=", 1) for word in words.split(",") if "=" in word)
        return cls(
            rate=number(given.get("rate", "0")),
            slow=int(given.get("slow", "0")),
            validators=given.get("validators", "both"),
            ranges=given.get("ranges", "yes"),
            length=given.get("length", "true"),
            cut=int(given.get("cut", "0")),
            body=given.get("body", "file"),
        )


@dataclass(frozen=True)
class Version:
    """A file as the server has it now."""

    path: Path
    content: mmap.mmap
    modified: str

    @classmethod
    def of(cls, path: Path, age_seconds: float) -> Version:
        with path.open("rb") as file:
            content = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
        return cls(path, content, formatdate(1_700_000_000 - age_seconds, usegmt=True))

    @property
    def etag(self) -> str:
        """As nginx makes it: of time and size."""
        return f'"{zlib.crc32(self.modified.encode()):x}-{len(self.content):x}"'


@dataclass
class Sent:
    """One answer."""

    name: str
    asked: str  # the Range header
    status: int
    size: int = 0


@dataclass
class Origin:
    """Files by name; use it as a context manager."""

    files: dict[str, Version] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    port: int = 0
    manner: str = ""  # further words for every answer, whatever its address says
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)
    _numbers: count[int] = field(default_factory=lambda: count(1))
    _ready: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Self:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def url(self, name: str, words: str = "") -> str:
        return f"http://127.0.0.1:{self.port}/{words or '-'}/{name}"

    def publish(self, name: str, path: Path, *, age_seconds: float = 0) -> None:
        """Put a file, or another version of it, under a name."""
        self.files[name] = Version.of(path, age_seconds)

    def publish_folder(self, folder: Path, name: str = "", *, age_seconds: float = 0) -> None:
        """Put a playlist with all its segments under a name, or the folder's."""
        for path in folder.iterdir():
            if path.stat().st_size:
                self.publish(f"{name or folder.name}/{path.name}", path, age_seconds=age_seconds)

    def forget(self) -> None:
        """Count from zero."""
        self.sent = []

    def sent_bytes(self) -> int:
        """Bytes of media that were sent since `forget`; playlists and keys are not counted."""
        return sum(one.size for one in list(self.sent) if not one.name.endswith((".m3u8", ".bin")))

    def drop_all(self) -> None:
        """End every connection at once, as a server does that is started anew."""
        self._loop.call_soon_threadsafe(self._drop)

    def _drop(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=256)
        )
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._drop()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0.05))
        self._loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        writer.transport.set_write_buffer_limits(0)
        self._writers.add(writer)
        connection = next(self._numbers)
        with contextlib.suppress(asyncio.IncompleteReadError, OSError, asyncio.CancelledError):
            goes_on = True
            while goes_on:
                head = await reader.readuntil(b"\r\n\r\n")
                goes_on = await self._answer(writer, head.decode("latin-1"), connection)
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, writer: asyncio.StreamWriter, head: str, connection: int) -> bool:
        method, target, _ = head.split("\r\n", 1)[0].split(" ")
        _, words, name = target.split("?")[0].split("/", 2)
        version = self.files.get(name)
        if version is None:
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return True
        reply = Reply(version, Manner.of(f"{words},{self.manner}"), head, connection)
        one = Sent(name, reply.asked, reply.status)
        self.sent.append(one)
        writer.write(reply.head())
        await writer.drain()
        if method != "HEAD":
            await self._send(writer, reply, one)
        return reply.goes_on or method == "HEAD"

    async def _send(self, writer: asyncio.StreamWriter, reply: Reply, one: Sent) -> None:
        rate = reply.rate
        step = _STEP_BYTES if 0 < rate <= 4 * 1024**2 else _FAST_STEP_BYTES
        due = self._loop.time()
        for offset in range(0, reply.limit, step):
            piece = reply.body[reply.start + offset : reply.start + min(offset + step, reply.limit)]
            writer.write(
                b"%x\r\n%b\r\n" % (len(piece), bytes(piece)) if reply.is_chunked else piece
            )
            await writer.drain()
            one.size += len(piece)
            if rate:
                due = max(due, self._loop.time() - 0.5) + len(piece) / rate
                await asyncio.sleep(max(due - self._loop.time(), 0))
        if reply.is_chunked and not reply.is_cut:
            writer.write(b"0\r\n\r\n")
            await writer.drain()


class Reply:
    """One answer made ready."""

    def __init__(self, version: Version, manner: Manner, head: str, connection: int) -> None:
        self._version, self._manner = version, manner
        self.body = self._body()
        size = len(self.body)
        self.asked = _header(head, "range")
        self.start, end, self.status = 0, size, 200
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.asked)
        if span and manner.ranges != "no" and self._still_holds(_header(head, "if-range")):
            self.start = int(span[1])
            end = min(int(span[2]) + 1, size) if span[2] else size
            self.status = 206 if self.start < size else 416
            if self.status == 416:
                self.start = end = 0
        self._told_start, self._told_end, self._size = self.start, end, size
        self._spoil_range()
        self.limit = self._length = self._told_end - self._told_start
        self.is_chunked = manner.length == "chunked"
        self.is_cut = 0 < manner.cut < self.limit
        if self.is_cut:
            self.limit = manner.cut
        if manner.length.lstrip("+-").isdigit():
            self._length += int(manner.length)
            self.limit = min(self.limit, self._length)
            self.is_cut = self.is_cut or self._length > self.limit
        self.goes_on = not self.is_cut and manner.length != "none"
        is_slow = manner.slow and connection % manner.slow == 0
        self.rate = manner.rate / 10 if is_slow else manner.rate

    def _spoil_range(self) -> None:
        if self.status == 206 and self._manner.ranges in {"from-zero", "told-zero"}:
            if self._manner.ranges == "told-zero":
                self._told_start, self._told_end = 0, self._told_end - self.start
            self.start = 0

    def _body(self) -> memoryview:
        if self._manner.body == "page":
            return memoryview(PAGE)
        if self._manner.body == "gzip":
            return memoryview(packed(self._version.path))
        return memoryview(b"" if self._manner.body == "empty" else self._version.content)

    def _still_holds(self, condition: str) -> bool:
        known = {"both": {self._version.etag, self._version.modified}}
        known["modified"] = {self._version.modified}
        return not condition or condition in known.get(self._manner.validators, set())

    def head(self) -> bytes:
        lines = [f"HTTP/1.1 {self.status} X"]
        lines.append(f"Content-Type: {_TYPES.get(self._version.path.suffix, 'video/mp4')}")
        lines += [*self._about_version(), *self._about_range(), self._about_length()]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def _about_version(self) -> list[str]:
        lines = []
        if self._manner.validators == "both":
            lines.append(f"ETag: {self._version.etag}")
        if self._manner.validators != "none":
            lines.append(f"Last-Modified: {self._version.modified}")
        if self._manner.body == "gzip":
            lines.append("Content-Encoding: gzip")
        return lines

    def _about_range(self) -> list[str]:
        lines = ["Accept-Ranges: bytes"] if self._manner.ranges != "no" else []
        if self.status == 206:
            first, last = self._told_start, self._told_end - 1
            lines.append(f"Content-Range: bytes {first}-{last}/{self._size}")
        if self.status == 416:
            lines.append(f"Content-Range: bytes */{self._size}")
        return lines

    def _about_length(self) -> str:
        if self.is_chunked:
            return "Transfer-Encoding: chunked"
        if self._manner.length == "none":
            return "Connection: close"
        return f"Content-Length: {self._length}"


@lru_cache(maxsize=1)
def packed(path: Path) -> bytes:
    """The file as a server sends it that packs everything."""
    return gzip.compress(path.read_bytes(), 1)


def _header(head: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r$", head, re.IGNORECASE | re.MULTILINE)
    return found[1] if found else ""
