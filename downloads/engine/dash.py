"""Reads MPEG-DASH manifests (ISO/IEC 23009-1) into the same plan of segments that HLS has."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from xml.etree import ElementTree as ET

from downloads.engine.calls import checked_url
from downloads.engine.errors import LiveStream, PlaylistRefused, ProtectedStream
from downloads.engine.hls import SegmentPlan, Track, load_extras
from downloads.engine.playlist import (
    MAX_SECONDS,
    MAX_SEGMENTS,
    MediaPlaylist,
    Segment,
    Variant,
    best_variant,
)
from downloads.engine.small import SmallFetcher

_MAX_MANIFEST_BYTES = 8_000_000
_MAX_SOUND_TRACKS = 8
_MAX_SUBTITLE_TRACKS = 8
_MAX_PERIODS = 500
_MAX_DIGITS = 15
_DURATION = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?)?"
)
_PLACEHOLDER = re.compile(r"\$(RepresentationID|Number|Time|Bandwidth)?(?:%0(\d{1,2})d)?\$")
_RANGE = re.compile(r"(\d{1,15})-(\d{1,15})")


@dataclass(slots=True)
class _Chosen:
    """One track of one period: the representation and everything above it."""

    kind: str
    language: str
    representation: ET.Element
    chain: list[ET.Element]  # period, adaptation set, representation
    base_url: str
    seconds: float


@dataclass(slots=True)
class _Addresses:
    """How the segments of a representation are found, merged from all levels."""

    attributes: dict[str, str] = field(default_factory=dict)
    timeline: ET.Element | None = None
    initialization: ET.Element | None = None
    urls: list[ET.Element] = field(default_factory=list)
    tag: str = ""


def load_dash(fetcher: SmallFetcher, url: str, max_height: int | None) -> SegmentPlan:
    """Fetch a manifest and its initialisation segments. Raises EngineError."""
    found = fetcher.fetch(url, max_bytes=_MAX_MANIFEST_BYTES)
    plan = parse_manifest(found.content.decode("utf-8", "replace"), found.url, max_height)
    load_extras(fetcher, plan)
    return plan


def parse_manifest(text: str, url: str, max_height: int | None) -> SegmentPlan:
    """The segments of the chosen quality and of every language of sound.

    Raises PlaylistRefused when it is broken, LiveStream when it has no end, ProtectedStream when it
    is encrypted, AddressRefused for a forbidden address in it.
    """
    root = _root_of(text)
    periods = root.findall("{*}Period")
    if not periods or len(periods) > _MAX_PERIODS:
        raise PlaylistRefused("The manifest has no or too many periods.")
    total = _seconds(root.get("mediaPresentationDuration", ""))
    tracks: dict[tuple[str, str], Track] = {}
    labels: list[str] = []
    for number, period in enumerate(periods):
        base = _below(root, url)
        seconds = _seconds(period.get("duration", "")) or (total if len(periods) == 1 else 0.0)
        for chosen in _choices(period, _below(period, base), seconds, max_height):
            track = tracks.setdefault(
                (chosen.kind, chosen.language),
                Track(chosen.kind, MediaPlaylist(), chosen.language),
            )
            _add_segments(track.playlist, chosen, number)
            labels.append(chosen.representation.get("id", ""))
    ordered = sorted(tracks.values(), key=lambda track: track.kind != "video")
    if not ordered or not ordered[0].playlist.segments:
        raise PlaylistRefused("The manifest offers no video.")
    return SegmentPlan(ordered, label=" ".join(labels))


def _root_of(text: str) -> ET.Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise PlaylistRefused("The manifest defines entities of its own.")
    try:
        root = ET.fromstring(text)  # noqa: S314 - entities, the danger, were refused above
    except ET.ParseError:
        raise PlaylistRefused("The manifest is no readable XML.") from None
    if not root.tag.endswith("MPD"):
        raise PlaylistRefused("The manifest does not begin like one.")
    if root.get("type") == "dynamic":
        raise LiveStream("The stream is live: it has no end.")
    return root


def _choices(
    period: ET.Element, base: str, seconds: float, max_height: int | None
) -> Iterator[_Chosen]:
    sets: dict[str, list[ET.Element]] = {"video": [], "audio": []}
    for group in period.findall("{*}AdaptationSet"):
        kind = _kind_of(group)
        if kind in sets:
            sets[kind].append(group)
    videos = [(group, one) for group in sets["video"] for one in group.findall("{*}Representation")]
    if videos:
        variants = [_variant(group, one, str(n)) for n, (group, one) in enumerate(videos)]
        group, one = videos[int(best_variant(variants, max_height).url)]
        yield _chosen("video", group, one, (period, base, seconds))
    yield from _subtitles(period, base, seconds)
    heard: set[str] = set()
    for group in sets["audio"]:
        sounds = group.findall("{*}Representation")
        language = group.get("lang", "")[:3]
        if not sounds or language in heard or len(heard) >= _MAX_SOUND_TRACKS:
            continue
        heard.add(language)
        best = max(sounds, key=lambda one: _whole(one.get("bandwidth", "0")))
        yield _chosen("audio", group, best, (period, base, seconds))


def _subtitles(period: ET.Element, base: str, seconds: float) -> Iterator[_Chosen]:
    """One track for each language. Raises PlaylistRefused for what cannot be put into the file."""
    found: set[str] = set()
    for group in period.findall("{*}AdaptationSet"):
        one = group.find("{*}Representation")
        language = group.get("lang", "")[:3]
        if one is None or _kind_of(group) not in {"text", "application"} or language in found:
            continue
        if _mime_of(group) != "text/vtt":
            raise PlaylistRefused("The stream's subtitles are in a format that cannot be kept.")
        if len(found) < _MAX_SUBTITLE_TRACKS:
            found.add(language)
            yield _chosen("subtitles", group, one, (period, base, seconds))


def _kind_of(group: ET.Element) -> str:
    return group.get("contentType") or _mime_of(group).split("/")[0]


def _mime_of(group: ET.Element) -> str:
    first = group.find("{*}Representation")
    return group.get("mimeType") or (first.get("mimeType") if first is not None else None) or ""


def _variant(group: ET.Element, one: ET.Element, key: str) -> Variant:
    height = _whole(one.get("height") or group.get("height") or "0")
    return Variant(url=key, bandwidth=_whole(one.get("bandwidth", "0")), height=height or None)


def _chosen(
    kind: str, group: ET.Element, one: ET.Element, place: tuple[ET.Element, str, float]
) -> _Chosen:
    period, base, seconds = place
    for level in (group, one):
        if level.find("{*}ContentProtection") is not None:
            raise ProtectedStream("The stream is protected (DRM) and is left alone.")
    return _Chosen(
        kind=kind,
        language="" if kind == "video" else group.get("lang", "")[:3],
        representation=one,
        chain=[period, group, one],
        base_url=_below(one, _below(group, base)),
        seconds=seconds,
    )


def _add_segments(playlist: MediaPlaylist, chosen: _Chosen, period: int) -> None:
    addresses = _addresses(chosen.chain)
    before = len(playlist.segments)
    init = _init_segment(addresses, chosen)
    index = None
    if init is not None:
        if init not in playlist.inits:
            playlist.inits.append(init)
        index = playlist.inits.index(init)
    for segment in _segments(addresses, chosen):
        if len(playlist.segments) >= MAX_SEGMENTS:
            raise PlaylistRefused(f"The manifest has more than {MAX_SEGMENTS} segments.")
        playlist.segments.append(replace(segment, init=index, group=period))
    if len(playlist.segments) == before:
        raise PlaylistRefused("The manifest names no segments.")
    if playlist.seconds > MAX_SECONDS:
        raise PlaylistRefused("The manifest is longer than two days.")


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


def _init_segment(addresses: _Addresses, chosen: _Chosen) -> Segment | None:
    template = addresses.attributes.get("initialization")
    if addresses.tag == "SegmentTemplate" and template:
        return Segment(checked_url(_filled(template, chosen), chosen.base_url), 0.0)
    element = addresses.initialization
    if addresses.tag == "SegmentList" and element is not None:
        url = checked_url(element.get("sourceURL", ""), chosen.base_url)
        return Segment(url, 0.0, _byte_range(element.get("range", "")))
    return None


def _segments(addresses: _Addresses, chosen: _Chosen) -> Iterator[Segment]:
    base = chosen.base_url
    if addresses.tag == "SegmentTemplate":
        media = addresses.attributes.get("media", "")
        first = _whole(addresses.attributes.get("startNumber", "1"))
        for count, (time, seconds) in enumerate(_times(addresses, chosen)):
            name = _filled(media, chosen, number=first + count, time=time)
            yield Segment(checked_url(name, base), seconds)
    elif addresses.tag == "SegmentList":
        times = _times(addresses, chosen)
        for element in addresses.urls:
            _, seconds = next(times, (0, 0.0))
            url = checked_url(element.get("media", ""), base)
            yield Segment(url, seconds, _byte_range(element.get("mediaRange", "")))
    else:
        # One file holds the whole representation.
        yield Segment(checked_url(base), chosen.seconds)


def _times(addresses: _Addresses, chosen: _Chosen) -> Iterator[tuple[int, float]]:
    """Start in ticks and duration in seconds of each segment."""
    scale = _whole(addresses.attributes.get("timescale", "1")) or 1
    if addresses.timeline is not None:
        yield from _timeline(addresses.timeline, scale, chosen.seconds)
        return
    ticks = _whole(addresses.attributes.get("duration", "0"))
    if not ticks or not chosen.seconds:
        raise PlaylistRefused("The manifest does not tell how long its segments last.")
    length = ticks / scale
    for count in range(min(math.ceil(chosen.seconds / length - 1e-6), MAX_SEGMENTS + 1)):
        yield count * ticks, min(length, chosen.seconds - count * length)


def _timeline(timeline: ET.Element, scale: int, period: float) -> Iterator[tuple[int, float]]:
    time, count = 0, 0
    first: int | None = None
    for entry in timeline.findall("{*}S"):
        ticks = _whole(entry.get("d", "0"))
        if not ticks:
            raise PlaylistRefused("The manifest names an impossible duration.")
        time = _whole(entry.get("t", str(time)))
        first = time if first is None else first
        repeats = entry.get("r", "0")
        if repeats.startswith("-"):
            # Up to the end of the period.
            left = period - (time - first) / scale
            repeats = str(max(math.ceil(left * scale / ticks - 1e-6) - 1, 0))
        for _ in range(_whole(repeats) + 1):
            yield time, ticks / scale
            time += ticks
            count += 1
            if count > MAX_SEGMENTS:
                return


def _filled(template: str, chosen: _Chosen, *, number: int = 0, time: int = 0) -> str:
    values = {
        "RepresentationID": chosen.representation.get("id", ""),
        "Bandwidth": chosen.representation.get("bandwidth", "0"),
        "Number": str(number),
        "Time": str(time),
    }

    def fill(match: re.Match[str]) -> str:
        if not match[1]:
            return "$"
        return values[match[1]].zfill(int(match[2] or 0))

    return _PLACEHOLDER.sub(fill, template)


def _below(element: ET.Element, base: str) -> str:
    found = element.find("{*}BaseURL")
    text = (found.text or "").strip() if found is not None else ""
    return checked_url(text, base) if text else base


def _byte_range(text: str) -> tuple[int, int] | None:
    match = _RANGE.fullmatch(text)
    return (int(match[1]), int(match[2]) + 1) if match else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS else 0


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text) if text else None
    if match is None:
        return 0.0
    days, hours, minutes = (int(match[number] or 0) for number in (1, 2, 3))
    return days * 86_400 + hours * 3600 + minutes * 60 + float(match[4] or 0)
