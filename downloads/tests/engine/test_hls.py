from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import pytest

from downloads.engine.errors import (
    AddressRefused,
    ConnectionFailed,
    Interrupted,
    LiveStream,
    NotAVideo,
    PlaylistRefused,
    ProtectedStream,
    ServerRefused,
)
from downloads.engine.types import Command
from downloads.tests.engine.clips import make_hls
from downloads.tests.engine.conftest import CLIP_SECONDS, FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, failing_first
from providers.streams import Stream, StreamKind

HLS = StreamKind.HLS


def serve_folder(origin: Origin, folder: Path, prefix: str) -> str:
    """Serve all files of a folder; returns the playlist's URL."""
    for path in folder.iterdir():
        origin.serve(f"{prefix}/{path.name}", Answer(path.read_bytes(), etag=""))
    return origin.url(f"{prefix}/index.m3u8")


def playlist(origin: Origin, path: str, *lines: str) -> str:
    return origin.serve(path, Answer("\n".join(["#EXTM3U", *lines]).encode(), etag=""))


def packet_counts(path: Path) -> dict[str, int]:
    with av.open(str(path)) as media:
        counts: dict[str, int] = {stream.type: 0 for stream in media.streams}
        for packet in media.demux():
            if packet.dts is not None:
                counts[packet.stream.type] += 1
        return counts


@pytest.mark.parametrize("name", ["ts_stream", "fmp4_stream", "aes_stream"])
def test_a_stream_becomes_one_mp4_with_every_packet(
    origin: Origin, run: Fetch, name: str, request: pytest.FixtureRequest
) -> None:
    url = serve_folder(origin, request.getfixturevalue(name), "/v")
    fetched = run(url, kind=HLS, owner=Owner(replace(FAST, max_connections=4)))

    assert (fetched.extension, fetched.kind, fetched.height) == ("mp4", "hls", 180)
    assert fetched.duration_seconds == pytest.approx(CLIP_SECONDS, abs=0.2)
    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10
    assert fetched.path.read_bytes().index(b"moov") < fetched.path.read_bytes().index(b"mdat")


