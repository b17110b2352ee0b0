"""An HLS stream: from the playlist's address to tracks of segments, and from those to one file."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from threading import Event

from downloads.engine.errors import PlaylistRefused
from downloads.engine.mux import Group, Muxer, SubtitleInput, TrackInput
from downloads.engine.playlist import (
    MasterPlaylist,
    MediaPlaylist,
    Rendition,
    Segment,
    Variant,
    best_variant,
    parse_playlist,
)
from downloads.engine.segments import Decryptor, SegmentSource, fingerprint_of
from downloads.engine.segmentstore import SegmentStore
from downloads.engine.small import SmallFetcher
from downloads.engine.sniff import SNIFF_BYTES, container_of
from downloads.engine.subtitles import Cue, parse_webvtt

_MAX_PLAYLIST_BYTES = 48_000_000
_MAX_KEY_BYTES = 1024
_MAX_INIT_BYTES = 10_000_000
_MAX_KEYS = 2000
_MAX_RENDITIONS = 8
_KEY_BYTES = 16


@dataclass(slots=True)
class Track:
    """One playlist that is fetched, and where its segments stand in the common order."""

    kind: str  # video, audio or subtitles
    playlist: MediaPlaylist
    language: str = ""
    places: list[int] = field(default_factory=list)  # by segment: index in SegmentPlan.order


@dataclass(slots=True)
class SegmentPlan:
    """A whole stream as segments: HLS and DASH look the same from here on."""

    tracks: list[Track]
    order: list[Segment] = field(default_factory=list)
    inits: dict[Segment, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    label: str = ""  # tells the chosen quality from others

    def __post_init__(self) -> None:
        """Order the segments of all tracks by the time at which they are played."""
        timed: list[tuple[float, int, int, Segment]] = []
        for number, track in enumerate(self.tracks):
            at = 0.0
            for position, segment in enumerate(track.playlist.segments):
                timed.append((at, number, position, segment))
                at += segment.seconds
            track.places = [0] * len(track.playlist.segments)
        timed.sort(key=lambda entry: entry[:3])
        for index, (_, number, position, segment) in enumerate(timed):
            self.order.append(segment)
            self.tracks[number].places[position] = index

    @property
    def seconds(self) -> float:
        """How long the stream lasts by its playlist."""
        return self.tracks[0].playlist.seconds

    @property
    def fingerprint(self) -> str:
        """The same for the same stream, however its addresses are signed."""
        return fingerprint_of(self.order, label=self.label)

    def decryptor(self, segment: Segment) -> Decryptor | None:
        """What decrypts a segment; None when it is plain."""
        if segment.key is None:
            return None
        from downloads.engine.aes import AesDecryptor  # noqa: PLC0415 - most streams are plain

        return AesDecryptor(self.keys[segment.key.url], segment.key.iv)


def load_hls(fetcher: SmallFetcher, url: str, max_height: int | None) -> SegmentPlan:
    """Fetch all playlists, keys and initialisation segments of a stream. Raises EngineError."""
    playlist, final_url = _fetch_playlist(fetcher, url)
    if isinstance(playlist, MediaPlaylist):
        plan = SegmentPlan([Track("video", playlist)], label="only")
    else:
        plan = _load_variant(fetcher, playlist, final_url, max_height)
    load_extras(fetcher, plan)
    return plan


def load_extras(fetcher: SmallFetcher, plan: SegmentPlan) -> None:
    """Fetch the keys and initialisation segments of a plan. Raises EngineError."""
    inits = {init for track in plan.tracks for init in track.playlist.inits}
    segments = [*plan.order, *inits]
    key_urls = list(dict.fromkeys(segment.key.url for segment in segments if segment.key))
    if len(key_urls) > _MAX_KEYS:
        raise PlaylistRefused("The stream changes its key too often.")
    for url, key in fetcher.fetch_all(key_urls, max_bytes=_MAX_KEY_BYTES).items():
        if len(key.content) != _KEY_BYTES:
            raise PlaylistRefused("The stream's key is not one.")
        plan.keys[url] = key.content
    for init in inits:
        found = fetcher.fetch(init.url, max_bytes=_MAX_INIT_BYTES, byte_range=init.byte_range)
        decryptor = plan.decryptor(init)
        content = found.content
        if decryptor is not None:
            content = decryptor.update(content) + decryptor.finish()
        plan.inits[init] = content


def _fetch_playlist(fetcher: SmallFetcher, url: str) -> tuple[MasterPlaylist | MediaPlaylist, str]:
    found = fetcher.fetch(url, max_bytes=_MAX_PLAYLIST_BYTES)
    return parse_playlist(found.content.decode("utf-8", "replace"), found.url), found.url


def _fetch_media(fetcher: SmallFetcher, url: str) -> MediaPlaylist:
    playlist, _ = _fetch_playlist(fetcher, url)
    if isinstance(playlist, MasterPlaylist):
        raise PlaylistRefused("The playlists are nested in each other.")
    return playlist


def _load_variant(
    fetcher: SmallFetcher, master: MasterPlaylist, url: str, max_height: int | None
) -> SegmentPlan:
    variant = best_variant(master.variants, max_height)
    tracks = [Track("video", _fetch_media(fetcher, variant.url))]
    for rendition in _renditions(master, variant):
        if rendition.url in {variant.url, url}:
            continue
        playlist = _fetch_media(fetcher, rendition.url)
        tracks.append(Track(rendition.kind, playlist, rendition.language[:3]))
    return SegmentPlan(tracks, label=f"{variant.height} {variant.bandwidth}")


def _renditions(master: MasterPlaylist, variant: Variant) -> list[Rendition]:
    wanted = [
        rendition
        for rendition in master.renditions
        if rendition.group
        == (variant.audio_group if rendition.kind == "audio" else variant.subtitle_group)
    ]
    wanted.sort(key=lambda rendition: (rendition.kind, not rendition.is_default))
    return [
        rendition
        for kind in ("audio", "subtitles")
        for rendition in [r for r in wanted if r.kind == kind][:_MAX_RENDITIONS]
    ]


def segment_source(
    plan: SegmentPlan, fetcher: SmallFetcher, reload: Callable[[], SegmentPlan] | None
) -> SegmentSource:
    """What the segment fetcher needs to know of a plan."""
    source = SegmentSource(
        segments=plan.order,
        fingerprint=plan.fingerprint,
        headers=fetcher.headers,
        decryptor=plan.decryptor,
    )
    if reload is not None:

        def renew() -> None:
            fresh = reload()
            if fresh.fingerprint != source.fingerprint:
                raise PlaylistRefused("The renewed address leads to another stream.")
            source.segments, source.headers = fresh.order, fetcher.headers
            source.decryptor = fresh.decryptor

        source.renew = renew
    return source


class SegmentReader:
    """The bytes of one group of a track, one after the other; may wait for segments to come."""

    def __init__(
        self, store: SegmentStore, indexes: list[int], init: bytes, wait: Callable[[int], None]
    ) -> None:
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
            self._wait(index)
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
    wait: Callable[[int], None],
) -> Path:
    """Write all tracks into one file next to `target` and return its path. Raises NotAVideo."""
    tracks = [
        TrackInput(track.kind, _groups(plan, track, store, wait), track.language)
        for track in plan.tracks
        if track.kind != "subtitles"
    ]
    subtitles = [
        SubtitleInput(partial(_cues, track, store, wait), track.language)
        for track in plan.tracks
        if track.kind == "subtitles"
    ]
    return Muxer(tracks, subtitles, target=target, stop=stop).run()


def _groups(
    plan: SegmentPlan, track: Track, store: SegmentStore, wait: Callable[[int], None]
) -> list[Group]:
    by_group: dict[int, list[int]] = {}
    for position, segment in enumerate(track.playlist.segments):
        by_group.setdefault(segment.group, []).append(position)
    groups = []
    for positions in by_group.values():
        first = track.playlist.segments[positions[0]]
        init = b"" if first.init is None else plan.inits[track.playlist.inits[first.init]]
        indexes = [track.places[position] for position in positions]
        seconds = sum(track.playlist.segments[position].seconds for position in positions)
        groups.append(_group(store, indexes, init, seconds, wait))
    return groups


def _group(
    store: SegmentStore,
    indexes: list[int],
    init: bytes,
    seconds: float,
    wait: Callable[[int], None],
) -> Group:
    def head() -> bytes:
        return SegmentReader(store, indexes, init, wait).read(SNIFF_BYTES)

    return Group(
        open=lambda: SegmentReader(store, indexes, init, wait),
        container=lambda: container_of(head()),
        seconds=seconds,
    )


def _cues(track: Track, store: SegmentStore, wait: Callable[[int], None]) -> Iterator[Cue]:
    # Segments repeat the cues that reach into them.
    seen: set[Cue] = set()
    for index in track.places:
        wait(index)
        place = store.place_of(index)
        if place is not None:
            text = store.read(place, 0, min(place.length, _MAX_INIT_BYTES))
            for cue in parse_webvtt(text.decode("utf-8", "replace")):
                if cue not in seen:
                    seen.add(cue)
                    yield cue
