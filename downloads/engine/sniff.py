"""Tells from the first bytes what a file is; nothing is ever opened by its name or header alone."""

from __future__ import annotations

import re
from enum import StrEnum

from downloads.engine.errors import NotAVideo

SNIFF_BYTES = 1024


class Container(StrEnum):
    """A container that is accepted; the value is libavformat's name of its demuxer."""

    MP4 = "mov"
    MATROSKA = "matroska"
    MPEG_TS = "mpegts"
    FLV = "flv"
    AVI = "avi"
    MP3 = "mp3"
    AAC = "aac"
    OGG = "ogg"
    FLAC = "flac"
    WAV = "wav"
    MPEG_PS = "mpeg"
    ASF = "asf"


class Manifest(StrEnum):
    """A text that leads to a video instead of being one."""

    HLS = "hls"
    DASH = "dash"


_MP4_BOXES = frozenset({b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"})
_PREFIXES = (
    (b"\x1a\x45\xdf\xa3", Container.MATROSKA),
    (b"FLV\x01", Container.FLV),
    (b"OggS", Container.OGG),
    (b"fLaC", Container.FLAC),
    (b"\x00\x00\x01\xba", Container.MPEG_PS),
    (b"\x30\x26\xb2\x75\x8e\x66\xcf\x11", Container.ASF),
)
# Frame headers: eleven or twelve set bits, then the layer (ISO/IEC 13818-7 and 11172-3).
_ADTS_MASK, _ADTS_SYNC = 0xFFF6, 0xFFF0
_ID3_HEADER_BYTES = 10
_MP3_MASK, _MP3_SYNC = 0xFFE6, 0xFFE2
_REFUSED = (
    (b"PK\x03\x04", "an archive"),
    (b"Rar!", "an archive"),
    (b"7z\xbc\xaf\x27\x1c", "an archive"),
    (b"\x1f\x8b", "a compressed file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"#!", "a script"),
    (b"%PDF", "a document"),
    (b"\xff\xd8\xff", "an image"),
    (b"\x89PNG", "an image"),
    (b"GIF8", "an image"),
    (b"WEBVTT", "a subtitle"),
)
_MARKUP = re.compile(rb"<(!doctype|html|head|body|script|\?xml|svg|error|!--)", re.IGNORECASE)


def container_of(head: bytes) -> Container:
    """The container that these first bytes begin. Raises NotAVideo naming what they are."""
    if not head:
        raise NotAVideo("The file is empty.")
    if head.startswith(b"ID3"):
        return _behind_id3(head)
    for prefix, container in _PREFIXES:
        if head.startswith(prefix):
            return container
    container_or_none = _by_structure(head)
    if container_or_none is not None:
        return container_or_none
    raise NotAVideo(f"The file is {_what_else(head)}, not a video.")


def manifest_of(head: bytes) -> Manifest | None:
    """Which kind of playlist these first bytes begin, if any."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"#EXTM3U"):
        return Manifest.HLS
    if re.match(rb"(<\?xml[^>]*\?>\s*)?(<!--.*?-->\s*)*<(\w+:)?MPD[\s>]", text, re.DOTALL):
        return Manifest.DASH
    return None


def refuse_text(head: bytes) -> None:
    """Refuse a web page or JSON where a piece of a video should be. Raises NotAVideo."""
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")) or _MARKUP.match(text):
        raise NotAVideo(f"A piece of the stream is {_what_else(head)}, not video.")


def _by_structure(head: bytes) -> Container | None:
    if head[4:8] in _MP4_BOXES:
        return Container.MP4
    if head[:4] == b"RIFF" and head[8:11] == b"AVI":
        return Container.AVI
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        return Container.WAV
    if head[:1] == b"\x47" and all(
        head[offset : offset + 1] == b"\x47" for offset in range(0, min(len(head), 565), 188)
    ):
        return Container.MPEG_TS
    if len(head) > 1 and int.from_bytes(head[:2], "big") & _ADTS_MASK == _ADTS_SYNC:
        return Container.AAC
    if len(head) > 1 and int.from_bytes(head[:2], "big") & _MP3_MASK == _MP3_SYNC:
        return Container.MP3
    return None


def _behind_id3(head: bytes) -> Container:
    """MP3, unless the tag is a short one before bare AAC: that of a segment (RFC 8216, 3.4)."""
    size = 0
    for byte in head[6:_ID3_HEADER_BYTES]:
        size = size << 7 | byte & 0x7F
    is_aac = _by_structure(head[_ID3_HEADER_BYTES + size :]) is Container.AAC
    return Container.AAC if is_aac else Container.MP3


def _what_else(head: bytes) -> str:
    manifest = manifest_of(head)
    if manifest is not None:
        return "a playlist"
    for prefix, name in _REFUSED:
        if head.startswith(prefix):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _MARKUP.search(text[:SNIFF_BYTES]):
        return "a web page"
    if text[:1] in {b"{", b"["}:
        return "a JSON document"
    return "of an unknown kind"
