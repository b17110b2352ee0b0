"""Media playlists as RFC 8216 means them, and as they are found."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from downloads.engine.errors import WrongLength
from downloads.engine.playlist import MediaPlaylist, parse_playlist
from downloads.tests.engine.clips import make_hls
from downloads.tests.engine.conftest import CLIP_SECONDS, Fetch
from downloads.tests.engine.origin import Origin
from downloads.tests.engine.test_hls import HLS, serve_folder

URL = "https://cdn.example/v/index.m3u8"


def media(*lines: str, end: str = "\n") -> MediaPlaylist:
    found = parse_playlist(end.join(["#EXTM3U", *lines, "#EXT-X-ENDLIST", ""]), URL)
    assert isinstance(found, MediaPlaylist)
    return found


def test_a_range_without_an_offset_follows_the_previous_segment_whatever_a_map_names() -> None:
    begin = '#EXT-X-MAP:URI="a.mp4",BYTERANGE="720@0"'
    other = '#EXT-X-MAP:URI="b.mp4",BYTERANGE="720@0"'
    playlist = media(
        *(begin, "#EXT-X-BYTERANGE:1000@720", "#EXTINF:2,", "a.mp4", "#EXT-X-DISCONTINUITY"),
        *(begin, "#EXT-X-BYTERANGE:1000", "#EXTINF:2,", "a.mp4"),
        *(other, "#EXT-X-BYTERANGE:500", "#EXTINF:2,", "a.mp4"),
    )

    ranges = [segment.byte_range for segment in playlist.segments]
    assert ranges == [(720, 1720), (1720, 2720), (2720, 3220)]
    assert [init.byte_range for init in playlist.inits] == [(0, 720), (0, 720)]


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85", "\x0b", "\x1c"])
def test_only_line_feeds_end_a_line(separator: str) -> None:
    playlist = media(f"#EXTINF:6,A title{separator}in two parts", "s1.ts")

    assert [segment.url for segment in playlist.segments] == ["https://cdn.example/v/s1.ts"]


def test_lines_may_end_as_on_windows() -> None:
    playlist = media("#EXTINF:6,", "s1.ts", end="\r\n")

    assert [segment.url for segment in playlist.segments] == ["https://cdn.example/v/s1.ts"]


@pytest.fixture(scope="session")
def rounded_stream(clips: Path) -> Path:
    """Segments of 1.4 seconds, which a playlist of an old version tells as one."""
    folder = clips / "rounded"
    path = make_hls(folder, seconds=CLIP_SECONDS, hls_time="1.4", hls_flags="split_by_time")
    text = re.sub(r"#EXTINF:[\d.]+", "#EXTINF:1", path.read_text())
    path.write_text(text)
    return path.parent


def test_durations_in_whole_seconds_may_be_rounded(
    origin: Origin, run: Fetch, rounded_stream: Path
) -> None:
    fetched = run(serve_folder(origin, rounded_stream, "/v"), kind=HLS)

    assert fetched.duration_seconds == pytest.approx(CLIP_SECONDS, abs=0.2)


def test_durations_with_a_fraction_are_meant(
    origin: Origin, run: Fetch, rounded_stream: Path
) -> None:
    url = serve_folder(origin, rounded_stream, "/v")
    text = (rounded_stream / "index.m3u8").read_text().replace("EXTINF:1,", "EXTINF:1.0,")
    origin.serve("/v/index.m3u8", text.encode())
    with pytest.raises(WrongLength, match="instead of 9"):
        run(url, kind=HLS)


def test_rounding_explains_no_more_than_half_a_second_of_each_segment(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    text = re.sub(r"#EXTINF:[\d.]+", "#EXTINF:4", (ts_stream / "index.m3u8").read_text())
    origin.serve("/v/index.m3u8", text.encode())
    with pytest.raises(WrongLength):
        run(url, kind=HLS)
