"""Reads HLS playlists (RFC 8216) into plain values; refuses what may not be fetched."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from downloads.engine.calls import checked_url
from downloads.engine.errors import LiveStream, PlaylistRefused
from downloads.engine.playlisttags import (
    attributes_of,
    byte_range_of,
    require_plain_key,
    seconds_of,
)

MAX_SEGMENTS = 200_000
MAX_SECONDS = 48 * 3600.0
MAX_INITS = 2000
_MAX_DIGITS = 12
_MOST_ROUNDED_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Key:
    """How a segment is encrypted with AES-128 in CBC mode."""

    url: str
    iv: bytes


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a track."""

    url: str
    seconds: float
    byte_range: tuple[int, int] | None = None  # half open
    key: Key | None = None
    init: int | None = None  # index into MediaPlaylist.inits
    group: int = 0  # counts the discontinuities before it
    may_be_absent: bool = False  # the short rest of a track that may end a little earlier
    file_bytes: int | None = None  # size of the file that this is, or a piece of it; 0: not known


@dataclass(slots=True)
class MediaPlaylist:
    """All segments of one track, in order."""

    segments: list[Segment] = field(default_factory=list)
    inits: list[Segment] = field(default_factory=list)
    uncertainty_seconds: float = 0.0  # by so much the length may be wrong for having been rounded

    @property
    def seconds(self) -> float:
        """How long the track lasts."""
        return sum(segment.seconds for segment in self.segments)


@dataclass(frozen=True, slots=True)
class Rendition:
    """An alternative sound or a subtitle track."""

    kind: str  # audio or subtitles
    group: str
    url: str
    name: str
    language: str
    is_default: bool


@dataclass(frozen=True, slots=True)
class Variant:
    """One quality of a master playlist."""

    url: str
    bandwidth: int
    height: int | None
    audio_group: str = ""
    subtitle_group: str = ""


@dataclass(slots=True)
class MasterPlaylist:
    """The qualities and renditions on offer; `variants` is not empty."""

    variants: list[Variant] = field(default_factory=list)
    renditions: list[Rendition] = field(default_factory=list)
    # Groups of sound one of which comes with the picture (RFC 8216, 4.3.4.2.1).
    groups_with_own_sound: set[str] = field(default_factory=set)


def parse_playlist(text: str, url: str) -> MasterPlaylist | MediaPlaylist:
    """Read a playlist that was fetched from `url`.

    Raises PlaylistRefused when it is broken, LiveStream when it has no end, ProtectedStream when it
    needs a key that is not handed out by plain HTTP, AddressRefused for a forbidden address in it.
    """
    whole = text.removeprefix("\ufeff")
    lines = [line for raw in whole.split("\n") if (line := raw.strip())]
    if not lines or not lines[0].startswith("#EXTM3U"):
        raise PlaylistRefused("The playlist does not begin like one.")
    if any(line.startswith("#EXT-X-STREAM-INF") for line in lines):
        return _parse_master(lines, url)
    return _MediaReader(url).read(lines)


def best_variant(variants: list[Variant], max_height: int | None) -> Variant:
    """The best quality not above the wished one, or the lowest there is."""
    videos = [variant for variant in variants if variant.height] or variants
    if max_height is not None:
        fitting = [variant for variant in videos if (variant.height or 0) <= max_height]
        if not fitting:
            lowest = min(variant.height or 0 for variant in videos)
            fitting = [variant for variant in videos if (variant.height or 0) == lowest]
        videos = fitting
    return max(videos, key=lambda variant: (variant.height or 0, variant.bandwidth))


def _parse_master(lines: list[str], url: str) -> MasterPlaylist:
    master = MasterPlaylist()
    pending: dict[str, str] | None = None
    for line in lines:
        if line.startswith("#EXT-X-STREAM-INF:"):
            pending = attributes_of(line)
        elif line.startswith("#EXT-X-SESSION-KEY:"):
            require_plain_key(attributes_of(line))
        elif line.startswith("#EXT-X-MEDIA:"):
            _add_rendition(master, attributes_of(line), url)
        elif not line.startswith("#") and pending is not None:
            master.variants.append(_variant(pending, checked_url(line, url)))
            pending = None
    if not master.variants:
        raise PlaylistRefused("The playlist offers no video.")
    if any(variant.url == url for variant in master.variants):
        raise PlaylistRefused("The playlist leads to itself.")
    return master


def _variant(attributes: dict[str, str], url: str) -> Variant:
    height = re.fullmatch(r"\d{1,5}x(\d{1,5})", attributes.get("RESOLUTION", ""))
    bandwidth = attributes.get("BANDWIDTH", "0")
    return Variant(
        url=url,
        bandwidth=int(bandwidth) if bandwidth.isdecimal() and len(bandwidth) <= _MAX_DIGITS else 0,
        height=int(height[1]) if height else None,
        audio_group=attributes.get("AUDIO", ""),
        subtitle_group=attributes.get("SUBTITLES", ""),
    )


