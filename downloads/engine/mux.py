"""Joins tracks into one MP4 (or Matroska) file without encoding anything again.

Inputs are local files or segments in memory order; libavformat is given the demuxer's name and may
open nothing else. The sound of MPEG-TS is repackaged, subtitles become timed text. Room for an MP4
file's index is left at its beginning, so that it can be played while it is still being loaded;
libavformat's own way moves the whole file at the end, and nothing can interrupt that.
"""

from __future__ import annotations

import errno
import heapq
import os
from collections.abc import Iterator
from contextlib import ExitStack
from fractions import Fraction
from itertools import chain
from math import inf
from operator import itemgetter
from pathlib import Path
from threading import Event

import av
import av.logging
from av.container import InputContainer, OutputContainer
from av.stream import Stream

from downloads.engine.cuepackets import Zeros, cue_packets
from downloads.engine.demuxing import (
    Timed,
    codec_of,
    has_clock,
    opened,
    packets_of,
    shape_of,
    start_of,
)
from downloads.engine.errors import NotAVideo
from downloads.engine.languages import three_letters
from downloads.engine.mp4index import index_bytes
from downloads.engine.tracks import SubtitleInput, TrackInput

_MP4_CODECS = frozenset(
    [
        "h264",
        "hevc",
        "av1",
        "mpeg4",
        "vp9",
        "aac",
        "mp3",
        "ac3",
        "eac3",
        "opus",
        "flac",
        "alac",
        "mp2",
        "mp1",
        "mpeg2video",
    ]
)
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES})
_MICROSECONDS = 1_000_000
_STOP_EVERY_PACKETS = 256
_DIFFERENT = "Parts of the stream are encoded differently."
# Where the room for the index is too little the join begins again with more.
_INDEX_GROWTH = (1, 4, 16)
# Two tracks whose clocks start closer than that were cut from the same clock.
_SAME_CLOCK_SECONDS = 2.0


class _IndexTooLargeError(Exception):
    """The room that was left for the index is too small."""


