"""Sound without a container: segments of bare AAC, each behind a tag that tells its time."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from downloads.engine.sniff import Container, container_of
from downloads.tests.engine.clips import make_clip
from downloads.tests.engine.conftest import Fetch
from downloads.tests.engine.origin import Origin
from downloads.tests.engine.test_hls import HLS, packet_counts, playlist

ADTS = b"\xff\xf1\x4c\x40"
MPEG_AUDIO = b"\xff\xfb\x90\x00"


def tag(content: bytes) -> bytes:
    size = len(content)
    return b"ID3\x04\x00\x00" + bytes([0, size >> 14, size >> 7 & 127, size & 127]) + content


def stamp(ticks: int) -> bytes:
    own = b"com.apple.streaming.transportStreamTimestamp\x00" + ticks.to_bytes(8, "big")
    return tag(b"PRIV" + len(own).to_bytes(4, "big") + b"\x00\x00" + own)


@pytest.mark.parametrize(
    ("head", "container"),
    [
        (stamp(126_000) + ADTS, Container.AAC),
        (stamp(126_000) + MPEG_AUDIO, Container.MP3),
        (tag(b"a title") + MPEG_AUDIO, Container.MP3),
        (tag(bytes(5000))[:1024], Container.MP3),
        (b"ID3", Container.MP3),
    ],
)
def test_what_is_behind_a_tag_tells_the_container(head: bytes, container: Container) -> None:
    assert container_of(head) is container


def test_packed_sound_with_stamps_is_joined(origin: Origin, run: Fetch, clips: Path) -> None:
    path = make_clip(clips / "packed.aac", seconds=6, container="adts", has_picture=False)
    with av.open(str(path)) as media:
        frames = [bytes(packet) for packet in media.demux() if packet.size]
    names = []
    for first in range(0, len(frames), 94):
        content = stamp(126_000 + first * 1920) + b"".join(frames[first : first + 94])
        origin.serve(f"/{first}.aac", content)
        names += [f"#EXTINF:{len(frames[first : first + 94]) * 1024 / 48000:.5f},", f"{first}.aac"]
    fetched = run(playlist(origin, "/a.m3u8", *names, "#EXT-X-ENDLIST"), kind=HLS)

    assert fetched.duration_seconds == pytest.approx(6, abs=0.2)
    assert packet_counts(fetched.path)["audio"] == len(frames)
