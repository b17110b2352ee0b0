"""Reads MPEG-DASH manifests (ISO/IEC 23009-1) into the same plan of segments that HLS has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from xml.etree import ElementTree as ET

from downloads.engine.calls import checked_url
from downloads.engine.dashfiles import cut_files
from downloads.engine.dashsegments import (
    Representation,
    init_segment,
    media_segments,
    whole_number,
)
from downloads.engine.errors import LiveStream, PlaylistRefused, ProtectedStream
from downloads.engine.hls import SegmentPlan, Track, load_extras
from downloads.engine.playlist import (
    MAX_SECONDS,
    MAX_SEGMENTS,
    MediaPlaylist,
    Variant,
    best_variant,
)
from downloads.engine.small import SmallFetcher

_MAX_MANIFEST_BYTES = 8_000_000
_MAX_SOUND_TRACKS = 8
_MAX_SUBTITLE_TRACKS = 8
_MAX_PERIODS = 500
_DURATION = re.compile(
    r"P(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8}(?:\.\d{1,9})?)S)?)?"
)


def load_dash(fetcher: SmallFetcher, url: str, max_height: int | None) -> SegmentPlan:
    """Fetch a manifest and its initialisation segments. Raises EngineError."""
    found = fetcher.fetch(url, max_bytes=_MAX_MANIFEST_BYTES)
    plan = parse_manifest(found.content.decode("utf-8", "replace"), found.url, max_height)
    plan = cut_files(fetcher, plan)
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
    times = list(_times_of(periods, _seconds(root.get("mediaPresentationDuration", ""))))
    tracks: dict[tuple[str, str], Track] = {}
    labels: list[str] = []
    for number, period in enumerate(periods):
        base = _below(root, url)
        seconds = times[number][1]
        for chosen in _choices(period, _below(period, base), seconds, max_height):
            track = tracks.setdefault(
                (chosen.kind, chosen.language),
                Track(chosen.kind, MediaPlaylist(), chosen.language),
            )
            _add_segments(track.playlist, chosen, number)
            labels.append(chosen.attribute("id"))
    ordered = sorted(tracks.values(), key=lambda track: track.kind != "video")
    if not ordered or not ordered[0].playlist.segments:
        raise PlaylistRefused("The manifest offers no video.")
    starts = {number: start - times[0][0] for number, (start, _) in enumerate(times)}
    return SegmentPlan(ordered, label=" ".join(labels), starts=starts)


def _times_of(periods: list[ET.Element], total: float) -> Iterator[tuple[float, float]]:
    """Start and length of each period in seconds (5.3.2.1); a length of 0 is not known."""
    begin = 0.0
    for period, following in zip(periods, [*periods[1:], None], strict=True):
        begin = _seconds(period.get("start", "")) or begin
        end = total if following is None else _seconds(following.get("start", ""))
        seconds = _seconds(period.get("duration", "")) or max(end - begin, 0.0)
        yield begin, seconds
        begin += seconds


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
) -> Iterator[Representation]:
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
        language = group.get("lang", "")
        if not sounds or language in heard or len(heard) >= _MAX_SOUND_TRACKS:
            continue
        heard.add(language)
        best = max(sounds, key=lambda one: whole_number(one.get("bandwidth", "0")))
        yield _chosen("audio", group, best, (period, base, seconds))


def _subtitles(period: ET.Element, base: str, seconds: float) -> Iterator[Representation]:
    """One track for each language. Raises PlaylistRefused for what cannot be put into the file."""
    found: set[str] = set()
    for group in period.findall("{*}AdaptationSet"):
        one = group.find("{*}Representation")
        language = group.get("lang", "")
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
    height = whole_number(one.get("height") or group.get("height") or "0")
    return Variant(
        url=key, bandwidth=whole_number(one.get("bandwidth", "0")), height=height or None
    )


def _chosen(
    kind: str, group: ET.Element, one: ET.Element, place: tuple[ET.Element, str, float]
) -> Representation:
    period, base, seconds = place
    for level in (group, one):
        if level.find("{*}ContentProtection") is not None:
            raise ProtectedStream("The stream is protected (DRM) and is left alone.")
    return Representation(
        kind=kind,
        language="" if kind == "video" else group.get("lang", ""),
        chain=[period, group, one],
        base_url=_below(one, _below(group, base)),
        seconds=seconds,
    )


def _add_segments(playlist: MediaPlaylist, chosen: Representation, period: int) -> None:
    before = len(playlist.segments)
    init = init_segment(chosen)
    index = None
    if init is not None:
        if init not in playlist.inits:
            playlist.inits.append(init)
        index = playlist.inits.index(init)
    for segment in media_segments(chosen):
        if len(playlist.segments) >= MAX_SEGMENTS:
            raise PlaylistRefused(f"The manifest has more than {MAX_SEGMENTS} segments.")
        playlist.segments.append(replace(segment, init=index, group=period))
    if len(playlist.segments) == before:
        raise PlaylistRefused("The manifest names no segments.")
    if playlist.seconds > MAX_SECONDS:
        raise PlaylistRefused("The manifest is longer than two days.")


def _below(element: ET.Element, base: str) -> str:
    found = element.find("{*}BaseURL")
    text = (found.text or "").strip() if found is not None else ""
    return checked_url(text, base) if text else base


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text) if text else None
    if match is None:
        return 0.0
    days, hours, minutes = (int(match[number] or 0) for number in (1, 2, 3))
    return days * 86_400 + hours * 3600 + minutes * 60 + float(match[4] or 0)
