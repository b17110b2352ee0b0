"""What all ways of fetching share during one run: request, folder, network, owner, main loop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from downloads.engine.digest import RunningDigest
from downloads.engine.monitor import Monitor
from downloads.engine.storage import WorkFolder
from downloads.engine.transport import Transport, TransportSettings
from downloads.engine.types import Control, FetchRequest, Stage

# How often transfers are looked after while nothing begins or ends.
_LOOK_SECONDS = 0.01


class Transfer(Protocol):
    """What is kept going: one file, or the segments of one stream."""

    resumed_from: int

    @property
    def is_complete(self) -> bool:
        """Whether everything is on disk."""
        ...

    @property
    def bytes_done(self) -> int:
        """Bytes on disk."""
        ...

    @property
    def size(self) -> int | None:
        """All bytes; None while unknown."""
        ...

    @property
    def connections(self) -> int:
        """Connections that are open now."""
        ...

    def step(self) -> None:
        """Start what should run now. Raises EngineError, OSError."""
        ...


@dataclass(slots=True)
class Session:
    """One call of `fetch`."""

    request: FetchRequest
    folder: WorkFolder
    monitor: Monitor
    transport: Transport
    has_changed: bool = False
    digest: RunningDigest | None = None  # of the file that is being written, where it is wanted

    @classmethod
    def open(cls, request: FetchRequest, control: Control, folder: WorkFolder) -> Session:
        """Prepare a run; nothing is sent yet."""
        monitor = Monitor(control)
        settings = TransportSettings(
            connect_timeout_seconds=monitor.limits.connect_timeout_seconds,
            stall_timeout_seconds=monitor.limits.stall_timeout_seconds,
            ca_file=request.ca_file,
        )
        return cls(request, folder, monitor, Transport(request.egress, settings))

    def close(self) -> None:
        """Drop what is still going on."""
        if self.digest is not None:
            self.digest.close()
        self.transport.close()

    def drive(
        self, transfers: Sequence[Transfer], *, watch: Callable[[], None] = lambda: None
    ) -> None:
        """Keep transfers going until all are complete; `watch` is called every now and then.

        Raises EngineError, OSError, and what `watch` raises.
        """
        monitor, transport = self.monitor, self.transport
        monitor.enter(Stage.CONNECTING)
        next_look = 0.0
        while not all(transfer.is_complete for transfer in transfers):
            now = time.monotonic()
            if transport.has_news or now >= next_look:
                next_look = now + _LOOK_SECONDS
                for transfer in transfers:
                    if not transfer.is_complete:
                        transfer.step()
                self._observe(transfers)
                watch()
                transport.limit(monitor.limits.rate_limit_bps)
                transport.watch_stalls(now)
            transport.turn()
        self._observe(transfers)

    def _observe(self, transfers: Sequence[Transfer]) -> None:
        monitor = self.monitor
        monitor.bytes_done = sum(transfer.bytes_done for transfer in transfers)
        sizes = [transfer.size for transfer in transfers]
        monitor.bytes_total = None if None in sizes else sum(size or 0 for size in sizes)
        monitor.connections = sum(transfer.connections for transfer in transfers)
        monitor.most_connections = max(monitor.most_connections, monitor.connections)
        monitor.resumed_from = sum(transfer.resumed_from for transfer in transfers)
        if monitor.stage is Stage.CONNECTING and monitor.bytes_done > monitor.resumed_from:
            monitor.enter(Stage.DOWNLOADING)
        monitor.beat()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A whole file that is not verified yet."""

    path: Path
    seconds: float | None = None  # how long it should last by the playlist or the source
    size: int | None = None
    spent: tuple[Path, ...] = ()  # what it was made of and may go
    uncertainty_seconds: float = 0.0  # the playlist's, when its durations are rounded

    def seconds_near(self, measured: float) -> float | None:
        """How long it should last: of all that its source may mean, the nearest to `measured`."""
        if self.seconds is None:
            return None
        most = self.uncertainty_seconds
        return min(max(measured, self.seconds - most), self.seconds + most)
