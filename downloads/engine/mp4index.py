"""How much room the index of an MP4 file needs, told before the file is written."""

from __future__ import annotations

from av.audio.stream import AudioStream
from av.stream import Stream
from av.video.stream import VideoStream

# What one frame and one change from track to track take up in an MP4 file's index, with half as
# much again to spare.
_VIDEO_FRAME_BYTES = 20
_SOUND_FRAME_BYTES = 8
_SWITCH_BYTES = 20
_LEAST_INDEX_BYTES = 65_536
_USUAL_FRAME_RATE = 60.0
_MAX_FRAME_RATE = 240.0
_USUAL_SOUND_FRAME = 1024  # samples


def index_bytes(streams: list[Stream], seconds: float) -> int:
    """About what the index of these streams takes up."""
    rates, a_second = [], 0.0
    for stream in streams:
        if isinstance(stream, VideoStream):
            rate = min(float(stream.average_rate or _USUAL_FRAME_RATE), _MAX_FRAME_RATE)
            a_second += rate * _VIDEO_FRAME_BYTES
        elif isinstance(stream, AudioStream):
            codec = stream.codec_context
            rate = codec.sample_rate / (codec.frame_size or _USUAL_SOUND_FRAME)
            a_second += rate * _SOUND_FRAME_BYTES
        else:
            continue
        rates.append(rate)
    a_second += (sum(rates) - max(rates)) * _SWITCH_BYTES
    return _LEAST_INDEX_BYTES + int(a_second * seconds)
