"""The media files that an entry of a feed offers: enclosures and Media RSS; no network."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from providers.errors import EgressRefused
from providers.safe_url import check_url
from providers.streams import StreamKind

_KIND_BY_TYPE = {
    "application/vnd.apple.mpegurl": StreamKind.HLS,
    "application/x-mpegurl": StreamKind.HLS,
    "audio/mpegurl": StreamKind.HLS,
    "audio/x-mpegurl": StreamKind.HLS,
    "application/dash+xml": StreamKind.DASH,
    "application/mp4": StreamKind.HTTP,
    "application/ogg": StreamKind.HTTP,
}
_AUDIO_SUFFIXES = frozenset({".mp3", ".m4a", ".aac", ".ogg", ".oga", ".opus", ".flac"})
_KIND_BY_SUFFIX = {
    ".m3u8": StreamKind.HLS,
    ".mpd": StreamKind.DASH,
    **dict.fromkeys(
        (".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".ogv", ".ts"), StreamKind.HTTP
    ),
    **dict.fromkeys(_AUDIO_SUFFIXES, StreamKind.HTTP),
}


@dataclass(frozen=True, slots=True)
class FeedMedia:
    """One file of an item."""

    url: str
    kind: StreamKind
    is_audio: bool
    height: int | None
    size_bytes: int


def media_of(entry: Any, base: str) -> tuple[FeedMedia, ...]:
    """The media files of an entry: video before audio, then by height and size."""
    found = (_one_media(link, base) for link in _links(entry))
    by_url = {media.url: media for media in found if media is not None}
    return tuple(
        sorted(
            by_url.values(),
            key=lambda media: (media.is_audio, -(media.height or 0), -media.size_bytes),
        )
    )


def has_torrent(entry: Any) -> bool:
    """Whether an entry leads to a torrent, which is no media file."""
    addresses = [entry.get("link", ""), *(_address(link) for link in _links(entry))]
    types = [str(link.get("type", "")) for link in _links(entry)]
    return any(_is_torrent(str(address), "") for address in addresses) or any(
        _is_torrent("", kind) for kind in types
    )


def http_url(address: str, base: str) -> str:
    """The absolute address when it can be fetched, else ""."""
    try:
        url = urljoin(base, address.replace(" ", "%20")) if address else ""
        check_url(url)
    except (EgressRefused, ValueError):
        return ""
    return url


def whole_number(value: object, *, most_digits: int) -> int | None:
    """The number that a tag or attribute holds, None for anything else."""
    text = str(value).strip()
    return int(text) if re.fullmatch(rf"\d{{1,{most_digits}}}", text) else None


def _one_media(link: Mapping[str, Any], base: str) -> FeedMedia | None:
    url = http_url(_address(link), base)
    mime = str(link.get("type", "")).partition(";")[0].strip().lower()
    if not url or _is_torrent(url, mime):
        return None
    suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix.lower()
    medium = str(link.get("medium", "")).strip().lower()
    kind = _KIND_BY_TYPE.get(mime) or _KIND_BY_SUFFIX.get(suffix)
    is_media = mime.startswith(("video/", "audio/")) or medium in {"video", "audio"}
    if kind is None and not is_media:
        return None
    return FeedMedia(
        url=url,
        kind=kind or StreamKind.HTTP,
        is_audio=mime.startswith("audio/")
        or (not mime and (medium == "audio" or suffix in _AUDIO_SUFFIXES)),
        height=whole_number(link.get("height"), most_digits=4),
        size_bytes=whole_number(link.get("length") or link.get("filesize"), most_digits=15) or 0,
    )


def _links(entry: Any) -> Iterator[Mapping[str, Any]]:
    """Everything in an entry that may be a file, in the document's order."""
    for link in entry.get("links", ()):
        if link.get("rel") == "enclosure":
            yield link
    for content in entry.get("media_content", ()):
        if content.get("medium") not in {"image", "document", "executable"}:
            yield content


def _is_torrent(address: str, kind: str) -> bool:
    path = address.partition("?")[0].lower()
    return path.startswith("magnet:") or path.endswith(".torrent") or "bittorrent" in kind.lower()


def _address(link: Mapping[str, Any]) -> str:
    return str(link.get("href") or link.get("url") or "").strip()
