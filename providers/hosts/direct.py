"""Sources that are streams already: media files and manifests need no reader."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import ClassVar
from urllib.parse import unquote, urlsplit

from providers.base import HostResolver
from providers.streams import Stream, StreamKind, VideoSource

_KIND_BY_SUFFIX = {
    ".m3u8": StreamKind.HLS,
    ".mpd": StreamKind.DASH,
    **dict.fromkeys(
        (".mp4", ".m4v", ".mkv", ".webm", ".mov", ".avi", ".ts", ".flv", ".ogv", ".m4a", ".mp3"),
        StreamKind.HTTP,
    ),
}


class DirectResolver(HostResolver):
    """Passes a direct stream on; also a player page whose address is plainly a media file."""

    id: ClassVar[str] = "direct"

    def accepts(self, source: VideoSource) -> bool:
        """Whether the address needs no reading."""
        return source.kind is not StreamKind.PAGE or _kind_of(source.url) is not None

    def resolve(self, source: VideoSource, max_height: int | None) -> list[Stream]:
        """The one stream that the source is; a manifest's variants are chosen by the engine."""
        del max_height
        kind = source.kind if source.kind is not StreamKind.PAGE else _kind_of(source.url)
        return [
            Stream(
                url=source.url,
                kind=kind or StreamKind.HTTP,
                headers=dict(source.headers),
                height=source.height,
            )
        ]


def _kind_of(url: str) -> StreamKind | None:
    path = PurePosixPath(unquote(urlsplit(url).path))
    return _KIND_BY_SUFFIX.get(path.suffix.lower())