class Muxer:
    """Copies the packets of all tracks in the order of their time."""

    def __init__(
        self,
        tracks: list[TrackInput],
        subtitles: list[SubtitleInput],
        *,
        target: Path,
        stop: Event,
    ) -> None:
        self._tracks, self._subtitles = tracks, subtitles
        self._target, self._stop = target, stop
        self._has_sound_track = any(track.kind == "audio" for track in tracks)
        self._last_dts: dict[int, int] = {}  # by output, in the ticks of its part
        self._bases: dict[int, Fraction] = {}

    def run(self) -> Path:
        """Write the target and return its path, which has the suffix of its container.

        Raises NotAVideo when the input cannot be read, OSError when the target cannot be written.
        """
        av.logging.set_level(av.logging.PANIC)
        try:
            return self._copy_with_room()
        except (av.FFmpegError, ValueError, UnicodeError) as error:
            number = getattr(error, "errno", None)
            if isinstance(error, OSError) and number in _DISK_ERRORS:
                raise OSError(number, os.strerror(number)) from error
            raise NotAVideo("The stream's pieces cannot be joined to a video.") from error

    def _copy_with_room(self) -> Path:
        for growth in _INDEX_GROWTH:
            self._last_dts.clear()
            self._bases.clear()
            try:
                with ExitStack() as stack:
                    return self._copy(stack, growth)
            except _IndexTooLargeError:
                continue
        raise NotAVideo("The stream's index is larger than what can be.")

    def _copy(self, stack: ExitStack, growth: int) -> Path:
        inputs = [stack.enter_context(opened(track.groups[0])) for track in self._tracks]
        chosen = [self._streams_of(i, t) for i, t in zip(inputs, self._tracks, strict=True)]
        target = self._target.with_suffix(_suffix_for(chosen))
        seconds = max(map(_seconds_of, self._tracks, inputs))
        room = growth * index_bytes([*chain.from_iterable(chosen)], seconds)
        output = stack.enter_context(_output(target, room))
        starts = _common_starts(inputs)
        lanes: list[Iterator[Timed]] = []
        for number, track in enumerate(self._tracks):
            outputs = [_added(output, stream, track.language) for stream in chosen[number]]
            is_late = track.groups[0].start_seconds > 0
            start = start_of(inputs[number]) if is_late else starts[number]
            lanes.append(self._packets(track, inputs[number], start, outputs))
        zeros = Zeros(self._tracks[0].groups, starts[0])
        lanes += [
            cue_packets(output, subtitle, zeros, end_seconds=seconds or inf)
            for subtitle in self._subtitles
        ]
        merged = heapq.merge(*lanes, key=itemgetter(0)) if len(lanes) > 1 else lanes[0]
        for count, (_, packet) in enumerate(merged):
            if count % _STOP_EVERY_PACKETS == 0 and self._stop.is_set():
                break
            output.mux_one(packet)
        _finish(output)
        return target

    def _streams_of(self, container: InputContainer, track: TrackInput) -> list[Stream]:
        wanted: list[Stream] = []
        if track.kind == "video":
            wanted += list(container.streams.video)[:1]
        if track.kind == "audio" or track.has_own_sound or not self._has_sound_track:
            wanted += list(container.streams.audio)
        if not wanted:
            raise NotAVideo("A track of the stream holds neither picture nor sound.")
        return wanted

    def _packets(
        self, track: TrackInput, first: InputContainer, start: float, outputs: list[Stream]
    ) -> Iterator[Timed]:
        pairs = self._paired(first, track, outputs)
        shapes = {output.index: shape_of(stream) for stream, output in pairs}
        begin = track.groups[0].start_seconds
        yield from self._group_packets(first, pairs, begin - start)
        for group in track.groups[1:]:
            with opened(group) as container:
                pairs = self._paired(container, track, outputs)
                if any(shape_of(stream) != shapes[output.index] for stream, output in pairs):
                    raise NotAVideo(_DIFFERENT)
                shift = group.start_seconds - start_of(container)
                yield from self._group_packets(container, pairs, shift)

    def _paired(
        self, container: InputContainer, track: TrackInput, outputs: list[Stream]
    ) -> list[tuple[Stream, Stream]]:
        """What goes where; a part may lack a stream, but have none that the others lack."""
        pairs: list[tuple[Stream, Stream]] = []
        for kind in ("video", "audio"):
            streams = [one for one in self._streams_of(container, track) if one.type == kind]
            places = [one for one in outputs if one.type == kind]
            if len(streams) > len(places):
                raise NotAVideo(_DIFFERENT)
            pairs += zip(streams, places, strict=False)
        return pairs

    def _group_packets(
        self, container: InputContainer, pairs: list[tuple[Stream, Stream]], shift: float
    ) -> Iterator[Timed]:
        # Looked up and written once a packet, so it is kept simple: no fractions in the loop, and
        # nothing is set that would stay as it is.
        table = self._table(pairs, shift)
        last_dts = self._last_dts
        for packet in packets_of(container, [stream for stream, _ in pairs]):
            told = packet.dts
            if told is None:
                continue
            output, number, moved, tick_seconds = table[packet.stream_index]
            dts = told + moved
            # A muxer takes only rising times; at the seam of two groups they may overlap a little.
            last = last_dts.get(number)
            if last is not None and dts <= last:
                dts = last + 1
            last_dts[number] = dts
            pts = packet.pts
            if pts is None:
                packet.pts = dts
            elif moved or pts < dts:
                packet.pts = max(pts + moved, dts)
            if dts != told:
                packet.dts = dts
            packet.stream = output
            yield dts * tick_seconds, packet

    def _table(
        self, pairs: list[tuple[Stream, Stream]], shift: float
    ) -> dict[int, tuple[Stream, int, int, float]]:
        """By input stream: its output, the output's number, ticks to move by, seconds of a tick."""
        table = {}
        for stream, output in pairs:
            base, number = stream.time_base, output.index
            if base:
                table[stream.index] = output, number, round(shift / base), float(base)
                # The ticks of this part may be others than those of the part before.
                before = self._bases.get(number, base)
                if number in self._last_dts:
                    self._last_dts[number] = round(self._last_dts[number] * before / base)
                self._bases[number] = base
        return table


def _output(target: Path, index_bytes: int) -> OutputContainer:
    if target.suffix == ".mkv":
        return av.open(str(target), "w", format="matroska")
    return av.open(str(target), "w", format="mp4", options={"moov_size": str(index_bytes)})


def _finish(output: OutputContainer) -> None:
    try:
        output.close()
    except av.ArgumentError as error:
        # What libavformat answers when the index does not fit.
        raise _IndexTooLargeError from error


def _seconds_of(track: TrackInput, first: InputContainer) -> float:
    planned = sum(group.seconds for group in track.groups)
    return max(planned, (first.duration or 0) / _MICROSECONDS)


def _added(output: OutputContainer, template: Stream, language: str) -> Stream:
    stream = output.add_stream_from_template(template)
    code = three_letters(language or template.metadata.get("language", ""))
    if code:
        stream.metadata["language"] = code
    if codec_of(template) == "hevc" and output.format.name == "mp4":
        # Apple's players know HEVC by this tag only.
        stream.codec_context.codec_tag = "hvc1"
    return stream


def _suffix_for(chosen: list[list[Stream]]) -> str:
    codecs = {codec_of(stream) for streams in chosen for stream in streams}
    return ".mp4" if codecs <= _MP4_CODECS else ".mkv"


def _common_starts(inputs: list[InputContainer]) -> list[float]:
    """The zero of each input: one for all that were cut from the same clock."""
    starts = [start_of(container) for container in inputs]
    same = {
        number
        for number, container in enumerate(inputs)
        if abs(starts[number] - starts[0]) < _SAME_CLOCK_SECONDS and has_clock(container)
    }
    first = min((starts[number] for number in same), default=0.0)
    return [first if number in same else start for number, start in enumerate(starts)]
