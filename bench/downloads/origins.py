"""Makes the files that the benchmarks fetch, and starts nginx and the throttling origin."""

from __future__ import annotations

import math
import os
import random
import shutil
import socket
import subprocess
import sys
import time
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import av
import trustme
from av.audio.frame import AudioFrame
from av.video.frame import VideoFrame

HERE = Path(__file__).resolve().parent
WORK = HERE.parent / "work" / "downloads"
MEMORY = Path(os.environ.get("BENCH_MEMORY", "/dev/shm")) / "tsuzuku-bench"  # noqa: S108 - tmpfs
FILES = MEMORY / "files"
BASE_SECONDS = 60
SEGMENT_SECONDS = 6
SEGMENTS = 200
LONG_COPIES = SEGMENTS * SEGMENT_SECONDS // BASE_SECONDS
FPS = 25
BIG_BYTES = 1_000_000_000
MIDDLE_BYTES = 256 * 1024**2
FILES_BYTES, RESULT_BYTES = 2_800_000_000, 1_200_000_000
VERSION_BYTES = 100_000_000
SMALL_BYTES = 16_000_000


@dataclass(frozen=True)
class Origins:
    """Base addresses of the servers."""

    plain: str  # empty when nginx is not installed
    tls: str  # as above
    throttled: str  # add options and a path
    ca_file: Path


def has_room() -> bool:
    """Whether the files and a tool's result fit beside what is there already."""
    MEMORY.mkdir(parents=True, exist_ok=True)
    needed = RESULT_BYTES if (FILES / "short-new").exists() else RESULT_BYTES + FILES_BYTES
    return shutil.disk_usage(MEMORY).free >= needed


def make_files() -> None:
    """Everything is real H.264 and AAC, so that what arrives can be verified as a video."""
    FILES.mkdir(parents=True, exist_ok=True)
    base, rich = FILES / "base.mp4", FILES / "rich.mp4"
    if not base.exists():
        encode(base, kilobits=1850)
    if not rich.exists():
        # A gigabyte of this lasts 22 minutes, as an episode in full HD does.
        encode(rich, kilobits=5900)
    if not (FILES / "other.mp4").exists():
        encode(FILES / "other.mp4", kilobits=5900, seed=2)
    _make_files_of(rich)
    for kind in ("ts", "fmp4", "aes"):
        if not (FILES / kind / "index.m3u8").exists():
            make_stream(base, FILES / kind, kind)
    _make_short_streams()


def _make_short_streams() -> None:
    """Two versions of one stream, with the same names and durations."""
    for name, clip, seed in (("short-old", "base.mp4", 1), ("short-new", "other-base.mp4", 2)):
        if not (FILES / clip).exists():
            encode(FILES / clip, kilobits=1850, seed=seed)
        if not (FILES / name / "index.m3u8").exists():
            make_stream(FILES / clip, FILES / name, "ts", copies=2)


def _make_files_of(rich: Path) -> None:
    for name, size in (("1g.mp4", BIG_BYTES), ("256m.mp4", MIDDLE_BYTES)):
        if not (FILES / name).exists():
            loop(rich, FILES / name, copies=int(size / rich.stat().st_size), pad_to=size)
    # Two versions of one file, of the same length, and one that is too short to be throttled.
    for name, clip, copies, size in (
        ("old.mp4", "rich.mp4", 2, VERSION_BYTES),
        ("new.mp4", "other.mp4", 2, VERSION_BYTES),
        ("small.mp4", "base.mp4", 1, SMALL_BYTES),
    ):
        if not (FILES / name).exists():
            loop(FILES / clip, FILES / name, copies=copies, pad_to=size)


def encode(path: Path, *, kilobits: int, seed: int = 1) -> None:
    noise = random.Random(seed)  # noqa: S311 - the same each time
    tone = array("f", [math.sin(n / 9) * 0.4 for n in range(1024)]).tobytes()
    blocks = [noise.randbytes(640 * 360) for _ in range(7)]
    with av.open(str(path), "w", format="mp4") as output:
        video = output.add_stream("libx264", rate=FPS)
        video.width, video.height, video.pix_fmt = 640, 360, "yuv420p"
        video.gop_size = FPS * SEGMENT_SECONDS
        video.bit_rate = kilobits * 1000
        rate = f"nal-hrd=cbr:vbv-maxrate={kilobits}:vbv-bufsize={kilobits}:filler=1"
        video.options = {"preset": "ultrafast", "x264-params": f"scenecut=0:{rate}"}
        audio = output.add_stream("aac", rate=48_000)
        audio.bit_rate = 128_000
        audio.layout = "stereo"
        for number in range(BASE_SECONDS * FPS):
            frame = VideoFrame(640, 360, "yuv420p")
            block = blocks[number % 7]
            for plane in frame.planes:
                plane.update(block[: plane.buffer_size].ljust(plane.buffer_size, b"\x80"))
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            output.mux(video.encode(frame))
            first, last = (int(n * 48_000 / FPS / 1024) for n in (number, number + 1))
            for count in range(first, last):
                sound = AudioFrame(format="fltp", layout="stereo", samples=1024)
                for plane in sound.planes:
                    plane.update(tone)
                sound.rate, sound.pts, sound.time_base = 48_000, count * 1024, Fraction(1, 48_000)
                output.mux(audio.encode(sound))
        output.mux(video.encode(None))
        output.mux(audio.encode(None))


