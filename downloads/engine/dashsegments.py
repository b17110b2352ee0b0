"""Where the segments of a DASH track are and how long each lasts (ISO/IEC 23009-1, 5.3.9)."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET

from downloads.engine.calls import checked_url
from downloads.engine.errors import PlaylistRefused
from downloads.engine.playlist import MAX_SEGMENTS, Segment

_MAX_DIGITS = 15
_MOST_REST_SECONDS = 1.0
_PLACEHOLDER = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth)?(?:%0(\d{1,2})d)?\$")
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})")


@dataclass(slots=True)
class Representation:
    """One track of one period, with all that is said above it."""

    kind: str
    language: str
    chain: list[ET.Element]  # period, adaptation set, representation
    base_url: str
    seconds: float

    def attribute(self, name: str, default: str = "") -> str:
        """What the representation itself says."""
        return self.chain[-1].get(name, default)


@dataclass(frozen=True, slots=True)
class _Slot:
    """When a segment is played."""

    ticks: int
    seconds: float
    is_rest: bool = False  # what is left of the period after the segments of full length


@dataclass(slots=True)
class _Addresses:
    """How the segments of a representation are found, merged from all levels."""

    attributes: dict[str, str] = field(default_factory=dict)
    timeline: ET.Element | None = None
    initialization: ET.Element | None = None
    urls: list[ET.Element] = field(default_factory=list)
    tag: str = ""


def init_segment(of: Representation) -> Segment | None:
    """What has to be read before the segments; None when they need nothing.

    Raises PlaylistRefused, AddressRefused.
    """
    addresses = _addresses(of.chain)
    template = addresses.attributes.get("initialization")
    if addresses.tag == "SegmentTemplate" and template:
        return Segment(checked_url(_filled(template, of), of.base_url), 0.0)
    element = addresses.initialization
    if addresses.tag == "SegmentList" and element is not None:
        url = checked_url(element.get("sourceURL", ""), of.base_url)
        return Segment(url, 0.0, _byte_range(element.get("range", "")))
    return None


def media_segments(of: Representation) -> Iterator[Segment]:
    """The segments in playing order. Raises PlaylistRefused, AddressRefused."""
    addresses = _addresses(of.chain)
    base = of.base_url
    if addresses.tag == "SegmentTemplate":
        media = addresses.attributes.get("media", "")
        first = whole_number(addresses.attributes.get("startNumber", "1"))
        for count, slot in enumerate(_times(addresses, of)):
            name = _filled(media, of, number=first + count, time=slot.ticks)
            url = checked_url(name, base)
            yield Segment(url, slot.seconds, may_be_absent=slot.is_rest)
    elif addresses.tag == "SegmentList":
        times = _times(addresses, of)
        for element in addresses.urls:
            slot = next(times, _Slot(0, 0.0))
            url = checked_url(element.get("media", ""), base)
            yield Segment(url, slot.seconds, _byte_range(element.get("mediaRange", "")))
    else:
        # One file holds the whole representation.
        yield Segment(checked_url(base), of.seconds, file_bytes=0)


def _addresses(chain: list[ET.Element]) -> _Addresses:
    merged = _Addresses()
    for level in chain:
        for tag in ("SegmentBase", "SegmentList", "SegmentTemplate"):
            found = level.find(f"{{*}}{tag}")
            if found is None:
                continue
            merged.tag = tag
            merged.attributes |= found.attrib
            for name in ("SegmentTimeline", "Initialization"):
                element = found.find(f"{{*}}{name}")
                if element is not None and name == "SegmentTimeline":
                    merged.timeline = element
                elif element is not None:
                    merged.initialization = element
            merged.urls = found.findall("{*}SegmentURL") or merged.urls
    return merged


def _times(addresses: _Addresses, of: Representation) -> Iterator[_Slot]:
    scale = whole_number(addresses.attributes.get("timescale", "1")) or 1
    if addresses.timeline is not None:
        yield from _timeline(addresses.timeline, scale, of.seconds)
        return
    ticks = whole_number(addresses.attributes.get("duration", "0"))
    if not ticks or not of.seconds:
        raise PlaylistRefused("The manifest does not tell how long its segments last.")
    length = ticks / scale
    for count in range(min(math.ceil(of.seconds / length - 1e-6), MAX_SEGMENTS + 1)):
        left = of.seconds - count * length
        # A manifest tells one length for all its tracks, and some have no such rest.
        is_rest = left < length and left <= _MOST_REST_SECONDS
        yield _Slot(count * ticks, min(length, left), is_rest)


def _timeline(timeline: ET.Element, scale: int, period: float) -> Iterator[_Slot]:
    time, count = 0, 0
    first: int | None = None
    entries = timeline.findall("{*}S")
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        ticks = whole_number(entry.get("d", "0"))
        if not ticks:
            raise PlaylistRefused("The manifest names an impossible duration.")
        time = whole_number(entry.get("t", str(time)))
        first = time if first is None else first
        repeats = entry.get("r", "0")
        if repeats.startswith("-"):
            # Up to the next entry, or to the end of the period.
            end = period * scale + first
            if following is not None and following.get("t"):
                end = whole_number(following.get("t", ""))
            repeats = str(max(math.ceil((end - time) / ticks - 1e-6) - 1, 0))
        for _ in range(whole_number(repeats) + 1):
            yield _Slot(time, ticks / scale)
            time += ticks
            count += 1
            if count > MAX_SEGMENTS:
                return


def _filled(template: str, of: Representation, *, number: int = 0, time: int = 0) -> str:
    values = {
        "RepresentationID": of.attribute("id"),
        "Bandwidth": of.attribute("bandwidth", "0"),
        "Number": str(number),
        "Time": str(time),
    }

    def fill(match: re.Match[str]) -> str:
        if not match[1]:
            return "$"
        return values[match[1]].zfill(int(match[2] or 0))

    return _PLACEHOLDER.sub(fill, template)


def _byte_range(text: str) -> tuple[int, int] | None:
    if not text:
        return None
    match = _RANGE.fullmatch(text)
    if match is None or int(match[1]) > int(match[2]):
        raise PlaylistRefused("The manifest names an impossible range of bytes.")
    return int(match[1]), int(match[2]) + 1


def whole_number(text: str) -> int:
    """A number that a stranger has written; 0 when it is none."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS else 0
