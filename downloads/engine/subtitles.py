"""Reads WebVTT subtitles of a stream into cues (W3C WebVTT; RFC 8216, 3.5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_MAX_CUES = 100_000
_MAX_TEXT = 4000
_TIMING = re.compile(
    r"(?:(\d{1,4}):)?(\d{2}):(\d{2})[.,](\d{3})\s+-->\s+(?:(\d{1,4}):)?(\d{2}):(\d{2})[.,](\d{3})"
)
_MAP = re.compile(r"X-TIMESTAMP-MAP=(.{1,100})")
_TAG = re.compile(r"</?[^<>]{0,200}>")
_MPEG_CLOCK = 90_000


@dataclass(frozen=True, slots=True)
class Cue:
    """One text; times are seconds on the cue's own clock."""

    start_seconds: float
    end_seconds: float
    text: str
    # Where the cue's zero lies on the clock of the MPEG-TS packets; None: at the video's start.
    clock_offset_seconds: float | None = None


def parse_webvtt(text: str) -> list[Cue]:
    """The cues of one WebVTT file or segment; unreadable blocks are left out."""
    from html import unescape  # noqa: PLC0415 - a table of entities that few streams need

    offset = _clock_offset(text[:2000])
    cues: list[Cue] = []
    for block in re.split(r"\n{2,}", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip().split("\n")
        for number, line in enumerate(lines[:2]):
            match = _TIMING.match(line.strip())
            if match is None:
                continue
            content = "\n".join(lines[number + 1 :])[:_MAX_TEXT]
            content = unescape(_TAG.sub("", content)).strip()
            start, end = _seconds(match, 0), _seconds(match, 4)
            if content and end > start:
                cues.append(Cue(start, end, content, offset))
            break
        if len(cues) >= _MAX_CUES:
            break
    return sorted(cues, key=lambda cue: (cue.start_seconds, cue.end_seconds))


def _seconds(match: re.Match[str], first: int) -> float:
    hours, minutes, seconds, thousandths = (
        int(match[first + number] or 0) for number in range(1, 5)
    )
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000


def _clock_offset(head: str) -> float | None:
    match = _MAP.search(head)
    if match is None:
        return None
    parts = dict(part.strip().split(":", 1) for part in match[1].split(",") if ":" in part)
    ticks = re.fullmatch(r"\d{1,12}", parts.get("MPEGTS", ""))
    local = re.fullmatch(r"(?:(\d{1,4}):)?(\d{2}):(\d{2})\.(\d{3})", parts.get("LOCAL", ""))
    if ticks is None or local is None:
        return None
    return int(ticks[0]) / _MPEG_CLOCK - _seconds(local, 0)
