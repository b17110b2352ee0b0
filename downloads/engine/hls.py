"""An HLS stream: from the playlist's address to tracks of segments."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from downloads.engine.errors import PlaylistRefused
from downloads.engine.playlist import (
    MAX_INITS,
    MasterPlaylist,
    MediaPlaylist,
    Rendition,
    Segment,
    Variant,
    best_variant,
    parse_playlist,
)
from downloads.engine.segmentlane import SegmentChanged
from downloads.engine.segments import Decryptor, SegmentSource, fingerprint_of
from downloads.engine.small import SmallFetcher

_MAX_PLAYLIST_BYTES = 48_000_000
_MAX_KEY_BYTES = 1024
_MAX_INIT_BYTES = 10_000_000
_MAX_ALL_INITS_BYTES = 64_000_000
_MAX_KEYS = 2000
_MAX_RENDITIONS = 8
_KEY_BYTES = 16


@dataclass(slots=True)
class Track:
    """One playlist that is fetched, and where its segments stand in the common order."""

    kind: str  # video, audio or subtitles
    playlist: MediaPlaylist
    language: str = ""
    has_own_sound: bool = False  # beside what other tracks bring
    places: list[int] = field(default_factory=list)  # by segment: index in SegmentPlan.order


@dataclass(slots=True)
class SegmentPlan:
    """A whole stream as segments: HLS and DASH look the same from here on."""

    tracks: list[Track]
    order: list[Segment] = field(default_factory=list)
    inits: dict[Segment, bytes] = field(default_factory=dict)
    keys: dict[str, bytes] = field(default_factory=dict)
    label: str = ""  # tells the chosen quality from others
    # Seconds at which each group begins, for all tracks; as long as the first track's, if not told.
    starts: dict[int, float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Order the segments of all tracks by the time at which they are played."""
        self.starts = self.starts or _starts_of(self.tracks[0])
        timed: list[tuple[float, int, int, Segment]] = []
        for number, track in enumerate(self.tracks):
            at, group = 0.0, -1
            for position, segment in enumerate(track.playlist.segments):
                if segment.group != group:
                    group = segment.group
                    at = self.starts.get(group, at)
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
    def uncertainty_seconds(self) -> float:
        """By how much that may be wrong for having been rounded."""
        return self.tracks[0].playlist.uncertainty_seconds

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


def _starts_of(track: Track) -> dict[int, float]:
    starts: dict[int, float] = {}
    at = 0.0
    for segment in track.playlist.segments:
        starts.setdefault(segment.group, at)
        at += segment.seconds
    return starts


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
    inits = list(dict.fromkeys(init for track in plan.tracks for init in track.playlist.inits))
    segments = [*plan.order, *inits]
    keys = list(dict.fromkeys((segment.key.url, None) for segment in segments if segment.key))
    if len(keys) > _MAX_KEYS or len(inits) > MAX_INITS:
        raise PlaylistRefused("The stream changes its key or its beginning too often.")
    for (url, _), key in fetcher.fetch_all(keys, max_bytes=_MAX_KEY_BYTES).items():
        if len(key.content) != _KEY_BYTES:
            raise PlaylistRefused("The key that should decrypt the stream has the wrong length.")
        plan.keys[url] = key.content
    _load_inits(fetcher, plan, inits)


def _load_inits(fetcher: SmallFetcher, plan: SegmentPlan, inits: list[Segment]) -> None:
    parts = [(init.url, init.byte_range) for init in inits]
    found = fetcher.fetch_all(list(dict.fromkeys(parts)), max_bytes=_MAX_INIT_BYTES)
    left = _MAX_ALL_INITS_BYTES
    for init, part in zip(inits, parts, strict=True):
        content = found[part].content
        decryptor = plan.decryptor(init)
        if decryptor is not None:
            content = decryptor.update(content) + decryptor.finish()
            # The same bytes may be wanted under many keys.
            left -= len(content)
        if left < 0:
            raise PlaylistRefused("The stream's initialisation segments are too large.")
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
    has_own_sound = variant.audio_group in master.groups_with_own_sound
    video = _fetch_media(fetcher, variant.url)
    tracks = [Track("video", video, has_own_sound=has_own_sound)]
    for rendition in _renditions(master, variant):
        if rendition.url in {variant.url, url}:
            continue
        playlist = _fetch_media(fetcher, rendition.url)
        tracks.append(Track(rendition.kind, playlist, rendition.language))
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
                raise SegmentChanged("The renewed address leads to another stream.")
            source.segments, source.headers = fresh.order, fetcher.headers
            source.decryptor = fresh.decryptor

        source.renew = renew
    return source
