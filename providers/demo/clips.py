"""Short videos drawn and encoded when they are first asked for; kept in memory, the latest only."""

from __future__ import annotations

import array
import colorsys
import io
import math
import random
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TypeVar

import av
import av.logging
from av.audio.stream import AudioStream
from av.container import InputContainer, OutputContainer
from av.stream import Stream
from av.video.stream import VideoStream
from PIL import Image, ImageDraw, ImageFont

HEIGHTS = (360, 720)
DURATION_SECONDS = 8
SEGMENT_SECONDS = 2
_FRAMES_PER_SECOND = 12
_SAMPLE_RATE = 44_100
_SAMPLES_PER_FRAME = 1024
_TONE_PERIODS_PER_FRAME = 6  # A whole number, so that one frame can be repeated: 258 Hz.
_BITS_PER_SECOND = {360: 250_000, 720: 450_000}
_MOST_KEPT = 32

_Made = TypeVar("_Made")


@dataclass(frozen=True, slots=True)
class Clip:
    """What a video shows; two of the same name show the same."""

    name: str
    title: str
    label: str


@dataclass(frozen=True, slots=True)
class Segmented:
    """A video cut for HLS: file names to contents, the playlist among them as "index.m3u8"."""

    files: dict[str, bytes]


class ClipStore:
    """Makes each video once, also when several connections ask at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._segments: OrderedDict[tuple[str, int, str], Segmented] = OrderedDict()

    def mp4(self, clip: Clip, height: int) -> bytes:
        """The whole file."""
        with self._lock:
            return self._mp4(clip, height)

    def segments(self, clip: Clip, height: int, kind: str) -> Segmented:
        """The video in pieces of two seconds; `kind` is "ts" or "fmp4"."""
        with self._lock:
            whole = self._mp4(clip, height)
            key = (clip.name, height, kind)
            return _kept(self._segments, key, lambda: _segmented(whole, kind))

    def _mp4(self, clip: Clip, height: int) -> bytes:
        return _kept(self._files, (clip.name, height), lambda: _encoded(clip, height))


_Key = TypeVar("_Key")


def _kept(kept: OrderedDict[_Key, _Made], key: _Key, make: Callable[[], _Made]) -> _Made:
    if key not in kept:
        kept[key] = make()
        if len(kept) > _MOST_KEPT:
            kept.popitem(last=False)
    kept.move_to_end(key)
    return kept[key]


def _encoded(clip: Clip, height: int) -> bytes:
    av.logging.set_level(av.logging.PANIC)
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        container.metadata["title"] = f"{clip.title} - {clip.label}"
        video, sound = _add_video(container, height), _add_sound(container)
        for number, image in enumerate(_pictures(clip, height)):
            frame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]  # PyAV's own
            frame.pts = number
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        for block in _tone():
            container.mux(sound.encode(block))
        container.mux(sound.encode(None))
    return target.getvalue()


def _add_video(container: OutputContainer, height: int) -> VideoStream:
    codec = "libx264" if "libx264" in av.codecs_available else "mpeg4"
    video = container.add_stream(codec, rate=_FRAMES_PER_SECOND)
    if not isinstance(video, VideoStream):
        raise TypeError(f"{codec} makes no pictures")
    video.width, video.height = height * 16 // 9, height
    video.pix_fmt = "yuv420p"
    video.bit_rate = _BITS_PER_SECOND[height]
    video.gop_size = SEGMENT_SECONDS * _FRAMES_PER_SECOND
    if video.codec.name == "libx264":
        # One thread: the same bytes every time, so that a transfer can go on after a restart.
        video.thread_count = 1
        video.options = {"preset": "ultrafast", "sc_threshold": "0", "keyint_min": "24"}
    return video


def _add_sound(container: OutputContainer) -> AudioStream:
    sound = container.add_stream("aac", rate=_SAMPLE_RATE, layout="mono")
    if not isinstance(sound, AudioStream):
        raise TypeError("aac makes no sound")
    return sound


def _tone() -> Iterator[av.AudioFrame]:
    step = 2 * math.pi * _TONE_PERIODS_PER_FRAME / _SAMPLES_PER_FRAME
    wave = array.array("f", (0.05 * math.sin(step * n) for n in range(_SAMPLES_PER_FRAME)))
    samples = wave.tobytes()
    for number in range(DURATION_SECONDS * _SAMPLE_RATE // _SAMPLES_PER_FRAME):
        block = av.AudioFrame(format="fltp", layout="mono", samples=_SAMPLES_PER_FRAME)
        block.sample_rate = _SAMPLE_RATE
        block.time_base = Fraction(1, _SAMPLE_RATE)
        block.pts = number * _SAMPLES_PER_FRAME
        block.planes[0].update(samples)
        yield block


def _pictures(clip: Clip, height: int) -> Iterator[Image.Image]:
    """A sun that crosses an evening sky, over the title and the episode's name."""
    chance = random.Random(clip.title)  # noqa: S311 -- decoration
    width = height * 16 // 9
    hue = chance.random()
    scene = _scene(width, height, hue, chance)
    ImageDraw.Draw(scene).text(
        (width // 2, height * 0.44),
        clip.title,
        font=ImageFont.load_default(height // 16),
        anchor="mm",
        fill="white",
    )
    big = ImageFont.load_default(height // 8)
    count = DURATION_SECONDS * _FRAMES_PER_SECOND
    sun = _colour(hue + 0.55, 0.35, 1.0)
    for number in range(count):
        image = scene.copy()
        pen = ImageDraw.Draw(image)
        along = number / count
        x, y = width * (0.1 + 0.8 * along), height * (0.3 - 0.18 * math.sin(math.pi * along))
        radius = height / 12
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=sun)
        pen.text(
            (width // 2, height * 0.62),
            clip.label,
            font=big,
            anchor="mm",
            fill="white",
            stroke_width=height // 240,
        )
        pen.rectangle((0, height - height // 60, width * along, height), fill=sun)
        yield image


def _scene(width: int, height: int, hue: float, chance: random.Random) -> Image.Image:
    sky = Image.new("RGB", (1, height))
    for y in range(height):
        depth = y / height
        sky.putpixel((0, y), _colour(hue + 0.08 * depth, 0.65, 0.25 + 0.55 * depth))
    image = sky.resize((width, height))
    pen = ImageDraw.Draw(image)
    points = [(x * width / 12, height * chance.uniform(0.72, 0.9)) for x in range(13)]
    ground = _colour(hue, 0.7, 0.12)
    pen.polygon([(0, height), *points, (width, height)], fill=ground)
    return image


def _colour(hue: float, saturation: float, value: float) -> tuple[int, int, int]:
    red, green, blue = colorsys.hsv_to_rgb(hue % 1.0, saturation, value)
    return round(255 * red), round(255 * green), round(255 * blue)


def _segmented(whole: bytes, kind: str) -> Segmented:
    """Cut without encoding again, by libavformat's own HLS writer."""
    suffix = "m4s" if kind == "fmp4" else "ts"
    with tempfile.TemporaryDirectory(prefix="demo-clip-") as name:
        folder = Path(name)
        options = {
            "hls_time": str(SEGMENT_SECONDS),
            "hls_list_size": "0",
            "hls_playlist_type": "vod",
            "hls_segment_type": "fmp4" if kind == "fmp4" else "mpegts",
            "hls_segment_filename": str(folder / f"piece%d.{suffix}"),
            "hls_fmp4_init_filename": "init.mp4",
        }
        playlist = folder / "index.m3u8"
        with (
            av.open(io.BytesIO(whole), "r") as source,
            av.open(str(playlist), "w", format="hls", options=options) as target,
        ):
            _copy_packets(source, target)
        return Segmented({path.name: path.read_bytes() for path in sorted(folder.iterdir())})


def _copy_packets(source: InputContainer, target: OutputContainer) -> None:
    streams: dict[int, Stream] = {
        stream.index: target.add_stream_from_template(stream)
        for stream in (*source.streams.video, *source.streams.audio)
    }
    for packet in source.demux():
        if packet.dts is not None:
            packet.stream = streams[packet.stream.index]
            target.mux(packet)
