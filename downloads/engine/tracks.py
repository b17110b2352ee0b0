"""What is joined to one file: tracks of groups of bytes, and subtitles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from downloads.engine.sniff import Container
    from downloads.engine.subtitles import Cue


class ByteSource(Protocol):
    """What libavformat reads from; a path is opened directly."""

    def read(self, size: int) -> bytes:
        """The next bytes; empty at the end."""
        ...


@dataclass(slots=True)
class Group:
    """A stretch of a track without a break in its clock."""

    open: Callable[[], ByteSource | Path]
    container: Callable[[], Container]
    seconds: float = 0.0  # how long it lasts by the playlist; 0 when it is the only one
    start_seconds: float = 0.0  # where it begins on the clock that all tracks share


@dataclass(slots=True)
class TrackInput:
    """One input: the main one gives picture and, when nothing else does, sound."""

    kind: str  # video or audio
    groups: list[Group]
    language: str = ""
    has_own_sound: bool = False  # to be kept beside that of other tracks


@dataclass(slots=True)
class SubtitleInput:
    """One subtitle track."""

    # Each with the number of the main track's part that it belongs to. About in order; may come
    # while the other tracks are being copied.
    cues: Callable[[], Iterable[tuple[int, Cue]]]
    language: str = ""