def _add_rendition(master: MasterPlaylist, attributes: dict[str, str], url: str) -> None:
    kind = attributes.get("TYPE", "").lower()
    if kind == "audio" and not attributes.get("URI"):
        master.groups_with_own_sound.add(attributes.get("GROUP-ID", ""))
    if kind in {"audio", "subtitles"} and attributes.get("URI"):
        master.renditions.append(
            Rendition(
                kind=kind,
                group=attributes.get("GROUP-ID", ""),
                url=checked_url(attributes["URI"], url),
                name=attributes.get("NAME", ""),
                language=attributes.get("LANGUAGE", ""),
                is_default=attributes.get("DEFAULT") == "YES",
            )
        )


class _MediaReader:
    """Keeps what the tags before a segment have said."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.playlist = MediaPlaylist()
        self.seconds = 0.0
        self.is_rounded = True  # all durations are whole seconds
        self.sequence = 0
        self.group = 0
        self.key: dict[str, str] | None = None
        self.key_url = ""
        self.init: int | None = None
        self.init_numbers: dict[Segment, int] = {}
        self.range_text = ""
        self.last_range: tuple[str, int] = ("", 0)
        self.has_end = False

    def read(self, lines: list[str]) -> MediaPlaylist:
        for line in lines:
            if line.startswith("#"):
                self._read_tag(line)
            else:
                self._add_segment(line)
        if not self.playlist.segments:
            raise PlaylistRefused("The playlist holds no segment.")
        if not self.has_end:
            raise LiveStream("The stream is live: it has no end.")
        if self.is_rounded:
            self.playlist.uncertainty_seconds = len(self.playlist.segments) * _MOST_ROUNDED_SECONDS
        if self.playlist.seconds > MAX_SECONDS:
            raise PlaylistRefused("The playlist is longer than two days.")
        return self.playlist

    def _read_tag(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "#EXTINF":
            text = value.split(",")[0]
            self.seconds = seconds_of(text)
            self.is_rounded = self.is_rounded and "." not in text
        elif name == "#EXT-X-BYTERANGE":
            self.range_text = value.strip()
        elif name == "#EXT-X-KEY":
            self._read_key(attributes_of(line))
        elif name == "#EXT-X-MAP":
            self._add_init(attributes_of(line))
        else:
            self._read_flag(name, value)

    def _read_key(self, attributes: dict[str, str]) -> None:
        require_plain_key(attributes)
        self.key = attributes if attributes.get("METHOD") == "AES-128" else None
        if self.key is not None:
            if not attributes.get("URI"):
                raise PlaylistRefused("The playlist's key has no address.")
            # Read once for all segments that it encrypts.
            self.key_url = checked_url(attributes["URI"], self.url)

    def _read_flag(self, name: str, value: str) -> None:
        if name == "#EXT-X-DISCONTINUITY":
            self.group += 1
        elif name == "#EXT-X-ENDLIST" or (
            name == "#EXT-X-PLAYLIST-TYPE" and value.strip() == "VOD"
        ):
            self.has_end = True
        elif name == "#EXT-X-MEDIA-SEQUENCE" and value.strip().isdecimal():
            self.sequence = int(value.strip()[:18])
        elif name == "#EXT-X-GAP":
            raise PlaylistRefused("A segment of the stream is missing.")

    def _add_init(self, attributes: dict[str, str]) -> None:
        if not attributes.get("URI"):
            raise PlaylistRefused("The playlist's initialisation segment has no address.")
        url = checked_url(attributes["URI"], self.url)
        byte_range = byte_range_of(attributes.get("BYTERANGE", ""), 0)
        key = self._key() if self.key is not None and "IV" in self.key else None
        init = Segment(url, 0.0, byte_range, key)
        index = self.init_numbers.setdefault(init, len(self.init_numbers))
        if index == MAX_INITS:
            raise PlaylistRefused("The playlist changes its initialisation segment too often.")
        if index == len(self.playlist.inits):
            self.playlist.inits.append(init)
        if self.init is not None and index != self.init:
            self.group += 1
        self.init = index

    def _add_segment(self, line: str) -> None:
        if len(self.playlist.segments) >= MAX_SEGMENTS:
            raise PlaylistRefused(f"The playlist has more than {MAX_SEGMENTS} segments.")
        url = checked_url(line, self.url)
        segment = Segment(
            url=url,
            seconds=self.seconds,
            byte_range=self._next_range(url),
            key=self._key(),
            init=self.init,
            group=self.group,
        )
        self.playlist.segments.append(segment)
        self.sequence += 1
        self.range_text = ""

    def _next_range(self, url: str) -> tuple[int, int] | None:
        # Without an offset the range follows the previous segment's, if that is of the same file.
        start = self.last_range[1] if self.last_range[0] == url else 0
        byte_range = byte_range_of(self.range_text, start)
        if byte_range is not None:
            self.last_range = (url, byte_range[1])
        return byte_range

    def _key(self) -> Key | None:
        if self.key is None:
            return None
        text = self.key.get("IV", "")
        if text:
            if not re.fullmatch(r"0[xX][0-9a-fA-F]{1,32}", text):
                raise PlaylistRefused("The playlist names an impossible key vector.")
            iv = int(text, 16).to_bytes(16, "big")
        else:
            iv = self.sequence.to_bytes(16, "big")
        return Key(self.key_url, iv)
