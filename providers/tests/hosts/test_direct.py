from __future__ import annotations

import pytest

from providers.hosts.direct import DirectResolver
from providers.streams import Stream, StreamKind, VideoSource


@pytest.mark.parametrize(
    ("url", "kind", "expected"),
    [
        ("https://x.example/a.mp4", StreamKind.HTTP, StreamKind.HTTP),
        ("https://x.example/token", StreamKind.HTTP, StreamKind.HTTP),
        ("https://x.example/a.mp4?t=1", StreamKind.PAGE, StreamKind.HTTP),
        ("https://x.example/a.MKV", StreamKind.PAGE, StreamKind.HTTP),
        ("https://x.example/m%2Em3u8", StreamKind.PAGE, StreamKind.HLS),
        ("https://x.example/m.mpd", StreamKind.PAGE, StreamKind.DASH),
        ("https://x.example/list", StreamKind.HLS, StreamKind.HLS),
    ],
)
def test_a_direct_address_is_the_stream(url: str, kind: StreamKind, expected: StreamKind) -> None:
    source = VideoSource(url, kind, "x", height=720, headers={"Referer": "https://s.example/"})
    assert DirectResolver().accepts(source)
    assert DirectResolver().resolve(source, 480) == [
        Stream(url, expected, headers={"Referer": "https://s.example/"}, height=720)
    ]


@pytest.mark.parametrize(
    "url",
    [
        "https://x.example/embed/1",
        "https://x.example/shell.php?videoid=1",
        "https://a.mp4/",
        "https://x.example/?f=a.mp4",
    ],
)
def test_a_player_page_is_not_direct(url: str) -> None:
    assert not DirectResolver().accepts(VideoSource(url, StreamKind.PAGE, "x"))
