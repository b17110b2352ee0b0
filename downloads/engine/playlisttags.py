"""What single tags of an HLS playlist mean (RFC 8216, 4)."""

from __future__ import annotations

import re

from downloads.engine.errors import PlaylistRefused, ProtectedStream

_ATTRIBUTE = re.compile(r'([A-Z0-9-]{1,40})=("[^"]{0,8000}"|[^,"]{0,8000})')
_BYTE_RANGE = re.compile(r"(\d{1,15})(?:@(\d{1,15}))?")


def attributes_of(line: str) -> dict[str, str]:
    """The attribute list of a tag (RFC 8216, 4.2), without quotes."""
    return {
        match[1]: match[2].strip().strip('"')
        for match in _ATTRIBUTE.finditer(line.partition(":")[2])
    }


def require_plain_key(attributes: dict[str, str]) -> None:
    """Refuse a key that is not handed out by plain HTTP. Raises ProtectedStream."""
    method = attributes.get("METHOD", "")
    if method == "NONE":
        return
    if method != "AES-128" or attributes.get("KEYFORMAT", "identity") != "identity":
        raise ProtectedStream("The stream is protected (DRM) and is left alone.")


def byte_range_of(text: str, start: int) -> tuple[int, int] | None:
    """The half open range that a text names; it begins at `start` when the text does not say.

    Raises PlaylistRefused.
    """
    if not text:
        return None
    match = _BYTE_RANGE.fullmatch(text)
    if match is None or int(match[1]) == 0:
        raise PlaylistRefused("The playlist names an impossible byte range.")
    start = int(match[2]) if match[2] else start
    return start, start + int(match[1])


def seconds_of(text: str) -> float:
    """A duration. Raises PlaylistRefused."""
    if not re.fullmatch(r"\s*\d{1,9}(\.\d{0,20})?\s*", text):
        raise PlaylistRefused("The playlist names an impossible duration.")
    return float(text)
