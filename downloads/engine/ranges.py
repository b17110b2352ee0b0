"""Which bytes of a file are fetched by which connection; pure bookkeeping without I/O.

An idle connection takes part of the range that would be finished last, cut by the two expected
rates, so that both ends meet at the same time and a slow connection keeps only what it can do.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from downloads.engine.journal import Ranges

MIN_PIECE_BYTES = 524_288
_SMALLEST_PIECE_BYTES = 65_536
# A piece that an existing connection would finish sooner than that is not worth a request.
_MIN_PIECE_SECONDS = 0.06
_MIN_RATE = 1024.0
_MEASURED_SECONDS = 0.05  # less time tells nothing of a rate
# When a connection is given up for another one: after so long, at such a share of the usual rate,
# with so much left to do at its own.
_JUDGED_SECONDS = 0.5
_LAGGING_SHARE = 0.25
_LAGGING_LEFT_SECONDS = 1.0
_LEAST_SIBLINGS = 2


@dataclass(slots=True, eq=False)
class Span:
    """A range that one connection is fetching: [position, end) is still to come."""

    start: int
    end: int
    position: int = 0
    started_at: float = 0.0  # monotonic; when its first byte came, 0 before

    def rate(self, now: float) -> float | None:
        """Bytes a second so far; None before there is anything to measure."""
        elapsed = now - self.started_at
        if not self.started_at or elapsed < _MEASURED_SECONDS:
            return None
        return max((self.position - self.start) / elapsed, _MIN_RATE)


@dataclass(slots=True)
class RangePlan:
    """All ranges of one file of known size."""

    size: int
    gaps: Ranges = field(default_factory=list)
    live: list[Span] = field(default_factory=list)
    _usual_rates: list[float] = field(default_factory=list)

    @classmethod
    def resume(cls, size: int, written: Ranges) -> RangePlan:
        """A plan in which the written ranges are not fetched again."""
        gaps, position = [], 0
        for start, end in written:
            if start > position:
                gaps.append((position, start))
            position = max(position, end)
        if position < size:
            gaps.append((position, size))
        return cls(size, gaps)

    @property
    def is_complete(self) -> bool:
        """Whether every byte is on disk."""
        return not self.gaps and all(span.position >= span.end for span in self.live)

    @property
    def missing_bytes(self) -> int:
        """Bytes that are not on disk yet."""
        return sum(end - start for start, end in self.gaps) + sum(
            max(span.end - span.position, 0) for span in self.live
        )

    @property
    def front(self) -> int:
        """Everything before this offset is on disk."""
        starts = [start for start, _ in self.gaps]
        starts += [span.position for span in self.live if span.position < span.end]
        return min(starts, default=self.size)

    def written(self) -> Ranges:
        """The ranges that are on disk."""
        missing = self.gaps + [(s.position, s.end) for s in self.live if s.position < s.end]
        result, position = [], 0
        for start, end in sorted(missing):
            if start > position:
                result.append((position, start))
            position = end
        if position < self.size:
            result.append((position, self.size))
        return result

    def take(self, now: float) -> Span | None:
        """The next range for an idle connection; None when there is nothing worth a request."""
        if self.gaps:
            start, end = self.gaps.pop(0)
            span = Span(start, end, start)
        else:
            stolen = self._steal(now)
            if stolen is None:
                return None
            span = stolen
        self.live.append(span)
        return span

    def release(self, span: Span, now: float) -> None:
        """A connection is done with its range, finished or not."""
        rate = span.rate(now)
        if rate is not None and span.position - span.start >= _SMALLEST_PIECE_BYTES:
            self._usual_rates = [*self._usual_rates[-15:], rate]
        self.live.remove(span)
        if span.position >= span.end:
            return
        for neighbour in self.live:
            # An unused piece goes back to the connection that it was taken from.
            if neighbour.end == span.position == span.start:
                neighbour.end = span.end
                return
        self.gaps.append((span.position, span.end))
        self.gaps.sort()

    def laggard(self, now: float) -> Span | None:
        """A connection that is far slower than its siblings and has much left to do."""
        rates = [
            (rate, span)
            for span in self.live
            if (rate := span.rate(now)) is not None and now - span.started_at >= _JUDGED_SECONDS
        ]
        if len(rates) <= _LEAST_SIBLINGS:
            return None
        slowest, span = min(rates, key=lambda pair: pair[0])
        usual = sorted(rate for rate, _ in rates)[len(rates) // 2]
        is_long = (span.end - span.position) / slowest > _LAGGING_LEFT_SECONDS
        return span if slowest < usual * _LAGGING_SHARE and is_long else None

    def usual_rate(self, now: float) -> float:
        """What a connection brings here, in bytes a second."""
        rates = [rate for span in self.live if (rate := span.rate(now)) is not None]
        known = rates + self._usual_rates
        return sorted(known)[len(known) // 2] if known else _MIN_RATE

    def _steal(self, now: float) -> Span | None:
        usual = self.usual_rate(now)
        victim, victim_rate, seconds_left = None, usual, 0.0
        for span in self.live:
            rate = span.rate(now) or usual
            left = (span.end - span.position) / rate
            if left > seconds_left:
                victim, victim_rate, seconds_left = span, rate, left
        if victim is None:
            return None
        left_bytes = victim.end - victim.position
        kept = int(left_bytes * victim_rate / (victim_rate + usual))
        least = max(_SMALLEST_PIECE_BYTES, min(MIN_PIECE_BYTES, int(usual * _MIN_PIECE_SECONDS)))
        if left_bytes - kept < least or seconds_left < _MIN_PIECE_SECONDS:
            return None
        cut = victim.position + max(kept, _SMALLEST_PIECE_BYTES)
        if victim.end - cut < least:
            return None
        span = Span(cut, victim.end, cut)
        victim.end = cut
        return span