def loop(base: Path, target: Path, *, copies: int, pad_to: int = 0, **options: str) -> None:
    """Repeat a clip by copying its packets."""
    container = options.pop("container", "mp4")
    settings = {"movflags": "faststart"} if container == "mp4" else options
    with (
        av.open(str(base)) as source,
        av.open(str(target), "w", format=container, options=settings) as output,
    ):
        streams = [output.add_stream_from_template(stream) for stream in source.streams]
        packets = [
            (
                packet.stream.index,
                bytes(packet),
                packet.pts,
                packet.dts,
                packet.duration,
                packet.is_keyframe,
                packet.time_base,
            )
            for packet in source.demux()
            if packet.dts is not None
        ]
        for copy in range(copies):
            for index, content, pts, dts, duration, is_key, base_time in packets:
                packet = av.Packet(content)
                shift = int(copy * BASE_SECONDS / base_time)
                packet.time_base = base_time
                packet.pts, packet.dts, packet.duration = pts + shift, dts + shift, duration
                packet.is_keyframe = is_key
                packet.stream = streams[index]
                output.mux_one(packet)
    missing = pad_to - target.stat().st_size
    if missing >= 8:
        with target.open("ab") as file:
            file.write(missing.to_bytes(4, "big") + b"free")
            file.truncate(pad_to)


def make_stream(base: Path, folder: Path, kind: str, *, copies: int = LONG_COPIES) -> None:
    folder.mkdir(exist_ok=True)
    suffix = "m4s" if kind == "fmp4" else "ts"
    options = {
        "hls_time": str(SEGMENT_SECONDS),
        "hls_list_size": "0",
        "hls_playlist_type": "vod",
        "hls_segment_filename": str(folder / f"s%03d.{suffix}"),
    }
    if kind == "fmp4":
        options["hls_segment_type"] = "fmp4"
    if kind == "aes":
        (folder / "key.bin").write_bytes(os.urandom(16))
        (folder / "notes").write_text(f"key.bin\n{folder / 'key.bin'}\n")
        options["hls_key_info_file"] = str(folder / "notes")
    loop(base, folder / "index.m3u8", copies=copies, container="hls", **options)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


NGINX = """
worker_processes 1; daemon off; pid {work}/nginx.pid; error_log {work}/nginx.err warn;
events {{ worker_connections 1024; }}
http {{
  types {{ video/mp4 mp4 m4s; video/mp2t ts; application/vnd.apple.mpegurl m3u8; }}
  sendfile on; tcp_nopush on; tcp_nodelay on; access_log off;
  keepalive_requests 1000000; keepalive_timeout 600;
  client_body_temp_path {work}/t1; proxy_temp_path {work}/t2; fastcgi_temp_path {work}/t3;
  uwsgi_temp_path {work}/t4; scgi_temp_path {work}/t5;
  upstream wait {{ server 127.0.0.1:{slow}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{plain}; listen 127.0.0.1:{tls} ssl; root {files};
    ssl_certificate {work}/cert.pem; ssl_certificate_key {work}/key.pem;
    location / {{ }}
    location /late/ {{ alias {files}/; auth_request /wait; }}
    location = /wait {{
      internal; proxy_pass http://wait/delay/50; proxy_pass_request_body off;
      proxy_set_header Content-Length ""; proxy_http_version 1.1; proxy_set_header Connection "";
    }}
  }}
}}
"""


@contextmanager
def running() -> Iterator[Origins]:
    """Start both servers; they end with the block."""
    WORK.mkdir(parents=True, exist_ok=True)
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_pem.write_to_path(str(WORK / "key.pem"))
    (WORK / "cert.pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    authority.cert_pem.write_to_path(str(WORK / "ca.pem"))
    plain, tls, slow = free_port(), free_port(), free_port()
    throttle = [sys.executable, str(HERE / "origin.py"), "--root", str(FILES), "--port", str(slow)]
    servers = [subprocess.Popen(throttle, stdout=subprocess.DEVNULL)]
    nginx = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if nginx is not None:
        user = "user root;" if os.geteuid() == 0 else ""
        ports = {"plain": plain, "tls": tls, "slow": slow}
        (WORK / "nginx.conf").write_text(user + NGINX.format(work=WORK, files=FILES, **ports))
        command = [nginx, "-p", str(WORK), "-c", str(WORK / "nginx.conf")]
        servers.append(subprocess.Popen(command))
    try:
        for port in (plain, tls, slow) if nginx is not None else (slow,):
            wait_for(port)
        yield Origins(
            f"http://127.0.0.1:{plain}" if nginx is not None else "",
            f"https://127.0.0.1:{tls}" if nginx is not None else "",
            f"http://127.0.0.1:{slow}",
            WORK / "ca.pem",
        )
    finally:
        for server in servers:
            server.terminate()
            server.wait()


def wait_for(port: int) -> None:
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("a server of the benchmark did not start")
