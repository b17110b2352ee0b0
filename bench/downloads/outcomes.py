"""What became of a file: tells whole, mixed and spoiled apart by its bytes, never by its name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

_BLOCK_BYTES = 65_536
# A partial file that a tool keeps beside or instead of the finished one.
_UNFINISHED = frozenset({".part", ".aria2", ".st", ".ytdl", ".frag"})


class Content(StrEnum):
    """What lies under the final name."""

    NOTHING = "nothing"
    WHOLE = "whole"
    MIX = "MIX"
    SPOILED = "CORRUPT"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a tool left behind and what it said about it."""

    content: Content
    version: str  # which of the versions is whole; "" when none is
    status: int | None  # exit status; None when the tool had to be ended
    detail: str = ""

    @property
    def is_safe(self) -> bool:
        """Whether nobody can take a broken file for a whole one."""
        return self.content in {Content.NOTHING, Content.WHOLE}

    @property
    def is_whole(self) -> bool:
        """Whether a whole file is there and the tool says so."""
        return self.content is Content.WHOLE and self.status == 0

    @property
    def text(self) -> str:
        """A few words for a table."""
        what = f"{self.version}, whole" if self.content is Content.WHOLE else self.content
        if self.status is None:
            return "hangs" if self.content is Content.NOTHING else f"hangs, {what} kept"
        if self.status == 0:
            return what if self.content is Content.WHOLE else f"{what}, exit 0"
        return "error" if self.content is Content.NOTHING else f"error, {what} kept"


def final_file(folder: Path) -> Path | None:
    """The file under its final name; what tools keep for a later run does not count."""
    found = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".") and path.suffix not in _UNFINISHED
    ]
    # A fragment of yt-dlp is called x.mp4.part-Frag7.
    found = [path for path in found if ".part-" not in path.name]
    return found[0] if found else None


def judge(path: Path | None, versions: Mapping[str, Path], status: int | None) -> Verdict:
    """Compare a file, if there is one, with every version that the server has ever had."""
    if path is None:
        return Verdict(Content.NOTHING, "", status)
    names = list(versions)
    counts = _count_blocks(path, list(versions.values()))
    size = path.stat().st_size
    for name, known in versions.items():
        if size == known.stat().st_size and counts.same[names.index(name)] == counts.all:
            return Verdict(Content.WHOLE, name, status)
    only = dict(zip(names, counts.only, strict=True))
    shares = [f"{count * _BLOCK_BYTES / 1e6:.0f} MB {name}" for name, count in only.items()]
    detail = f"{size} bytes: {', '.join(shares)}, {counts.foreign * _BLOCK_BYTES / 1e6:.0f} MB else"
    mixed = sum(count > 0 for count in only.values()) > 1
    return Verdict(Content.MIX if mixed else Content.SPOILED, "", status, detail)


@dataclass(slots=True)
class _Counts:
    all: int
    same: list[int]  # blocks equal to a version
    only: list[int]  # blocks equal to this version and to no other
    foreign: int  # blocks of no version


def _count_blocks(path: Path, versions: list[Path]) -> _Counts:
    counts = _Counts(0, [0] * len(versions), [0] * len(versions), 0)
    files = [version.open("rb") for version in versions]
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                # A last, shorter block may be the beginning of a longer one of the server's.
                equal = [known.read(_BLOCK_BYTES)[: len(block)] == block for known in files]
                counts.all += 1
                counts.same = [n + e for n, e in zip(counts.same, equal, strict=True)]
                if sum(equal) == 1:
                    counts.only[equal.index(True)] += 1
                counts.foreign += not any(equal)
    finally:
        for known in files:
            known.close()
    return counts
