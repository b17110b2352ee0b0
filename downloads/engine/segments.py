"""Fetches the segments of a stream over several connections with bounded memory."""

from __future__ import annotations

import hashlib
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from downloads.engine.backoff import FailureCount, StatusRefused, may_be_expired, may_pass
from downloads.engine.calls import Call
from downloads.engine.errors import EngineError
from downloads.engine.monitor import Monitor
from downloads.engine.playlist import Segment
from downloads.engine.segmentlane import SegmentChanged, SegmentLane
from downloads.engine.segmentstore import SegmentStore
from downloads.engine.storage import WorkFolder
from downloads.engine.transport import Transport

_SPACE_SECONDS = 1.0
_SHOW_TOTAL_FROM = 0.02
# So much of an early segment is fetched once more at the end.
_PROOF_BYTES = 65_536


class Decryptor(Protocol):
    """Turns encrypted pieces into plain ones; `finish` gives what is left."""

    def update(self, content: bytes | memoryview) -> bytes:
        """The next plain bytes; may be empty."""
        ...

    def finish(self) -> bytes:
        """The last plain bytes. Raises ConnectionFailed when the segment is cut."""
        ...


@dataclass(slots=True)
class SegmentSource:
    """What to fetch, in the order in which it is played; changes when addresses expire."""

    segments: list[Segment]
    fingerprint: str
    headers: Mapping[str, str]
    decryptor: Callable[[Segment], Decryptor | None]
    renew: Callable[[], None] | None = None  # resolves the addresses again, when that is possible
    host_connections: Callable[[str], int] | None = None


def fingerprint_of(segments: list[Segment], *, label: str) -> str:
    """The same for a stream whose addresses were signed anew; another one for nearly any other.

    Signatures stand in the query or in a folder's name. Where that leaves two streams alike, their
    bytes, which are compared, do not.
    """
    digest = hashlib.sha256(label.encode())
    for segment in segments:
        name = segment.url.split("?", 1)[0].rpartition("/")[2]
        digest.update(f"{name} {segment.seconds} {segment.byte_range} {segment.group}\n".encode())
    return digest.hexdigest()


