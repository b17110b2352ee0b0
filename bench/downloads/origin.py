"""A loopback origin that throttles each connection smoothly; asyncio, standard library only.

GET /rate=4m,lat=20,slow=5/<path>: `rate` bytes a second for each connection, `lat` milliseconds
before each answer, every `slow`-th connection gets a tenth of the rate. GET /delay/<ms> answers 204
after a while; nginx asks it before each file to have a round trip time.
"""

from __future__ import annotations

import argparse
import asyncio
import mmap
import os
import re
import socket
import time
from collections.abc import Awaitable, Callable
from itertools import count
from pathlib import Path

STEP_BYTES = 65_536
connections = count(1)
files: dict[Path, mmap.mmap] = {}


def number(text: str) -> float:
    factor = {"k": 1024, "m": 1024**2}.get(text[-1], 1)
    return float(text.rstrip("km")) * factor


def mapped(path: Path) -> mmap.mmap:
    if path not in files:
        with path.open("rb") as file:
            files[path] = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    return files[path]


async def answer(
    writer: asyncio.StreamWriter, request: list[str], root: Path, connection: int
) -> None:
    target = request[0].split(" ")[1]
    if target.startswith("/delay/"):
        await asyncio.sleep(int(target.rsplit("/", 1)[1]) / 1000)
        writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        return
    _, words, path = target.split("/", 2)
    options = dict(word.split("=") for word in words.split(",") if "=" in word)
    await asyncio.sleep(number(options.get("lat", "0")) / 1000)
    try:
        content = mapped(root / path)
    except OSError:
        writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
        return
    size = len(content)
    headers = "\n".join(request).lower()
    asked = re.search(r"^range: bytes=(\d+)-(\d*)", headers, re.MULTILINE)
    start, end = 0, size
    if asked:
        start = int(asked[1])
        end = min(int(asked[2]) + 1, size) if asked[2] else size
    lines = [f"HTTP/1.1 {206 if asked else 200} OK", f"Content-Length: {end - start}"]
    lines += ["Accept-Ranges: bytes", f'ETag: "{size:x}"', "Content-Type: video/mp4"]
    if asked:
        lines.append(f"Content-Range: bytes {start}-{end - 1}/{size}")
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
    rate = number(options.get("rate", "0"))
    if "slow" in options and connection % int(options["slow"]) == 0:
        rate /= 10
    await send(writer, memoryview(content)[start:end], rate)


async def send(writer: asyncio.StreamWriter, content: memoryview, rate: float) -> None:
    step = STEP_BYTES if not rate or rate > 1024**2 else STEP_BYTES // 4
    due = time.monotonic()
    for offset in range(0, len(content), step):
        piece = content[offset : offset + step]
        writer.write(piece)
        await writer.drain()
        if rate:
            due += len(piece) / rate
            await asyncio.sleep(max(due - time.monotonic(), 0))


def handler(
    root: Path,
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sock = writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 131_072)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        writer.transport.set_write_buffer_limits(131_072)
        connection = next(connections)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await answer(writer, head.decode("latin-1").split("\r\n"), root, connection)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, OSError):
            pass
        finally:
            writer.close()

    return serve


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True)
    parser.add_argument("--port", type=int, required=True)
    arguments = parser.parse_args()
    server = await asyncio.start_server(
        handler(arguments.root), "127.0.0.1", arguments.port, backlog=1024
    )
    print(os.getpid(), flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
