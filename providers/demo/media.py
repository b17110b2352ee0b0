"""Serving videos: whole files with ranges and validators, and HLS in three kinds."""

from __future__ import annotations

import hashlib
import re
from http import HTTPStatus

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from providers.demo.clips import HEIGHTS, Clip
from providers.demo.context import Context
from providers.demo.wire import Reply, Request

LAST_MODIFIED = "Thu, 01 Oct 2026 12:00:00 GMT"
_PLAYLIST_TYPE = "application/vnd.apple.mpegurl"
_RANGE = re.compile(r"bytes=(\d*)-(\d*)")
_FILE = re.compile(r"/media/[a-z0-9-]+?-(\d+)(?:-(360|720)p)?\.mp4")
_SIGNED = re.compile(r"/media/signed/([0-9a-f]+-\d+)/([a-z0-9-]+-(\d+))\.mp4")
_STREAM = re.compile(r"/media/stream/([0-9a-f]+-\d+)/((\d+)x(360|720))")
_MASTER = re.compile(r"/media/([a-z0-9-]+-(\d+))/(?:(fmp4|aes)/)?master\.m3u8")
_PIECE = re.compile(r"/media/[a-z0-9-]+-(\d+)/(ts|fmp4|aes)/(360|720)/([a-z0-9]+\.[a-z0-9]+)")
_BANDWIDTH = {360: 350_000, 720: 600_000}
_TYPES = {"m3u8": _PLAYLIST_TYPE, "ts": "video/mp2t", "m4s": "video/iso.segment"}
_BLOCK_BITS = 128


def answer(context: Context, request: Request) -> Reply | None:
    """A file below /media/."""
    path = request.path
    if found := _FILE.fullmatch(path):
        return _whole(context, request, int(found[1]), int(found[2] or max(HEIGHTS)))
    if found := _SIGNED.fullmatch(path) or _STREAM.fullmatch(path):
        return _signed(context, request, found)
    if found := _MASTER.fullmatch(path):
        return _master(context, int(found[2]), found[3] or "")
    if found := _PIECE.fullmatch(path):
        return _piece(context, request, found)
    return None


def file_url(origin: str, clip: Clip, height: int = 720) -> str:
    """The address of a whole file."""
    return f"{origin}/media/{clip.name}{'' if height == max(HEIGHTS) else f'-{height}p'}.mp4"


def _signed(context: Context, request: Request, found: re.Match[str]) -> Reply | None:
    token, name, uid, *height = found.groups()
    if not context.signer.is_valid(name, token):
        return Reply(b"This link has expired.", "text/plain", HTTPStatus.FORBIDDEN)
    return _whole(context, request, int(uid), int(height[0]) if height else max(HEIGHTS))


def _whole(context: Context, request: Request, uid: int, height: int) -> Reply | None:
    clip = context.clip(uid)
    if clip is None:
        return None
    content = context.clips.mp4(clip, height)
    return in_ranges(request, content, "video/mp4", context.rate.of(len(content)))


def in_ranges(
    request: Request, content: bytes, content_type: str, rate: float | None = None
) -> Reply:
    """Bytes under a strong validator, whole or the one range that was asked for (RFC 9110)."""
    etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
    headers = {"ETag": etag, "Last-Modified": LAST_MODIFIED, "Accept-Ranges": "bytes"}
    known = request.headers.get("if-none-match")
    is_old = known is None and request.headers.get("if-modified-since") == LAST_MODIFIED
    if known == etag or is_old:
        return Reply(status=HTTPStatus.NOT_MODIFIED, headers=headers)
    whole = Reply(content, content_type, headers=headers, bytes_per_second=rate)
    wanted = _RANGE.fullmatch(request.headers.get("range", "").strip())
    if wanted is None or not (wanted[1] or wanted[2]):
        return whole
    if request.headers.get("if-range", etag) not in {etag, LAST_MODIFIED}:
        return whole
    size = len(content)
    start = int(wanted[1]) if wanted[1] else max(0, size - int(wanted[2]))
    end = min(int(wanted[2]) if wanted[1] and wanted[2] else size - 1, size - 1)
    if start > end:
        headers["Content-Range"] = f"bytes */{size}"
        return Reply(b"", content_type, HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, headers=headers)
    headers["Content-Range"] = f"bytes {start}-{end}/{size}"
    whole.body, whole.status = content[start : end + 1], HTTPStatus.PARTIAL_CONTENT
    return whole


def _master(context: Context, uid: int, kind: str) -> Reply | None:
    if context.clip(uid) is None:
        return None
    folder = "" if kind else "ts/"
    lines = ["#EXTM3U", "#EXT-X-VERSION:7"]
    for height in HEIGHTS:
        lines.append(
            f"#EXT-X-STREAM-INF:BANDWIDTH={_BANDWIDTH[height]},"
            f'RESOLUTION={height * 16 // 9}x{height},CODECS="avc1.64001f,mp4a.40.2"'
        )
        lines.append(f"{folder}{height}/index.m3u8")
    return Reply("\n".join(lines).encode() + b"\n", _PLAYLIST_TYPE)


def _piece(context: Context, request: Request, found: re.Match[str]) -> Reply | None:
    clip = context.clip(int(found[1]))
    if clip is None:
        return None
    kind, height, name = found[2], int(found[3]), found[4]
    key = hashlib.md5(clip.name.encode(), usedforsecurity=False).digest()
    if kind == "aes" and name == "video.key":
        return Reply(key, "application/octet-stream")
    files = context.clips.segments(clip, height, "fmp4" if kind == "fmp4" else "ts").files
    if name not in files:
        return None
    content = files[name]
    is_playlist = name.endswith(".m3u8")
    if kind == "aes":
        content = _with_key(content) if is_playlist else _encrypted(content, key)
    content_type = _TYPES.get(name.rpartition(".")[2], "video/mp4")
    rate = None if is_playlist else context.rate.of(len(content) * len(files))
    return in_ranges(request, content, content_type, rate)


def _with_key(playlist: bytes) -> bytes:
    key = f'#EXT-X-KEY:METHOD=AES-128,URI="video.key",IV=0x{0:032x}\n#EXTINF'.encode()
    return playlist.replace(b"#EXTINF", key, 1)


def _encrypted(content: bytes, key: bytes) -> bytes:
    padder = PKCS7(_BLOCK_BITS).padder()
    cipher = Cipher(algorithms.AES(key), modes.CBC(bytes(16))).encryptor()
    return cipher.update(padder.update(content) + padder.finalize()) + cipher.finalize()