class SegmentFetch:
    """Fetches all segments; `step` keeps it going, the rest is called back by its lanes."""

    def __init__(
        self, source: SegmentSource, *, folder: WorkFolder, transport: Transport, monitor: Monitor
    ) -> None:
        self.source = source
        self._folder, self._transport, self._monitor = folder, transport, monitor
        self._lanes: list[SegmentLane] = []
        self._open_store()
        self._idle_lanes = list(range(999, -1, -1))
        self._failures = FailureCount()
        self._limit: int | None = None  # connections, after the server complained
        self._limit_until = self._not_before = self._next_space = self._failed_at = 0.0
        self._needs_renewal = False
        self._renewed_at = 0.0
        self.resumed_from = self.bytes_done

    def _open_store(self) -> None:
        count = len(self.source.segments)
        self.store = SegmentStore(self._folder.path, self.source.fingerprint, count)
        finished = self.store.finished
        self._todo = deque(index for index in range(count) if index not in finished)
        self._count = count
        self._bytes_whole = self.store.stored_bytes
        # The newest segment is fetched once more and compared, to notice a stream that changed
        # since the last run.
        self._probe = self.store.newest
        # At the end so is the beginning of one of the oldest, to notice one that changed meanwhile.
        self._is_proven = False

    @property
    def is_complete(self) -> bool:
        """Whether every segment is on disk, and all of them are of one version of the stream."""
        return not self._todo and not self._lanes and self._is_proven

    @property
    def is_trusted(self) -> bool:
        """Whether the segments of earlier runs have been found to be of the same stream."""
        return self._probe is None or not self._todo

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        return len(self._lanes)

    @property
    def bytes_done(self) -> int:
        """Bytes of whole and half segments."""
        return self._bytes_whole + sum(lane.length for lane in self._lanes if not lane.is_probe)

    @property
    def size(self) -> int | None:
        """All bytes, judged from the finished segments; None while that would be guesswork."""
        finished = self.store.finished_count
        if not finished or finished < self._count * _SHOW_TOTAL_FROM:
            return None
        if finished == self._count:
            return self._bytes_whole
        return max(int(self._bytes_whole / finished * self._count), self.bytes_done)

    def step(self) -> None:
        """Start what should run now. Raises EngineError, OSError."""
        now = time.monotonic()
        if self._needs_renewal and self.source.renew is not None:
            self.source.renew()
            self._needs_renewal, self._renewed_at = False, time.monotonic()
        if now >= self._next_space:
            self._next_space = now + _SPACE_SECONDS
            self._folder.require_space(0, self._monitor.limits.min_free_bytes)
        if now < self._not_before or (self._probe is not None and self._lanes):
            return
        if self._probe is not None and self._todo:
            self._start(self._probe, is_probe=True)
            return
        if not self._todo and self._may_prove() and len(self._lanes) < self._wanted(now):
            self._start(self.store.oldest, is_probe=True, enough=_PROOF_BYTES)
            return
        while self._todo and len(self._lanes) < self._wanted(now):
            self._start(self._todo.popleft(), is_probe=False)

    def _wanted(self, now: float) -> int:
        wanted = self._monitor.limits.max_connections
        if self.source.host_connections is not None and self._lanes:
            wanted = min(wanted, self.source.host_connections(self._lanes[0].call.host))
        if self._limit is not None and now < self._limit_until:
            wanted = min(wanted, self._limit)
        return max(wanted, 1)

    def _may_prove(self) -> bool:
        """Whether it is time for the last look: all the others have at least been answered."""
        if self._is_proven or not self.store.finished_count:
            return False
        return all(lane.call.answer is not None and not lane.is_probe for lane in self._lanes)

    def _start(self, index: int, *, is_probe: bool, enough: int | None = None) -> None:
        segment = self.source.segments[index]
        number = self._idle_lanes.pop()
        lane = SegmentLane(self, index=index, number=number)
        lane.expected = self.store.place_of(index) if is_probe else None
        lane.enough = enough
        lane.call = Call(
            segment.url, lane, headers=self.source.headers, byte_range=segment.byte_range
        )
        self._lanes.append(lane)
        self.send(lane.call)

    def close(self) -> None:
        """Drop the connections; whole segments stay."""
        for lane in self._lanes:
            self._transport.cancel(lane.call)
        self._lanes.clear()
        self.store.close()

    # Called by the lanes.

    def send(self, call: Call) -> None:
        """Begin a call of a lane. Raises AddressRefused."""
        self._transport.start(call)

    def lane_ended(self, lane: SegmentLane, call: Call) -> None:
        """Decide what a finished or failed segment means. Raises when there is no way on."""
        self._lanes.remove(lane)
        self._idle_lanes.append(lane.number)
        error = call.error
        if error is None or self._is_absent(lane, error):
            self._end_well(lane)
        elif isinstance(error, SegmentChanged | OSError) or not error.retryable:
            raise error
        else:
            if not lane.is_probe:
                self._todo.appendleft(lane.index)
            self._retry(lane, error)

    def _is_absent(self, lane: SegmentLane, error: Exception) -> bool:
        """Whether it is a segment that there need not be; kept as one without a byte."""
        return (
            self.source.segments[lane.index].may_be_absent
            and isinstance(error, StatusRefused)
            and error.status == HTTPStatus.NOT_FOUND
            and (lane.expected is None or lane.expected.length == 0)
        )

    def _end_well(self, lane: SegmentLane) -> None:
        if lane.is_probe:
            self._probe = None
            self._is_proven = lane.enough is not None
            return
        self.store.add(lane.index, lane.number, lane.length)
        self._bytes_whole += lane.length
        self._failures.failures = 0

    def _is_renewed(self, lane: SegmentLane, error: EngineError) -> bool:
        """Whether the segment will be asked for at a fresh address."""
        if self._needs_renewal:
            return True
        if may_be_expired(error) and lane.started_at < self._renewed_at:
            return True
        self._needs_renewal = self._failures.may_refresh(error, bytes_done=self._bytes_whole)
        return self._needs_renewal

    def _retry(self, lane: SegmentLane, error: EngineError) -> None:
        now = time.monotonic()
        if self.source.renew is not None and self._is_renewed(lane, error):
            return
        if self._lanes and may_pass(error):
            self._limit, self._limit_until = len(self._lanes), now + 10.0
        if lane.started_at < self._failed_at and may_pass(error):
            # All connections of a server that goes away end at once, which is one failure.
            return
        self._failed_at = now
        wait = self._failures.wait_seconds(
            error, bytes_done=self._bytes_whole, limits=self._monitor.limits
        )
        self._not_before = max(self._not_before, now + wait)
