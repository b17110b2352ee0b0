"""Fetches the segments of a stream and joins them to one file."""

from __future__ import annotations

from collections.abc import Callable

from downloads.engine.hls import SegmentPlan, join, load_hls, segment_source
from downloads.engine.segments import SegmentFetch
from downloads.engine.session import Outcome, Session
from downloads.engine.small import SmallFetcher
from downloads.engine.types import Stage
from providers.types import Stream

_TARGET_NAME = "media.mp4"

LoadPlan = Callable[[SmallFetcher, str, int | None], SegmentPlan]


def fetch_hls(session: Session, stream: Stream) -> Outcome:
    """Fetch an HLS stream into one file. Raises EngineError, OSError."""
    return fetch_segmented(session, stream, load_hls)


def fetch_segmented(session: Session, stream: Stream, load: LoadPlan) -> Outcome:
    """Fetch a stream of segments whose playlists `load` reads. Raises EngineError, OSError."""
    request = session.request
    fetcher = SmallFetcher(session.transport, session.monitor, stream.headers)
    plan = load(fetcher, stream.url, request.max_height)
    reload = None
    if request.refresh is not None:
        refresh = request.refresh

        def reload() -> SegmentPlan:
            fresh = refresh()
            fetcher.headers = fresh.headers
            return load(fetcher, fresh.url, request.max_height)

    transfer = SegmentFetch(
        segment_source(plan, fetcher, reload),
        folder=session.folder,
        transport=session.transport,
        monitor=session.monitor,
    )
    try:
        session.drive([transfer])
        session.has_changed = transfer.has_changed
        session.folder.require_space(transfer.bytes_done, session.monitor.limits.min_free_bytes)
        session.monitor.enter(Stage.JOINING)
        target = session.folder.path / _TARGET_NAME
        path = session.monitor.wait_for(
            lambda stop: join(plan, transfer.store, target, stop=stop, wait=lambda _index: None)
        )
    finally:
        transfer.close()
    return Outcome(path, plan.seconds)
