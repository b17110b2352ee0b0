"""Small real videos, made by PyAV when the tests start."""

from __future__ import annotations

import os
import random
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

FPS = 10
SAMPLE_RATE = 48_000
_SAMPLES_PER_FRAME = 1024


def make_clip(  # noqa: PLR0913 - each test turns another one of these
    path: Path,
    *,
    seconds: float,
    container: str = "mp4",
    options: dict[str, str] | None = None,
    has_picture: bool = True,
    has_sound: bool = True,
    seed: int = 1,
    size: tuple[int, int] = (320, 180),
    vcodec: str = "libx264",
    acodec: str = "aac",
    b_frames: int = 0,
) -> Path:
    """Write a clip of noise with a picture each tenth of a second and a key frame each second."""
    noise = random.Random(seed)  # noqa: S311 - noise that is the same each time
    with av.open(str(path), "w", format=container, options=options or {}) as output:
        video = _video_stream(output, vcodec, size, b_frames) if has_picture else None
        audio = _audio_stream(output, acodec) if has_sound else None
        for number in range(int(seconds * FPS)):
            if video is not None:
                output.mux(video.encode(_picture(number, size, noise)))
            if audio is not None:
                _add_sound(output, audio, number)
        for stream in (video, audio):
            if stream is not None:
                output.mux(stream.encode(None))
    return path


def _video_stream(
    output: OutputContainer, codec: str, size: tuple[int, int], b_frames: int
) -> VideoStream:
    stream = output.add_stream(codec, rate=FPS)
    assert isinstance(stream, VideoStream)
    stream.width, stream.height = size
    stream.pix_fmt = "yuv420p"
    stream.gop_size = FPS
    if codec == "libx264":
        more = f"scenecut=0:bframes={b_frames}:log-level=none"
        stream.options = {"preset": "ultrafast", "qp": "34", "x264-params": more}
    return stream


def _audio_stream(output: OutputContainer, codec: str) -> AudioStream:
    stream = output.add_stream(codec, rate=SAMPLE_RATE)
    assert isinstance(stream, AudioStream)
    stream.layout = "mono"
    return stream


def _picture(number: int, size: tuple[int, int], noise: random.Random) -> VideoFrame:
    frame = VideoFrame(size[0], size[1], "yuv420p")
    for plane in frame.planes:
        plane.update(noise.randbytes(plane.buffer_size))
    frame.pts = number
    frame.time_base = Fraction(1, FPS)
    return frame


def _add_sound(output: OutputContainer, stream: AudioStream, number: int) -> None:
    first, last = (
        int(count * SAMPLE_RATE / FPS / _SAMPLES_PER_FRAME) for count in (number, number + 1)
    )
    for count in range(first, last):
        frame = AudioFrame(format="fltp", layout="mono", samples=_SAMPLES_PER_FRAME)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.rate = SAMPLE_RATE
        frame.pts = count * _SAMPLES_PER_FRAME
        frame.time_base = Fraction(1, SAMPLE_RATE)
        output.mux(stream.encode(frame))


def make_hls(
    folder: Path, *, seconds: float, clip: Mapping[str, Any] | None = None, **options: str
) -> Path:
    """Write an HLS stream with a segment every two seconds; returns its playlist.

    `clip` goes to `make_clip`, `options` to libavformat.
    """
    suffix = "m4s" if options.get("hls_segment_type") == "fmp4" else "ts"
    folder.mkdir(parents=True, exist_ok=True)
    settings = {
        "hls_time": "2",
        "hls_list_size": "0",
        "hls_playlist_type": "vod",
        "hls_segment_filename": str(folder / f"s%03d.{suffix}"),
    } | options
    path = folder / "index.m3u8"
    return make_clip(path, seconds=seconds, container="hls", options=settings, **clip or {})


def make_encrypted_hls(folder: Path, *, seconds: float) -> Path:
    """The same with AES-128; the key lies beside it as `key.bin`."""
    folder.mkdir(parents=True, exist_ok=True)
    key, notes = folder / "key.bin", folder / "notes"
    key.write_bytes(os.urandom(16))
    notes.write_text(f"key.bin\n{key}\n")
    return make_hls(folder, seconds=seconds, hls_key_info_file=str(notes))
