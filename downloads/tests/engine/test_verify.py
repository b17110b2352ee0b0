from __future__ import annotations

import io
import random
import zipfile
from array import array
from pathlib import Path

import av
import pytest
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream

from downloads.engine.errors import NotAVideo, WrongLength
from downloads.engine.verify import verify
from downloads.tests.engine.clips import make_clip


@pytest.mark.parametrize(
    ("container", "vcodec", "acodec", "expected"),
    [
        ("mp4", "libx264", "aac", "mp4"),
        ("matroska", "libx264", "aac", "mkv"),
        ("webm", "libvpx", "libopus", "webm"),
        ("mpegts", "libx264", "aac", "ts"),
        ("flv", "libx264", "aac", "flv"),
        ("avi", "mpeg4", "aac", "avi"),
    ],
)
def test_known_containers_are_measured(
    clips: Path, container: str, vcodec: str, acodec: str, expected: str
) -> None:
    path = make_clip(
        clips / f"known.{container}", seconds=4, container=container, vcodec=vcodec, acodec=acodec
    )
    media = verify(path)

    assert (media.extension, media.height) == (expected, 180)
    assert media.duration_seconds == pytest.approx(4, abs=0.3)


@pytest.mark.parametrize(
    ("container", "acodec", "expected"), [("mp4", "aac", "m4a"), ("mp3", "libmp3lame", "mp3")]
)
def test_sound_without_picture_is_fine(
    clips: Path, container: str, acodec: str, expected: str
) -> None:
    path = clips / f"sound.{container}"
    make_clip(path, seconds=4, container=container, acodec=acodec, has_picture=False)
    media = verify(path)

    assert (media.extension, media.height) == (expected, None)


def _zip() -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a", "b")
    return content.getvalue()


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html><p>login", "a web page"),
        (b"   \n<HTML>", "a web page"),
        (b'{"error": "expired"}', "JSON"),
        (b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n", "a playlist"),
        (b'<?xml version="1.0"?><MPD xmlns="x"></MPD>', "a playlist"),
        (_zip(), "an archive"),
        (b"MZ\x90\x00" + bytes(500), "a program"),
        (b"\x7fELF" + bytes(500), "a program"),
        (b"\xff\xd8\xff\xe0" + bytes(500), "an image"),
        (b"\x00\x01\x02\x03" * 500, "unknown"),
    ],
)
def test_anything_else_is_named_and_refused(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "x.mp4"
    path.write_bytes(content)
    with pytest.raises(NotAVideo, match=what):
        verify(path)


@pytest.mark.parametrize("container", ["mp4", "matroska", "webm"])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.8])
def test_a_cut_file_is_refused(clips: Path, tmp_path: Path, container: str, share: float) -> None:
    whole = clips / f"whole.{container}"
    if not whole.exists():
        options = {"movflags": "faststart"} if container == "mp4" else {}
        codecs = ("libvpx", "libopus") if container == "webm" else ("libx264", "aac")
        make_clip(
            whole,
            seconds=30,
            container=container,
            options=options,
            vcodec=codecs[0],
            acodec=codecs[1],
            size=(160, 90),
        )
    content = whole.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(NotAVideo):
        verify(path)


def test_a_cut_transport_stream_is_too_short(clips: Path, tmp_path: Path) -> None:
    whole = make_clip(clips / "long.ts", seconds=30, container="mpegts", size=(160, 90))
    content = whole.read_bytes()
    path = tmp_path / "cut"
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(WrongLength, match="instead of 30"):
        verify(path, expected_duration_seconds=30)


