"""What goes into the engine and what comes out; plain Python."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Protocol

from providers.safe_url import EgressPolicy
from providers.streams import Stream


class Stage(StrEnum):
    """What a transfer is doing; shown to people."""

    CONNECTING = "connecting"
    DOWNLOADING = "downloading"
    JOINING = "joining"
    CHECKING = "checking"
    MOVING = "moving"


class Command(StrEnum):
    """What the owner of a transfer wants of it now."""

    GO_ON = "go_on"
    PAUSE = "pause"
    CANCEL = "cancel"
    HAND_BACK = "hand_back"  # the worker is stopping: somebody else will go on


@dataclass(frozen=True, slots=True)
class Progress:
    """One look at a running transfer."""

    stage: Stage
    bytes_done: int
    bytes_total: int | None  # None when unknown
    speed_bps: float  # bytes a second, smoothed
    eta_seconds: float | None
    connections: int
    resumed_from: int = 0  # bytes that an earlier run had already put on disk


@dataclass(frozen=True, slots=True)
class Limits:
    """How hard one transfer may try."""

    max_connections: int = 4
    rate_limit_bps: int | None = None  # bytes a second; None is unlimited
    connect_timeout_seconds: float = 15.0
    stall_timeout_seconds: float = 30.0  # no byte for that long ends a connection
    min_free_bytes: int = 0  # free space that must stay on the disk of `work_dir`
    max_bytes: int = 200 * 10**9
    max_retries: int = 5  # in a row and without any progress between them
    retry_wait_seconds: float = 0.5  # before the first retry; doubles with each


class Control(Protocol):
    """How the engine talks to its owner; both are called from the fetching thread.

    `poll` is called at least twice a second, also while nothing arrives.
    """

    def poll(self) -> Command:
        """What to do now."""
        ...

    def limits(self) -> Limits:
        """The limits that hold now; asked at least once a second, so that a change takes effect."""
        ...

    def progress(self, progress: Progress) -> None:
        """Told two to four times a second."""
        ...


@dataclass(frozen=True, slots=True)
class FetchRequest:
    """One file to be fetched into `work_dir`, which belongs to this request alone.

    Called again with the same `work_dir` it goes on where the journal says the bytes are.
    """

    stream: Stream
    work_dir: Path
    egress: EgressPolicy
    max_height: int | None = None  # best variant not above it, else the lowest there is
    expected_duration_seconds: float | None = None
    refresh: Callable[[], Stream] | None = None  # resolves an expired address again
    host_connections: Callable[[str], int] | None = None  # cap of connections for a host name
    want_sha256: bool = True  # the checksum costs half a second of CPU a gigabyte
    ca_file: str = ""  # PEM file of trusted authorities; certifi's when empty


@dataclass(frozen=True, slots=True)
class FetchedFile:
    """A whole, verified file that still lies in `work_dir`."""

    path: Path
    size_bytes: int
    sha256: str  # empty when it was not wanted
    extension: str  # without the dot: mp4, mkv, webm, ts, m4a, mp3
    kind: str  # http, hls, dash or split
    height: int | None  # measured; None for audio
    duration_seconds: float
    seconds: float  # wall time of this run
    resumed_from: int
    connections: int  # most that were open at once
    restarted: bool = field(default=False)  # the remote file had changed, so it began anew
