"""Reads the packets of what is to be joined: opened safely, complete in their times, comparable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import av
from av.audio.codeccontext import AudioCodecContext
from av.audio.stream import AudioStream
from av.codec.context import CodecContext
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext

from downloads.engine.errors import NotAVideo

if TYPE_CHECKING:
    from downloads.engine.tracks import Group

_READ_BYTES = 1_048_576
_MICROSECONDS = 1_000_000
_MPEG_TS = "mpegts"
# libavformat may open nothing but what it is given, whatever a file refers to.
SAFE_OPTIONS = {"protocol_whitelist": "file", "enable_drefs": "0"}
# How far a track that was announced is looked for when it does not begin with the others. It costs
# a buffer of that size.
_PATIENT = SAFE_OPTIONS | {"probesize": "32000000", "analyzeduration": "120000000"}
# What tells when each packet is to be decoded.
_TIMED = frozenset({_MPEG_TS, "mov,mp4,m4a,3gp,3g2,mj2"})
_CLOCKLESS = frozenset({"aac", "mp3", "ac3", "eac3", "flac"})

# A packet on its way with the time that orders it among all tracks. A plain tuple, because there
# are a hundred thousand of them in an episode.
Timed = tuple[float, "Packet[Any]"]

# What is written once for a whole track, from its first part: the codec, how its sound is sampled,
# and its description.
Shape = tuple[str, int, str, bytes]


@contextmanager
def opened(group: Group) -> Iterator[InputContainer]:
    """A group's bytes behind the demuxer that they ask for; nothing else may be opened."""
    for options in (SAFE_OPTIONS, _PATIENT):
        source = group.open()
        with av.open(
            str(source) if isinstance(source, Path) else source,
            format=group.container().value,
            options=options,
            buffer_size=_READ_BYTES,
            metadata_errors="replace",
        ) as container:
            if not isinstance(container, InputContainer):
                return
            if options is _PATIENT or _is_described(container):
                yield container
                return


def _is_described(container: InputContainer) -> bool:
    """Whether something of each track that was announced has been seen."""
    sounds: list[AudioCodecContext | None] = [s.codec_context for s in container.streams.audio]
    pictures: list[VideoCodecContext | None] = [s.codec_context for s in container.streams.video]
    heard = all(context is None or context.sample_rate for context in sounds)
    return heard and all(context is None or context.width for context in pictures)


def start_of(container: InputContainer) -> float:
    """Seconds on the container's own clock at which it begins."""
    return (container.start_time or 0) / _MICROSECONDS


def has_clock(container: InputContainer) -> bool:
    """Whether it tells times at all; bare sound begins when its picture does."""
    return container.format.name not in _CLOCKLESS


def codec_of(stream: Stream) -> str:
    """The codec's usual name. Raises NotAVideo when it is not known here."""
    context: CodecContext | None = stream.codec_context
    if context is None:
        raise NotAVideo("The stream is encoded in a way that is not known here.")
    return context.codec.canonical_name


def shape_of(stream: Stream) -> Shape:
    """What must stay the same over all parts of a track. Raises NotAVideo for an unknown codec."""
    name = codec_of(stream)
    # In MPEG-TS a picture's description comes with the picture.
    is_told_apart = stream.container.format.name != _MPEG_TS
    described = bytes(stream.codec_context.extradata or b"") if is_told_apart else b""
    if isinstance(stream, AudioStream):
        sound = stream.codec_context
        return name, sound.sample_rate, sound.layout.name, described
    return name, 0, "", described


def packets_of(container: InputContainer, streams: list[Stream]) -> Iterator[Packet[Any]]:
    """The packets of some streams, in the order of the file, each with its time of decoding."""
    packets = container.demux(streams)
    return packets if container.format.name in _TIMED else _with_dts(packets)


def _with_dts(packets: Iterator[Packet[Any]]) -> Iterator[Packet[Any]]:
    """Matroska tells no times of decoding; libavformat finds them out, but not the first ones."""
    waiting: dict[int, list[Packet[Any]]] = {}
    timed: set[int] = set()
    for packet in packets:
        number = packet.stream_index
        if number in timed or (packet.dts is None and packet.pts is None):
            yield packet
        elif packet.dts is None:
            waiting.setdefault(number, []).append(packet)
        else:
            timed.add(number)
            early = waiting.pop(number, [])
            for before, one in zip(range(len(early), 0, -1), early, strict=True):
                one.dts = packet.dts - before * max(packet.duration or 0, 1)
                yield one
            yield packet