def test_a_hole_in_the_middle_is_refused(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "hole.mp4"
    content = bytearray(clip)
    middle = len(content) // 2
    content[middle - 400_000 : middle + 400_000] = bytes(800_000)
    path.write_bytes(content)
    with pytest.raises(NotAVideo):
        verify(path)


@pytest.mark.parametrize("options", [{"movflags": "faststart"}, {}], ids=["front", "back"])
@pytest.mark.parametrize(
    "remark", [b"TAG" + bytes(125), b"\r\n<!-- by a proxy -->\r\n", b"\xff\x17\x03" * 70, b"hello"]
)
def test_what_others_add_behind_a_whole_file_is_forgiven(
    clips: Path, tmp_path: Path, options: dict[str, str], remark: bytes
) -> None:
    clip = make_clip(clips / f"index-{len(options)}.mp4", seconds=4, options=options)
    path = tmp_path / "a.mp4"
    path.write_bytes(clip.read_bytes() + remark)

    assert verify(path).duration_seconds == pytest.approx(4, abs=0.3)


def test_a_matroska_file_that_does_not_tell_its_length_is_measured(clips: Path) -> None:
    options = {"live": "1"}
    path = make_clip(clips / "live.mkv", seconds=4, container="matroska", options=options)

    assert verify(path).duration_seconds == pytest.approx(4, abs=0.3)


def test_bare_sound_is_measured_and_not_guessed(clips: Path, tmp_path: Path) -> None:
    quiet = make_clip(clips / "quiet.aac", seconds=20, container="adts", has_picture=False)
    loud = clips / "loud.aac"
    with av.open(str(loud), "w", format="adts") as output:
        stream = output.add_stream("aac", rate=48_000)
        assert isinstance(stream, AudioStream)
        stream.bit_rate, stream.layout = 256_000, "mono"
        noise = random.Random(1)  # noqa: S311 - the same each time
        for number in range(900):
            frame = AudioFrame(format="fltp", layout="mono", samples=1024)
            samples = array("f", (noise.uniform(-1, 1) for _ in range(1024)))
            frame.planes[0].update(samples.tobytes())
            frame.rate, frame.pts = 48_000, number * 1024
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    path = tmp_path / "both.aac"
    path.write_bytes(quiet.read_bytes() + loud.read_bytes())

    assert verify(path).duration_seconds == pytest.approx(20 + 19.2, abs=0.5)


def test_sound_may_outlast_the_picture(clips: Path) -> None:
    path = clips / "long-sound.mp4"
    with (
        av.open(str(make_clip(clips / "p.mp4", seconds=4, has_sound=False))) as picture,
        av.open(str(make_clip(clips / "s.mp4", seconds=14, has_picture=False))) as sound,
        av.open(str(path), "w", format="mp4") as output,
    ):
        streams = [output.add_stream_from_template(m.streams[0]) for m in (picture, sound)]
        for media, stream in zip((picture, sound), streams, strict=True):
            for packet in media.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    output.mux(packet)

    assert verify(path).duration_seconds == pytest.approx(14, abs=0.3)


def test_a_picture_of_an_unknown_codec_is_refused(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip.replace(b"avc1", b"zzz1").replace(b"avcC", b"zzzC"))
    with pytest.raises(NotAVideo, match="not known"):
        verify(path)


def test_another_size_than_announced_is_refused(tmp_path: Path, clip: bytes) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip)
    with pytest.raises(WrongLength):
        verify(path, expected_size=len(clip) + 1)


@pytest.mark.parametrize("expected", [12.1, 11.9, None, 0.0])
def test_two_per_cent_are_forgiven(tmp_path: Path, clip: bytes, expected: float | None) -> None:
    path = tmp_path / "a.mp4"
    path.write_bytes(clip)

    assert verify(path, expected_duration_seconds=expected).height == 180


@pytest.mark.parametrize("flips", range(8))
def test_damaged_headers_never_crash_the_process(tmp_path: Path, clip: bytes, flips: int) -> None:
    path = tmp_path / "a.mp4"
    content = bytearray(clip)
    for offset in range(64 + flips, 6000, 97):
        content[offset] ^= 0xFF
    path.write_bytes(content)
    with pytest.raises((NotAVideo, WrongLength)):
        verify(path)