def test_a_playlist_behind_a_plain_address_is_recognised(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    assert run(serve_folder(origin, ts_stream, "/v")).kind == "hls"


def test_segments_over_tls(
    secure_origin: Origin, run: Fetch, ts_stream: Path, ca_file: str
) -> None:
    url = serve_folder(secure_origin, ts_stream, "/v")

    assert run(url, kind=HLS, ca_file=ca_file).kind == "hls"


def test_an_unknown_authority_is_refused(
    secure_origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    with pytest.raises(ConnectionFailed, match="certificate"):
        run(serve_folder(secure_origin, ts_stream, "/v"), kind=HLS)


def test_byte_ranges_of_one_file(origin: Origin, run: Fetch, clips: Path) -> None:
    folder = clips / "ranges"
    if not folder.exists():
        make_hls(folder, seconds=6, hls_flags="single_file")
    fetched = run(serve_folder(origin, folder, "/v"), kind=HLS)

    assert packet_counts(fetched.path)["video"] == 60


@pytest.mark.parametrize(("wish", "expected"), [(None, 360), (720, 360), (200, 180), (100, 180)])
def test_the_best_variant_not_above_the_wish(
    origin: Origin,
    run: Fetch,
    clips: Path,
    ts_stream: Path,
    *,
    wish: int | None,
    expected: int,
) -> None:
    big = clips / "big"
    if not big.exists():
        make_hls(big, seconds=2, clip={"size": (640, 360)})
    serve_folder(origin, ts_stream, "/small")
    serve_folder(origin, big, "/big")
    url = playlist(
        origin,
        "/master.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=900000,RESOLUTION=320x180",
        "small/index.m3u8",
        "#EXT-X-STREAM-INF:BANDWIDTH=2900000,RESOLUTION=640x360",
        "/big/index.m3u8",
    )

    assert run(url, kind=HLS, max_height=wish).height == expected


def test_sound_and_subtitles_of_their_own_are_joined(
    origin: Origin, run: Fetch, clips: Path
) -> None:
    picture, sound = clips / "picture", clips / "sound"
    for folder, has_picture in ((picture, True), (sound, False)):
        if not folder.exists():
            clip = {"has_picture": has_picture, "has_sound": not has_picture}
            make_hls(folder, seconds=6, clip=clip)
    serve_folder(origin, picture, "/picture")
    serve_folder(origin, sound, "/sound")
    words = b"WEBVTT\n\n00:01.000 --> 00:02.500\nBonjour &amp; <i>bienvenue</i>\n"
    origin.serve("/words.vtt", words)
    playlist(origin, "/words.m3u8", "#EXTINF:6,", "words.vtt", "#EXT-X-ENDLIST")
    url = playlist(
        origin,
        "/master.m3u8",
        '#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="VF",LANGUAGE="fre",URI="sound/index.m3u8"',
        '#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="FR",LANGUAGE="fre",URI="words.m3u8"',
        '#EXT-X-STREAM-INF:BANDWIDTH=1,RESOLUTION=320x180,AUDIO="a",SUBTITLES="s"',
        "picture/index.m3u8",
    )
    fetched = run(url, kind=HLS)

    with av.open(str(fetched.path)) as media:
        kinds = [(stream.type, stream.metadata.get("language")) for stream in media.streams]
        texts = [bytes(packet)[2:] for packet in media.demux(subtitles=0) if packet.size > 2]
    assert [kind for kind, _ in kinds] == ["video", "audio", "subtitle"]
    assert kinds[1][1] == kinds[2][1] == "fre"
    assert texts == [b"Bonjour & bienvenue"]


def test_a_discontinuity_does_not_break_the_time_line(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    serve_folder(origin, ts_stream, "/v")
    url = playlist(
        origin,
        "/twice.m3u8",
        *("#EXTINF:2,", "v/s000.ts", "#EXTINF:2,", "v/s001.ts"),
        "#EXT-X-DISCONTINUITY",
        *("#EXTINF:2,", "v/s000.ts", "#EXTINF:2,", "v/s001.ts", "#EXT-X-ENDLIST"),
    )
    fetched = run(url, kind=HLS)

    assert fetched.duration_seconds == pytest.approx(8, abs=0.3)
    assert packet_counts(fetched.path)["video"] == 80


def test_whole_segments_survive_an_interruption(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    last = Answer((ts_stream / "s005.ts").read_bytes())
    origin.serve("/v/s005.ts", replace(last, stall_after=1000))
    owner = Owner()
    first_part = sum(path.stat().st_size for path in ts_stream.glob("s00[0-4].ts"))

    def stop(progress: object) -> None:
        if progress.bytes_done >= first_part:  # type: ignore[attr-defined]
            owner.command = Command.HAND_BACK

    owner.on_progress = stop
    with pytest.raises(Interrupted):
        run(url, kind=HLS, owner=owner)
    origin.seen.clear()
    origin.serve("/v/s005.ts", last)
    fetched = run(url, kind=HLS)

    assert fetched.resumed_from == first_part
    segments = [seen.path for seen in origin.seen if seen.path.endswith(".ts")]
    # The newest whole one is fetched again to be compared, and at the end a little of an old one.
    assert segments[:2] == ["/v/s004.ts", "/v/s005.ts"]
    assert len(segments) == 3
    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10


def test_a_stream_that_has_changed_is_never_mixed(
    origin: Origin, run: Fetch, ts_stream: Path, clips: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    other = clips / "other"
    if not other.exists():
        make_hls(other, seconds=CLIP_SECONDS, clip={"seed": 9})
    origin.serve("/v/s005.ts", Answer(status=500))
    with pytest.raises(ServerRefused):
        run(url, kind=HLS)
    serve_folder(origin, other, "/v")
    fetched = run(url, kind=HLS)

    assert fetched.restarted
    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10
    assert fetched.resumed_from == 0


def test_expired_segment_addresses_are_renewed(origin: Origin, run: Fetch, ts_stream: Path) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    whole = Answer((ts_stream / "s003.ts").read_bytes())
    origin.serve("/v/s003.ts", failing_first(1, Answer(status=403), whole))
    fetched = run(url, kind=HLS, refresh=lambda: Stream(url + "?token=2", HLS))

    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10


def test_a_missing_segment_is_an_error_and_no_gap(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    origin.serve("/v/s003.ts", Answer(status=404))
    with pytest.raises(ServerRefused, match="404"):
        run(url, kind=HLS)


@pytest.mark.parametrize("fault", [Answer(cut_after=30_000), Answer(stall_after=30_000)])
def test_a_cut_or_stalled_segment_is_fetched_again(
    origin: Origin, run: Fetch, ts_stream: Path, fault: Answer
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    whole = Answer((ts_stream / "s003.ts").read_bytes())
    origin.serve("/v/s003.ts", failing_first(1, replace(fault, content=whole.content), whole))

    assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10


def test_a_segment_cut_without_a_length_is_not_stored(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    whole = Answer((ts_stream / "s003.ts").read_bytes())
    cut = replace(whole, no_length=True, cut_after=30_001)
    origin.serve("/v/s003.ts", failing_first(1, cut, whole))

    assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10


def test_a_web_page_instead_of_a_segment_is_refused(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    origin.serve("/v/s003.ts", Answer(b"<html><body>blocked</body></html>"))
    with pytest.raises(NotAVideo, match="web page"):
        run(url, kind=HLS)


@pytest.mark.parametrize("key", [Answer(status=500), Answer(b"short"), Answer(b"x" * 5000)])
def test_a_failing_key_is_an_error(
    origin: Origin, run: Fetch, aes_stream: Path, key: Answer
) -> None:
    url = serve_folder(origin, aes_stream, "/v")
    origin.serve("/v/key.bin", key)
    with pytest.raises((ServerRefused, PlaylistRefused)):
        run(url, kind=HLS)


def test_a_wrong_key_is_noticed(origin: Origin, run: Fetch, aes_stream: Path) -> None:
    url = serve_folder(origin, aes_stream, "/v")
    origin.serve("/v/key.bin", Answer(b"0123456789abcdef"))
    with pytest.raises((ConnectionFailed, NotAVideo)):
        run(url, kind=HLS)


def test_a_live_playlist_is_refused(origin: Origin, run: Fetch) -> None:
    with pytest.raises(LiveStream):
        run(playlist(origin, "/live.m3u8", "#EXTINF:2,", "s.ts"), kind=HLS)


@pytest.mark.parametrize(
    "key",
    [
        '#EXT-X-KEY:METHOD=SAMPLE-AES,URI="key"',
        '#EXT-X-KEY:METHOD=AES-128,KEYFORMAT="com.apple.streamingkeydelivery",URI="skd://x"',
        '#EXT-X-KEY:METHOD=SAMPLE-AES-CTR,KEYFORMAT="urn:uuid:edef8ba9",URI="data:x"',
    ],
)
def test_a_protected_stream_is_left_alone(origin: Origin, run: Fetch, key: str) -> None:
    url = playlist(origin, "/drm.m3u8", key, "#EXTINF:2,", "s.ts", "#EXT-X-ENDLIST")
    with pytest.raises(ProtectedStream):
        run(url, kind=HLS)
    assert len(origin.seen) == 1


@pytest.mark.parametrize(
    "target", ["file:///etc/passwd", "http://10.0.0.1/s.ts", "http://169.254.169.254/", "data:x"]
)
def test_forbidden_addresses_inside_a_playlist_are_refused(
    origin: Origin, run: Fetch, target: str
) -> None:
    url = playlist(origin, "/evil.m3u8", "#EXTINF:2,", target, "#EXT-X-ENDLIST")
    with pytest.raises(AddressRefused):
        run(url, kind=HLS)


def test_a_playlist_that_leads_to_itself_is_refused(origin: Origin, run: Fetch) -> None:
    url = playlist(origin, "/self.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=1", "self.m3u8")
    with pytest.raises(PlaylistRefused, match="itself"):
        run(url, kind=HLS)


def test_nested_playlists_are_refused(origin: Origin, run: Fetch) -> None:
    url = playlist(origin, "/a.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=1", "b.m3u8")
    playlist(origin, "/b.m3u8", "#EXT-X-STREAM-INF:BANDWIDTH=1", "a.m3u8")
    with pytest.raises(PlaylistRefused, match="nested"):
        run(url, kind=HLS)


def test_an_endless_list_is_refused(origin: Origin, run: Fetch) -> None:
    head = b"#EXTM3U\n" + b"#EXTINF:1,\ns.ts\n" * 100
    url = origin.serve("/endless.m3u8", Answer(head, whole_size=10**9, ranges=False))
    with pytest.raises(PlaylistRefused, match="larger"):
        run(url, kind=HLS)


def test_a_playlist_with_a_gap_is_refused(origin: Origin, run: Fetch) -> None:
    url = playlist(origin, "/gap.m3u8", "#EXT-X-GAP", "#EXTINF:2,", "s.ts", "#EXT-X-ENDLIST")
    with pytest.raises(PlaylistRefused, match="missing"):
        run(url, kind=HLS)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"#EXTM3U\n",
        b"#EXTM3U\n#EXTINF:nan,\ns.ts\n#EXT-X-ENDLIST",
        b"#EXTM3U\n#EXTINF:-5,\ns.ts\n#EXT-X-ENDLIST",
        b"#EXTM3U\n#EXT-X-BYTERANGE:0@-4\n#EXTINF:1,\ns.ts\n#EXT-X-ENDLIST",
        b"#EXTM3U\n#EXTINF:999999999,\ns.ts\n#EXT-X-ENDLIST",
        b"\xff\xfe\x00 nonsense",
    ],
)
def test_a_broken_playlist_is_refused(origin: Origin, run: Fetch, text: bytes) -> None:
    with pytest.raises(PlaylistRefused):
        run(origin.serve("/x.m3u8", Answer(text)), kind=HLS)


def test_a_hundred_thousand_segments_are_read_with_bounded_memory() -> None:
    script = """
import resource
from downloads.engine.playlist import parse_playlist
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
address = "https://cdn.example/film/part-{:06d}.ts?token=abcdef"
lines = ["#EXTINF:1.0,\\n" + address.format(number) for number in range(100000)]
text = "#EXTM3U\\n" + "\\n".join(lines) + "\\n#EXT-X-ENDLIST\\n"
playlist = parse_playlist(text, "https://cdn.example/index.m3u8")
assert len(playlist.segments) == 100000
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)

    assert int(done.stdout) < 110_000
