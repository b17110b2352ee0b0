"""Media playlists as RFC 8216 means them, and as they are found."""

from __future__ import annotations

import pytest

from downloads.engine.playlist import MediaPlaylist, parse_playlist

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
