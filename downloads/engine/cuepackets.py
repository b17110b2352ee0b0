"""Turns cues into the packets of an MP4 file's timed text."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from av.container import OutputContainer
from av.packet import Packet
from av.subtitles.stream import SubtitleStream

from downloads.engine.demuxing import Timed, opened, start_of
from downloads.engine.languages import three_letters
from downloads.engine.tracks import Group, SubtitleInput

_MILLISECOND = Fraction(1, 1000)
_MAX_TEXT_BYTES = 65_000
# What libavcodec's encoder for MP4 timed text wants to know before it writes plain cues.
_SUBTITLE_HEADER = (
    b"[Script Info]\nScriptType: v4.00+\n\n[V4+ Styles]\nFormat: Name, Fontname, Fontsize, "
    b"PrimaryColour, SecondaryColour, OutlineColour, BackColour, Bold, Italic, Underline, "
    b"StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, Shadow, Alignment, "
    b"MarginL, MarginR, MarginV, Encoding\nStyle: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,"
    b"0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,0\n\n[Events]\nFormat: Layer, Start, End, Style, "
    b"Name, MarginL, MarginR, MarginV, Effect, Text\n\0"
)


class Zeros:
    """The file's zero on the clock of each part of the main track."""

    def __init__(self, groups: list[Group], first_start: float) -> None:
        self._groups = groups
        self._known = {0: first_start}

    def of(self, part: int) -> float:
        """Seconds on the clock of this part; the last part's for one that is not there."""
        part = min(part, len(self._groups) - 1)
        if part not in self._known:
            group = self._groups[part]
            with opened(group) as container:
                self._known[part] = start_of(container) - group.start_seconds
        return self._known[part]


def cue_packets(
    output: OutputContainer, subtitle: SubtitleInput, zeros: Zeros, *, end_seconds: float
) -> Iterator[Timed]:
    """Add a track for the cues and give its packets; what is not to be seen is left out."""
    stream = output.add_stream("mov_text")
    stream.codec_context.subtitle_header = _SUBTITLE_HEADER
    stream.codec_context.time_base = stream.time_base = _MILLISECOND
    if language := three_letters(subtitle.language):
        stream.metadata["language"] = language
    return _packets(stream, subtitle, zeros, end_seconds)


def _packets(
    stream: SubtitleStream, subtitle: SubtitleInput, zeros: Zeros, end_seconds: float
) -> Iterator[Timed]:
    last = -1
    for part, cue in subtitle.cues():
        offset = cue.clock_offset_seconds
        shift = 0.0 if offset is None else offset - zeros.of(part)
        begin = max(cue.start_seconds + shift, 0.0)
        end = min(cue.end_seconds + shift, end_seconds)
        if end <= begin:
            continue
        text = cue.text.encode()[:_MAX_TEXT_BYTES]
        packet = Packet(len(text).to_bytes(2, "big") + text)
        packet.time_base = _MILLISECOND
        # A muxer takes only rising times.
        packet.pts = packet.dts = last = max(round(begin * 1000), last + 1)
        packet.duration = round((end - begin) * 1000)
        packet.stream = stream
        yield begin, packet
