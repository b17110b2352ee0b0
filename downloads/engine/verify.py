"""Proves that a file is a whole, playable video or sound before anybody sees it.

The demuxer is fixed by the first bytes, and libavformat may open nothing but the file itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition
from av.video.stream import VideoStream

from downloads.engine.boxes import is_cut
from downloads.engine.demuxing import SAFE_OPTIONS, codec_of, has_clock, start_of
from downloads.engine.errors import NotAVideo, WrongLength
from downloads.engine.sniff import SNIFF_BYTES, Container, container_of

DURATION_TOLERANCE = 0.02
_LEAST_TOLERANCE_SECONDS = 1.0
_MAX_PACKETS_PER_POINT = 3000
_FRAMES_PER_POINT = 3
# The last seconds of a film often hold a little less of one track than of the other.
_END_MARGIN_SECONDS = 3.0
_MICROSECONDS = 1_000_000
_EXTENSIONS = {
    Container.MP4: ("mp4", "m4a"),
    Container.MATROSKA: ("mkv", "mka"),
    Container.MPEG_TS: ("ts", "ts"),
    Container.FLV: ("flv", "flv"),
    Container.AVI: ("avi", "avi"),
    Container.MP3: ("mp3", "mp3"),
    Container.AAC: ("aac", "aac"),
    Container.OGG: ("ogv", "ogg"),
    Container.FLAC: ("flac", "flac"),
    Container.WAV: ("wav", "wav"),
    Container.MPEG_PS: ("mpg", "mpg"),
    Container.ASF: ("wmv", "wma"),
}
_WEBM_CODECS = frozenset({"vp8", "vp9", "av1", "opus", "vorbis"})


@dataclass(frozen=True, slots=True)
class VerifiedMedia:
    """What was measured of a playable file."""

    height: int | None  # pixels; None when there is only sound
    duration_seconds: float
    extension: str  # without the dot


def verify(
    path: Path,
    *,
    expected_duration_seconds: float | None = None,
    expected_size: int | None = None,
) -> VerifiedMedia:
    """Open, measure and decode a file at its beginning, middle and end.

    Raises NotAVideo when it is no whole playable file, WrongLength when its size or its duration
    (by more than 2 %) is not the expected one, OSError when it cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        size = os.fstat(descriptor).st_size
        if expected_size is not None and size != expected_size:
            raise WrongLength(f"The file has {size} bytes instead of {expected_size}.")
        kind = container_of(os.pread(descriptor, SNIFF_BYTES, 0))
        if kind is Container.MP4 and is_cut(descriptor, size):
            raise NotAVideo("The file is cut off at the end.")
    finally:
        os.close(descriptor)
    media = _measure(path, kind)
    check_duration(media.duration_seconds, expected_duration_seconds)
    return media


def check_duration(measured_seconds: float, expected_seconds: float | None) -> None:
    """Raises WrongLength when the two differ by more than 2 %, and by more than a second."""
    if not expected_seconds:
        return
    tolerance = max(expected_seconds * DURATION_TOLERANCE, _LEAST_TOLERANCE_SECONDS)
    if abs(measured_seconds - expected_seconds) > tolerance:
        raise WrongLength(
            f"The video lasts {measured_seconds:.0f} seconds instead of {expected_seconds:.0f}."
        )


@contextmanager
def open_media(path: Path, kind: Container) -> Iterator[InputContainer]:
    """Open a file with the demuxer that its bytes ask for. Raises NotAVideo."""
    av.logging.set_level(av.logging.PANIC)
    try:
        with av.open(
            str(path),
            format=kind.value,
            options=SAFE_OPTIONS,
            metadata_errors="replace",
        ) as container:
            yield container
    except (av.FFmpegError, ValueError, UnicodeError) as error:
        raise NotAVideo("The file cannot be played: it is damaged or incomplete.") from error


def _measure(path: Path, kind: Container) -> VerifiedMedia:
    with open_media(path, kind) as container:
        video = _main_video(container)
        stream = video or next(iter(container.streams.audio), None)
        if stream is None:
            raise NotAVideo("The file holds neither picture nor sound.")
        duration = _duration_of(container, stream)
        if duration <= 0:
            raise NotAVideo("The file holds no playable content.")
        codec_of(stream)  # Without one there is nothing that could decode it.
        stream.codec_context.thread_count = 1
        last = max(duration - _END_MARGIN_SECONDS, duration / 2)
        heights = [_decode_at(container, stream, at) for at in (0.0, duration / 2, last)]
        _require_end(container, duration)
        height = heights[0] if video is not None else None
        return VerifiedMedia(height, duration, _extension_of(kind, container, video))


def _main_video(container: InputContainer) -> VideoStream | None:
    """The first real video stream: covers are stored as video streams, too."""
    for stream in container.streams.video:
        if not stream.disposition & Disposition.attached_pic:
            return stream
    return None


def _duration_of(container: InputContainer, stream: VideoStream | AudioStream) -> float:
    if has_clock(container):
        if container.duration is not None and container.duration > 0:
            return container.duration / _MICROSECONDS
        if stream.duration is not None and stream.time_base is not None:
            return float(stream.duration * stream.time_base)
    # What bare sound is said to last is a guess by the bit rate of its beginning.
    end = _last_packet_seconds(container)
    container.seek(container.start_time or 0)
    return end


def _last_packet_seconds(container: InputContainer) -> float:
    """The end of whichever track lasts longest, from here on."""
    last = 0.0
    for packet in container.demux():
        if packet.pts is not None and packet.time_base is not None:
            last = max(last, float((packet.pts + (packet.duration or 0)) * packet.time_base))
    return last


def _decode_at(
    container: InputContainer, stream: VideoStream | AudioStream, seconds: float
) -> int | None:
    """Decode a few frames from a point on and return the last one's height."""
    start = (container.start_time or 0) if seconds else 0
    if seconds:
        container.seek(start + int(seconds * _MICROSECONDS), backward=True)
    frames, height = 0, None
    for count, packet in enumerate(container.demux(stream)):
        for frame in packet.decode():
            frames += 1
            height = getattr(frame, "height", None)
        if frames >= _FRAMES_PER_POINT or count > _MAX_PACKETS_PER_POINT:
            break
    if not frames:
        raise NotAVideo("The file cannot be played to its end: it is damaged or incomplete.")
    return height


def _require_end(container: InputContainer, duration: float) -> None:
    """Follow the packets to the end: a cut file promises a longer one in its header."""
    reached = _last_packet_seconds(container) - start_of(container)
    if reached < duration - max(duration * DURATION_TOLERANCE, 2 * _END_MARGIN_SECONDS):
        raise NotAVideo("The file is cut off at the end.")


def _extension_of(kind: Container, container: InputContainer, video: VideoStream | None) -> str:
    if kind is Container.MATROSKA:
        codecs = {stream.name for stream in container.streams}
        if codecs <= _WEBM_CODECS | {"libdav1d", "libopus", "libvorbis", "libvpx", "libvpx-vp9"}:
            return "webm"
    return _EXTENSIONS[kind][0 if video is not None else 1]
