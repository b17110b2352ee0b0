"""Fetches the segments of a stream and joins them to one file."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from downloads.engine.errand import Errand
from downloads.engine.errors import WrongLength
from downloads.engine.hls import SegmentPlan, load_hls, segment_source
from downloads.engine.joiner import Joiner
from downloads.engine.progressive import Progressive
from downloads.engine.segmentlane import SegmentChanged
from downloads.engine.segments import SegmentFetch
from downloads.engine.segmentstore import SegmentStore
from downloads.engine.session import Outcome, Session
from downloads.engine.small import SmallFetcher
from downloads.engine.sniff import SNIFF_BYTES, Container, container_of
from downloads.engine.source import Source
from downloads.engine.storage import WorkFolder
from downloads.engine.types import Stage
from providers.streams import Stream

_TARGET_NAME = "media.mp4"
_MAX_VERSIONS = 4

LoadPlan = Callable[[SmallFetcher, str, int | None], SegmentPlan]


def fetch_hls(session: Session, stream: Stream) -> Outcome:
    """Fetch an HLS stream into one file. Raises EngineError, OSError."""
    return fetch_segmented(session, stream, load_hls)


def fetch_dash(session: Session, stream: Stream) -> Outcome:
    """Fetch an MPEG-DASH stream into one file. Raises EngineError, OSError."""
    from downloads.engine.dash import load_dash  # noqa: PLC0415 - brings an XML parser

    return fetch_segmented(session, stream, load_dash)


def fetch_split(session: Session, stream: Stream) -> Outcome:
    """Fetch picture and sound from two addresses and join them. Raises EngineError, OSError."""
    request = session.request
    sound = replace(stream, url=stream.audio_url, headers=stream.audio_headers)
    refresh = request.refresh
    refresh_sound = None
    if refresh is not None:

        def refresh_sound() -> Stream:
            fresh = refresh()
            return replace(fresh, url=fresh.audio_url, headers=fresh.audio_headers)

    with ExitStack() as stack:
        files: list[Progressive] = []
        for name, part, renew in (("video", stream, refresh), ("audio", sound, refresh_sound)):
            folder = stack.enter_context(WorkFolder(session.folder.path / name))
            files.append(_progressive(session, Source(part, renew), folder))
            stack.callback(files[-1].close)
        session.drive(files)
        session.has_changed = any(file.has_changed for file in files)
    from downloads.engine.mux import Muxer  # noqa: PLC0415 - brings libavformat
    from downloads.engine.tracks import Group, TrackInput  # noqa: PLC0415 - as above

    tracks = [
        TrackInput(kind, [Group(open=_opener(file.path), container=_sniffer(file.path))])
        for kind, file in zip(("video", "audio"), files, strict=True)
    ]
    size = sum(file.bytes_done for file in files)
    session.folder.require_space(size, session.monitor.limits.min_free_bytes)
    session.monitor.enter(Stage.JOINING)
    target = session.folder.path / _TARGET_NAME
    path = session.monitor.wait_for(lambda stop: Muxer(tracks, [], target=target, stop=stop).run())
    return Outcome(path, stream.duration_seconds)


def _progressive(session: Session, source: Source, folder: WorkFolder) -> Progressive:
    source.host_connections = session.request.host_connections
    return Progressive(source, folder=folder, transport=session.transport, monitor=session.monitor)


def _opener(path: Path) -> Callable[[], Path]:
    return lambda: path


def _sniffer(path: Path) -> Callable[[], Container]:
    def sniff() -> Container:
        with path.open("rb") as file:
            return container_of(file.read(SNIFF_BYTES))

    return sniff


def fetch_segmented(session: Session, stream: Stream, load: LoadPlan) -> Outcome:
    """Fetch a stream of segments whose playlists `load` reads. Raises EngineError, OSError."""
    source = _SegmentedSource(session, stream, load)
    for _ in range(_MAX_VERSIONS):
        try:
            return _fetch_version(session, source)
        except SegmentChanged:
            # What is on disk belongs to a stream that is no more, and so may keys and beginnings.
            session.has_changed = True
            SegmentStore.discard(session.folder.path)
            session.monitor.restarted()
    raise WrongLength("The stream changes all the time.")


@dataclass(slots=True)
class _SegmentedSource:
    """Where the playlists come from; changes when an address expires."""

    session: Session
    stream: Stream
    load: LoadPlan

    def plan(self, fetcher: SmallFetcher) -> SegmentPlan:
        fetcher.headers = self.stream.headers
        return self.load(fetcher, self.stream.url, self.session.request.max_height)

    def renewal(self, fetcher: SmallFetcher) -> Callable[[], SegmentPlan] | None:
        refresh = self.session.request.refresh
        if refresh is None:
            return None

        def renew() -> SegmentPlan:
            self.stream = _attended(self.session, Errand(refresh))
            return self.plan(fetcher)

        return renew


def _attended(session: Session, errand: Errand[Stream]) -> Stream:
    """The result of an errand; until it is there the connections and the owner are looked after."""
    while not errand.wait():
        session.monitor.beat()
        session.transport.limit(session.monitor.limits.rate_limit_bps)
        session.transport.turn()
        session.transport.watch_stalls(time.monotonic())
    return errand.result()


def _fetch_version(session: Session, source: _SegmentedSource) -> Outcome:
    """All segments of one version of the stream, joined. Raises SegmentChanged for another one."""
    fetcher = SmallFetcher(session.transport, session.monitor, source.stream.headers)
    plan = source.plan(fetcher)
    segments = segment_source(plan, fetcher, source.renewal(fetcher))
    segments.host_connections = session.request.host_connections
    transfer = SegmentFetch(
        segments,
        folder=session.folder,
        transport=session.transport,
        monitor=session.monitor,
    )
    try:
        path = transfer.store.joined
        if path is None:
            path = _fetch_and_join(session, plan, transfer)
        else:
            session.monitor.bytes_done = session.monitor.resumed_from = path.stat().st_size
        spent = transfer.store.files
    finally:
        transfer.close()
    return Outcome(path, plan.seconds, spent=spent, uncertainty_seconds=plan.uncertainty_seconds)


def _fetch_and_join(session: Session, plan: SegmentPlan, transfer: SegmentFetch) -> Path:
    joiner = Joiner(plan, transfer, session.folder.path / _TARGET_NAME)
    try:
        session.drive([transfer], watch=joiner.keep_up)
        session.folder.require_space(0, session.monitor.limits.min_free_bytes)
        session.monitor.enter(Stage.JOINING)
        path = joiner.finish(session.monitor)
    finally:
        joiner.stop()
    transfer.store.note_joined(path)
    return path
