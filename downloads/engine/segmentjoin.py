"""Joins the stored segments of a stream to one file; apart, because it brings libavformat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from threading import Event

from downloads.engine.hls import SegmentPlan, Track
from downloads.engine.mux import Muxer
from downloads.engine.segmentstore import SegmentStore
from downloads.engine.sniff import SNIFF_BYTES, container_of
from downloads.engine.subtitles import Cue, parse_webvtt
from downloads.engine.tracks import Group, SubtitleInput, TrackInput

_MAX_CUE_BYTES = 10_000_000

# Waits for a segment to come; false when none will come any more.
Wait = Callable[[int], bool]


class SegmentReader:
    """The bytes of one group of a track, one after the other; may wait for segments to come."""

    def __init__(self, store: SegmentStore, indexes: list[int], init: bytes, wait: Wait) -> None:
        self._store, self._indexes, self._wait = store, indexes, wait
        self._init = init
        self._number = 0
        self._offset = 0

    def read(self, size: int) -> bytes:
        """The next bytes; empty at the end."""
        if self._init:
            content, self._init = self._init[:size], self._init[size:]
            return content
        while self._number < len(self._indexes):
            index = self._indexes[self._number]
            if not self._wait(index):
                break
            place = self._store.place_of(index)
            if place is not None and self._offset < place.length:
                content = self._store.read(place, self._offset, size)
                self._offset += len(content)
                return content
            self._number, self._offset = self._number + 1, 0
        return b""


def join(
    plan: SegmentPlan,
    store: SegmentStore,
    target: Path,
    *,
    stop: Event,
    wait: Wait,
) -> Path:
    """Write all tracks into one file next to `target` and return its path. Raises NotAVideo."""
    tracks = [
        TrackInput(
            track.kind,
            _groups(plan, track, store, wait),
            track.language,
            has_own_sound=track.has_own_sound,
        )
        for track in plan.tracks
        if track.kind != "subtitles"
    ]
    subtitles = [
        SubtitleInput(partial(_cues, plan, track, store, wait), track.language)
        for track in plan.tracks
        if track.kind == "subtitles"
    ]
    return Muxer(tracks, subtitles, target=target, stop=stop).run()


def _groups(plan: SegmentPlan, track: Track, store: SegmentStore, wait: Wait) -> list[Group]:
    by_group: dict[int, list[int]] = {}
    for position, segment in enumerate(track.playlist.segments):
        by_group.setdefault(segment.group, []).append(position)
    groups: list[Group] = []
    end = 0.0
    for number, positions in by_group.items():
        first = track.playlist.segments[positions[0]]
        init = b"" if first.init is None else plan.inits[track.playlist.inits[first.init]]
        indexes = [track.places[position] for position in positions]
        seconds = sum(track.playlist.segments[position].seconds for position in positions)
        start = plan.starts.get(number, end)
        end = start + seconds
        groups.append(_group(store, indexes, init, wait, seconds=seconds, start_seconds=start))
    return groups


def _group(
    store: SegmentStore,
    indexes: list[int],
    init: bytes,
    wait: Wait,
    *,
    seconds: float,
    start_seconds: float,
) -> Group:
    def head() -> bytes:
        return SegmentReader(store, indexes, init, wait).read(SNIFF_BYTES)

    return Group(
        open=lambda: SegmentReader(store, indexes, init, wait),
        container=lambda: container_of(head()),
        seconds=seconds,
        start_seconds=start_seconds,
    )


def _cues(
    plan: SegmentPlan, track: Track, store: SegmentStore, wait: Wait
) -> Iterator[tuple[int, Cue]]:
    numbers = dict.fromkeys(segment.group for segment in plan.tracks[0].playlist.segments)
    parts = {number: part for part, number in enumerate(numbers)}
    # Segments repeat the cues that reach into them.
    seen: set[tuple[int, Cue]] = set()
    for index, segment in zip(track.places, track.playlist.segments, strict=True):
        if not wait(index):
            return
        part = parts.get(segment.group, 0)
        place = store.place_of(index)
        if place is not None:
            text = store.read(place, 0, min(place.length, _MAX_CUE_BYTES))
            for cue in parse_webvtt(text.decode("utf-8", "replace")):
                if (part, cue) not in seen:
                    seen.add((part, cue))
                    yield part, cue
