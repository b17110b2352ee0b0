"""A direct download: one file over one or several connections, resumable at every byte."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path

from downloads.engine.backoff import PROGRESS_BYTES, FailureCount, StatusRefused
from downloads.engine.calls import Answer, Call
from downloads.engine.connections import ConnectionCount
from downloads.engine.errors import ConnectionFailed, EngineError, WrongLength
from downloads.engine.journal import Identity
from downloads.engine.lane import (
    OVERLAP_BYTES,
    Lane,
    RangesIgnored,
    RangesUnusable,
    RemoteChanged,
    identity_of,
)
from downloads.engine.monitor import Monitor
from downloads.engine.partfile import PartFile
from downloads.engine.ranges import RangePlan, Span
from downloads.engine.sniff import Manifest, container_of, manifest_of
from downloads.engine.source import Source
from downloads.engine.storage import WorkFolder
from downloads.engine.transport import Transport

_SPACE_SECONDS = 1.0
# What has waited in memory for that long is written: a kill loses it.
_GATHER_SECONDS = 0.06
_MAX_RESTARTS = 3
# Slow connections are opened anew, but a host that throttles in earnest is not pestered.
_MAX_REOPENED = 16
_REOPEN_SECONDS = 0.25


class PlaylistFound(EngineError):
    """What was taken for a file is a playlist; caught by `fetch`, never seen outside."""

    retryable = False

    def __init__(self, kind: Manifest, url: str) -> None:
        super().__init__("The address leads to a playlist.")
        self.kind = kind
        self.url = url


class Progressive:
    """One file; `step` keeps it going, the rest is called back by its lanes."""

    def __init__(
        self, source: Source, *, folder: WorkFolder, transport: Transport, monitor: Monitor
    ) -> None:
        self.source = source
        self.part = PartFile(folder)
        self.size: int | None = None
        self.has_changed = False
        self.now = time.monotonic
        self.on_front: Callable[[int], None] = lambda _offset: None  # told what is whole up to
        self._folder, self._transport, self._monitor = folder, transport, monitor
        self._lanes: list[Lane] = []
        self._use_ranges = True
        self._is_sized = False
        self._restarts = 0
        self._failures = FailureCount()
        self._count = ConnectionCount()
        self._effective_url = ""
        self._not_before = self._next_space = 0.0
        self._needs_renewal = False
        self._reopened = 0
        self._next_reopen = 0.0
        self._plan: RangePlan | None = self.part.resumed_plan()
        if self._plan is not None:
            self.size, self._is_sized = self._plan.size, True
        self.bytes_done = self.resumed_from = self._on_disk()

    @property
    def path(self) -> Path:
        """Where the bytes are."""
        return self.part.path

    @property
    def is_complete(self) -> bool:
        """Whether every byte is in the file."""
        return self._plan is not None and self._plan.is_complete and not self._lanes

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._lanes)

    @property
    def size_limit(self) -> int:
        """No byte at or behind this offset is written."""
        return self.size if self.size is not None else self._monitor.limits.max_bytes

    def step(self) -> None:
        """Start what should run now and note how far it is. Raises EngineError, OSError."""
        now = self.now()
        if self._needs_renewal and self.source.renew():
            self._needs_renewal = False
            self._effective_url = ""
        if now >= self._not_before and not self._needs_renewal:
            self._start_lanes(now)
        for lane in self._lanes:
            if now - lane.written_at >= _GATHER_SECONDS:
                lane.flush()
        if self._plan is not None and self.part.is_mark_due(now):
            self._mark()
        self.on_front(self._plan.front if self._plan is not None else 0)
        if now >= self._next_space:
            self._next_space = now + _SPACE_SECONDS
            self._folder.require_space(0, self._monitor.limits.min_free_bytes)

    def close(self) -> None:
        """Write and note what has arrived; drop the connections."""
        self._flush()
        self._cancel_lanes()
        with contextlib.suppress(OSError):
            self._mark()
        self._lanes.clear()
        self.part.close()

    def _on_disk(self) -> int:
        return 0 if self._plan is None else self._plan.size - self._plan.missing_bytes

    def _flush(self) -> None:
        for lane in self._lanes:
            lane.flush()

    def _mark(self) -> None:
        if self._plan is not None and self._is_sized:
            self.part.mark(self._plan)

    # Connections.

    def _start_lanes(self, now: float) -> None:
        if self._plan is None:
            if not self._lanes:
                self._start_lane(Span(0, self.size_limit))
            return
        if self._count.is_climbing(now):
            self._flush()
        self._count.observe(now, self.bytes_done)
        wanted = self._wanted_connections(now)
        if now >= self._next_reopen and self._reopened < _MAX_REOPENED:
            self._next_reopen = now + _REOPEN_SECONDS
            self._give_up_laggard(now)
        while len(self._lanes) > wanted:
            self._drop_lane(now)
        while len(self._lanes) < wanted and not self._plan.is_complete:
            # The rates by which a range is divided are those of what has been written.
            self._flush()
            span = self._plan.take(now)
            if span is None:
                return
            self._start_lane(span)

    def _wanted_connections(self, now: float) -> int:
        if not self._use_ranges or self._plan is None:
            return 1
        maximum = self._monitor.limits.max_connections
        if self.source.host_connections is not None and self._lanes:
            maximum = min(maximum, self.source.host_connections(self._lanes[0].call.host))
        return self._count.decide(
            now,
            answered=sum(1 for lane in self._lanes if lane.span.started_at),
            missing_bytes=self._plan.missing_bytes,
            maximum=max(maximum, 1),
        )

    def _start_lane(self, span: Span) -> None:
        lane = Lane(self, span, self._overlap_before(span.position))
        stream = self.source.stream
        is_ranged = self._use_ranges or span.position > 0
        end = span.end if self._plan is not None and self._is_sized else None
        lane.call = Call(
            self._effective_url or stream.url,
            lane,
            headers=stream.headers,
            byte_range=(lane.first_byte, end) if is_ranged else None,
            if_range=self.part.identity.validator,
        )
        self._lanes.append(lane)
        self._transport.start(lane.call)

    def _overlap_before(self, position: int) -> int:
        for start, end in self._plan.written() if self._plan is not None and position else []:
            if end == position:
                return min(OVERLAP_BYTES, end - start)
        return 0

    def _give_up_laggard(self, now: float) -> None:
        """Make room for a connection that may be luckier; its range is the next to be taken."""
        laggard = self._plan.laggard(now) if self._plan is not None else None
        for lane in self._lanes:
            if lane.span is laggard:
                self._reopened += 1
                self._drop(lane)
                return

    def _drop_lane(self, now: float) -> None:
        self._drop(min(self._lanes, key=lambda lane: lane.span.rate(now) or 0.0))

    def _drop(self, lane: Lane) -> None:
        lane.flush()
        self._transport.cancel(lane.call)
        self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        self._lanes.remove(lane)
        if self._plan is not None:
            self._plan.release(lane.span, self.now())

    def _cancel_lanes(self) -> None:
        for lane in self._lanes:
            self._transport.cancel(lane.call)

    # Called by the lanes.

    def lane_answered(self, lane: Lane, answer: Answer) -> None:
        """Take the first answer as the truth and hold the others against it."""
        told = identity_of(answer)
        if self._plan is None:
            self._begin(lane, answer, told)
        elif self.part.identity.contradicts(told):
            raise RemoteChanged("The remote file has changed.")
        self._effective_url = answer.url

    def _begin(self, lane: Lane, answer: Answer, told: Identity) -> None:
        limits = self._monitor.limits
        if told.size is not None:
            if told.size > limits.max_bytes:
                raise WrongLength("The file is larger than what may be downloaded.")
            self._folder.require_space(told.size, limits.min_free_bytes)
        self._is_sized = told.size is not None
        self._use_ranges = answer.status == HTTPStatus.PARTIAL_CONTENT and self._is_sized
        self.size = told.size
        lane.span.end = self.size_limit
        lane.call_end = min(lane.call_end, self.size_limit)
        self._plan = RangePlan(self.size_limit, [], [lane.span])
        self.part.begin(told)

    def refuse_whole(self, answer: Answer) -> None:
        """A range was asked for and the whole file is coming. Always raises EngineError."""
        if self.part.identity.contradicts(identity_of(answer)):
            raise RemoteChanged("The remote file has changed.")
        raise RangesIgnored("The server ignores ranges.")

    def look_at_head(self, head: bytes) -> None:
        """Refuse what is no video before the rest of it is fetched. Raises NotAVideo."""
        manifest = manifest_of(head)
        if manifest is not None:
            raise PlaylistFound(manifest, self._effective_url)
        container_of(head)

    def check_seam(self, offset: int, content: memoryview) -> None:
        """Compare bytes that came twice: both connections must tell the same."""
        for start, end in self._plan.written() if self._plan is not None else []:
            if start <= offset < end and not self.part.matches(content[: end - offset], offset):
                raise RangesUnusable("The server answers ranges with wrong bytes.")

    def note_bytes(self, size: int) -> None:
        """Count what has been written."""
        self.bytes_done += size
        if self.part.wants_mark:
            self._mark()

    def lane_ended(self, lane: Lane, call: Call) -> None:
        """Decide what a finished or failed connection means. Raises when there is no way on."""
        self._forget(lane)
        error = call.error
        if error is None:
            self._end_well(lane, call)
        elif isinstance(error, RemoteChanged):
            self.has_changed = True
            # Where each of several servers tells something else of the same file, one answer is
            # at least one version of it.
            self._use_ranges = self._use_ranges and not self._restarts
            self._restart("The server describes another file each time it is asked.")
        elif isinstance(error, RangesIgnored) and self._lanes:
            self._count.back_off(self.now(), 1, is_refusal=True)
        elif isinstance(error, RangesUnusable):
            self._use_ranges = False
            self._restart("The server breaks off and answers ranges wrongly.")
        elif isinstance(error, OSError) or not error.retryable:
            raise error
        else:
            self._retry(lane, error)

    def _end_well(self, lane: Lane, call: Call) -> None:
        span = lane.span
        if not self._is_sized:
            self.size = span.position
            self._plan = RangePlan(span.position)
            self.part.finish(span.position)
        elif not call.ended_early and span.position < min(span.end, lane.call_end):
            self._retry(lane, ConnectionFailed("The server sent less than it had announced."))
        elif span.position < span.end and lane.brought_bytes < PROGRESS_BYTES:
            # Asked at once for the rest, such a server would be asked without a pause.
            self._retry(lane, ConnectionFailed("The server sends next to nothing of a range."))
        if self.size == 0:
            container_of(b"")

    def _restart(self, reason: str) -> None:
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            raise WrongLength(reason)
        self._cancel_lanes()
        self._lanes.clear()
        self.part.begin(Identity())
        self._plan, self.size, self._is_sized = None, None, False
        self.bytes_done = self.resumed_from = 0
        self._monitor.restarted()

    def _retry(self, lane: Lane, error: EngineError) -> None:
        if self._lanes:
            working = len(self._lanes)
            self._count.back_off(self.now(), working, is_refusal=lane.was_refused)
            return
        self._count.wait_longer(self.now())
        # A redirect's target may live shorter than the address that led there.
        was_redirected = self._effective_url not in {"", self.source.stream.url}
        self._effective_url = ""
        if was_redirected and isinstance(error, StatusRefused):
            return
        if self.source.refresh is not None and self._failures.may_refresh(
            error, bytes_done=self.bytes_done
        ):
            self._needs_renewal = True
            return
        wait = self._failures.wait_seconds(
            error, bytes_done=self.bytes_done, limits=self._monitor.limits
        )
        self._not_before = self.now() + wait
        if not self._is_sized and self._plan is not None:
            self._restart("The server breaks off a file of unknown length.")
