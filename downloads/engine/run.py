"""One run of the engine: fetch by the stream's kind, verify, measure.

Loaded by `fetch` on the first call, because it brings libcurl with it; libavformat comes later
still, when there is something to join or to verify.
"""

from __future__ import annotations

import time
from dataclasses import replace
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Event, Thread
from typing import TYPE_CHECKING

from downloads.engine.calls import checked_url
from downloads.engine.digest import RunningDigest, sha256_of
from downloads.engine.errand import Errand
from downloads.engine.errors import (
    EngineError,
    NotAVideo,
    PlaylistRefused,
    ServerRefused,
    WrongLength,
)
from downloads.engine.monitor import Monitor
from downloads.engine.partfile import PartFile
from downloads.engine.progressive import PlaylistFound, Progressive
from downloads.engine.session import Outcome, Session
from downloads.engine.source import Source
from downloads.engine.storage import WorkFolder
from downloads.engine.types import Control, FetchedFile, FetchRequest, Stage
from providers.errors import ProviderError
from providers.streams import Stream, StreamKind

if TYPE_CHECKING:
    from downloads.engine.verify import VerifiedMedia

_PRELOAD_AFTER_SECONDS = 0.3
_BUSY_BYTES = 45_000_000  # in that time
# Such a file is kept nowhere: the next source must not build on it.
_SPOILED = (NotAVideo, WrongLength, PlaylistRefused)


def run(request: FetchRequest, control: Control, folder: WorkFolder) -> FetchedFile:
    """Fetch and verify into a locked folder. Raises EngineError, OSError."""
    session = Session.open(_with_own_errors(request), control, folder)
    is_over = Event()
    preload = Thread(target=_preload, args=(session.monitor, is_over), daemon=True)
    preload.start()
    try:
        return _result(session)
    except _SPOILED:
        folder.discard()
        raise
    finally:
        session.close()
        is_over.set()
        preload.join()


def _preload(monitor: Monitor, is_over: Event) -> None:
    """Load what the last step needs while bytes are on their way and leave time for it.

    It holds the interpreter for longer than a server needs for its answer; and where bytes come as
    fast as they can be taken it would hold them up for longer than it takes by itself.
    """
    before = 0
    while not is_over.wait(_PRELOAD_AFTER_SECONDS):
        arrived, before = monitor.bytes_done - before, monitor.bytes_done
        if arrived < _BUSY_BYTES:
            import_module("downloads.engine.verify")
            return


def _with_own_errors(request: FetchRequest) -> FetchRequest:
    """The same request; what fails in the owner's `refresh` ends as our kind of error."""
    refresh = request.refresh
    if refresh is None:
        return request

    def renewed() -> Stream:
        try:
            return refresh()
        except EngineError:
            raise
        except ProviderError as error:
            raise ServerRefused(
                f"The address could not be renewed: {error}",
                retry_after_seconds=error.retry_after_seconds,
            ) from error
        except Exception as error:
            raise ServerRefused("The address could not be renewed.") from error

    return replace(request, refresh=renewed)


def _result(session: Session) -> FetchedFile:
    request, monitor = session.request, session.monitor
    monitor.beat()
    checked_url(request.stream.url)
    kind, outcome = _fetch(session, request.stream)
    # To remove large files takes longer than to verify one.
    halves = outcome.spent[::2], outcome.spent[1::2]
    removals = [Errand(partial(_remove, paths)) for paths in halves if paths]
    try:
        monitor.enter(Stage.CHECKING)
        media = _verified(session, outcome)
        digest = ""
        if request.want_sha256:
            digest = monitor.wait_for(lambda stop: _sha256(session, outcome.path, stop))
    finally:
        for removal in removals:
            removal.result()
    return FetchedFile(
        path=outcome.path,
        size_bytes=outcome.path.stat().st_size,
        sha256=digest,
        extension=media.extension,
        kind=kind.value,
        height=media.height,
        duration_seconds=media.duration_seconds,
        seconds=time.monotonic() - monitor.started_at,
        resumed_from=monitor.resumed_from,
        connections=monitor.most_connections,
        restarted=session.has_changed,
    )


def _remove(paths: tuple[Path, ...]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)


def _sha256(session: Session, path: Path, stop: Event) -> str:
    if session.digest is None:
        return sha256_of(path, stop)
    return session.digest.finish(path.stat().st_size, stop)


def _verified(session: Session, outcome: Outcome) -> VerifiedMedia:
    from downloads.engine.verify import check_duration, verify  # noqa: PLC0415 - as above

    media = session.monitor.wait_for(lambda _stop: verify(outcome.path, expected_size=outcome.size))
    check_duration(media.duration_seconds, outcome.seconds_near(media.duration_seconds))
    check_duration(media.duration_seconds, session.request.expected_duration_seconds)
    return media


def _fetch(session: Session, stream: Stream) -> tuple[StreamKind, Outcome]:
    if stream.kind is StreamKind.HTTP:
        try:
            return stream.kind, _fetch_file(session, stream)
        except PlaylistFound as found:
            if session.digest is not None:
                session.digest.close()
                session.digest = None
            PartFile.discard(session.folder)
            kind = StreamKind(found.kind.value)
            return _fetch(session, replace(stream, kind=kind, url=found.url))
    from downloads.engine import streams  # noqa: PLC0415 - a direct file needs none of it

    ways = {
        StreamKind.HLS: streams.fetch_hls,
        StreamKind.DASH: streams.fetch_dash,
        StreamKind.SPLIT: streams.fetch_split,
    }
    if stream.kind in ways:
        return stream.kind, ways[stream.kind](session, stream)
    raise NotAVideo("The address leads to a page, not to a video.")


def _fetch_file(session: Session, stream: Stream) -> Outcome:
    request = session.request
    file = Progressive(
        Source(stream, request.refresh, request.host_connections),
        folder=session.folder,
        transport=session.transport,
        monitor=session.monitor,
    )
    if request.want_sha256:
        session.digest = RunningDigest(file.path)
        file.on_front = session.digest.advance
    try:
        session.drive([file])
    finally:
        file.close()
    session.has_changed = file.has_changed
    return Outcome(file.path, stream.duration_seconds, file.size)
