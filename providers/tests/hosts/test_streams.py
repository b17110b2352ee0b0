from __future__ import annotations

from typing import Any

import pytest

from providers.errors import Protected
from providers.hosts.pages import best_first, streams_of
from providers.streams import Stream, StreamKind


def found(url: str, **fields: Any) -> dict[str, Any]:
    return {"url": f"https://cdn.example/{url}", "protocol": "https", **fields}


def chosen(formats: list[dict[str, Any]], max_height: int | None) -> list[tuple[str, int | None]]:
    streams = best_first(streams_of(formats, None, max_height), max_height)
    return [(stream.url.rpartition("/")[2], stream.height) for stream in streams]


FILES = [found("360.mp4", height=360), found("1080.mp4", height=1080), found("720.mp4", height=720)]


@pytest.mark.parametrize(
    ("max_height", "expected"),
    [
        (None, [1080, 720, 360]),
        (1080, [1080, 720, 360]),
        (720, [720, 360]),
        (719, [360]),
        (240, [360]),
    ],
)
def test_the_best_not_above_the_wish_comes_first_or_the_lowest(
    max_height: int | None, expected: list[int]
) -> None:
    assert [height for _, height in chosen(FILES, max_height)] == expected


def test_an_unknown_height_is_taken_as_it_comes() -> None:
    assert chosen([found("a.mp4")], 480) == [("a.mp4", None)]


def test_a_manifest_is_one_stream_with_the_height_that_will_be_chosen() -> None:
    variants = [
        found(
            f"{height}.m3u8",
            protocol="m3u8_native",
            height=height,
            manifest_url="https://cdn.example/master.m3u8",
        )
        for height in (360, 480, 1080)
    ]
    assert chosen(variants, 720) == [("master.m3u8", 480)]
    assert chosen(variants, None) == [("master.m3u8", 1080)]
    assert chosen(variants, 240) == [("master.m3u8", 360)]
    (stream,) = streams_of(variants, 12.5, 720)
    assert (stream.kind, stream.duration_seconds) == (StreamKind.HLS, 12.5)


def test_dash_is_given_by_its_manifest() -> None:
    formats = [
        found(
            "seg",
            protocol="http_dash_segments",
            height=720,
            manifest_url="https://cdn.example/m.mpd",
        )
    ]
    (stream,) = streams_of(formats, None, None)
    assert (stream.kind, stream.url) == (StreamKind.DASH, "https://cdn.example/m.mpd")


def test_picture_and_sound_are_joined_with_the_best_sound() -> None:
    formats = [
        found("low.m4a", vcodec="none", acodec="aac", tbr=64),
        found("high.m4a", vcodec="none", acodec="aac", tbr=128, headers={"Referer": "r"}),
        found("1080.mp4", vcodec="avc1", acodec="none", height=1080),
        found("360.mp4", vcodec="avc1", acodec="aac", height=360),
    ]
    split, whole = best_first(streams_of(formats, None, None), None)
    assert (split.kind, split.height) == (StreamKind.SPLIT, 1080)
    assert split.audio_url.endswith("high.m4a")
    assert split.audio_headers == {"Referer": "r"}
    assert (whole.kind, whole.height) == (StreamKind.HTTP, 360)


def test_at_one_height_a_whole_file_is_preferred() -> None:
    formats = [
        found("a.m3u8", protocol="m3u8_native", height=720),
        found("a.mp4", height=720),
    ]
    assert [name for name, _ in chosen(formats, None)] == ["a.mp4", "a.m3u8"]


def test_protected_formats_are_left_out_and_reported_when_nothing_else_is_there() -> None:
    assert chosen([found("drm.mp4", has_drm=True), found("free.mp4")], None) == [("free.mp4", None)]
    with pytest.raises(Protected):
        streams_of([found("drm.mp4", has_drm=True)], None, None)


@pytest.mark.parametrize(
    "odd",
    [
        {"url": "file:///etc/passwd"},
        {"url": None},
        {"url": "https://x.example/a", "protocol": "rtmp"},
        {"url": "https://x.example/a", "protocol": "websocket_frag"},
        {"url": "https://x.example/\r\na"},
        {"url": "https://x.example/" + 8000 * "a"},
        {},
    ],
)
def test_what_the_engine_cannot_fetch_is_left_out(odd: dict[str, Any]) -> None:
    assert streams_of([odd], None, None) == []


def test_an_address_may_be_as_long_as_signatures_make_it() -> None:
    url = "https://x.example/a.mp4?signature=" + 4000 * "a"

    assert streams_of([{"url": url}], None, None) == [Stream(url, StreamKind.HTTP)]


def test_odd_figures_are_unknown() -> None:
    (stream,) = streams_of([found("a.mp4", height="tall", filesize=-1)], None, None)
    assert stream == Stream("https://cdn.example/a.mp4", StreamKind.HTTP)
