"""Where the video of an episode is to be had, and how its bytes are delivered; plain Python."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class StreamKind(StrEnum):
    """How the bytes of a stream are delivered."""

    HTTP = "http"  # one file, ranges where the server allows them
    HLS = "hls"  # RFC 8216 playlist
    DASH = "dash"  # MPEG-DASH manifest
    SPLIT = "split"  # one video file and one audio file, to be muxed
    PAGE = "page"  # a player page that a host resolver must read first


@dataclass(frozen=True, slots=True)
class VideoSource:
    """One place where an episode can be had: a direct stream, or a player page of a video host."""

    url: str
    kind: StreamKind
    label: str  # what a person calls it: the host's name
    lang: str = ""
    height: int | None = None  # pixels; None when unknown
    headers: Mapping[str, str] = field(default_factory=dict)  # for example Referer


@dataclass(frozen=True, slots=True)
class Stream:
    """A source resolved to something the download engine can fetch."""

    url: str
    kind: StreamKind  # never PAGE
    headers: Mapping[str, str] = field(default_factory=dict)
    audio_url: str = ""  # for SPLIT only
    audio_headers: Mapping[str, str] = field(default_factory=dict)
    height: int | None = None
    duration_seconds: float | None = None
    size_bytes: int | None = None
