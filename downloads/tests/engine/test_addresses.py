"""Addresses as strangers write them: what browsers take is taken, what nobody should is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from downloads.engine.calls import checked_url
from downloads.engine.errors import AddressRefused
from downloads.tests.engine.conftest import Fetch
from downloads.tests.engine.origin import Answer, Origin
from providers.streams import Stream, StreamKind


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ("http://h.example/a%20b.mp4?x=%C3%A9&y", "http://h.example/a%20b.mp4?x=%C3%A9&y"),
        ("http://h.example/my film.mp4", "http://h.example/my%20film.mp4"),
        ("http://h.example/vidéo.mp4?t=é", "http://h.example/vid%C3%A9o.mp4?t=%C3%A9"),
        ("http://vidéo.example/日.mp4", "http://xn--vido-dpa.example/%E6%97%A5.mp4"),
    ],
)
def test_spaces_and_other_letters_are_escaped(given: str, asked: str) -> None:
    assert checked_url(given) == asked
    assert checked_url(given.partition("example")[2], "http://h.example/x") == asked.replace(
        "xn--vido-dpa", "h"
    )


@pytest.mark.parametrize(
    "given",
    ["http://h.example/a\x00b", "http://h ost.example/", "http://h.example\\@x/", "file:///é"],
)
def test_what_parsers_disagree_on_is_refused(given: str) -> None:
    with pytest.raises(AddressRefused):
        checked_url(given)


@pytest.mark.parametrize("location", ["/vidéo.mp4", "/my film.mp4"])
def test_a_redirect_may_name_its_target_unescaped(
    origin: Origin, run: Fetch, clip: bytes, location: str
) -> None:
    raw = location.encode().decode("latin-1")
    url = origin.serve("/a.mp4", Answer(status=302, headers=(("Location", raw),)))
    origin.serve("/vid%C3%A9o.mp4", clip)
    origin.serve("/my%20film.mp4", clip)
    assert run(url).path.read_bytes() == clip


def test_a_header_with_other_letters_is_escaped(origin: Origin, run: Fetch, clip: bytes) -> None:
    url = origin.serve("/a.mp4", clip)
    run(url, stream=Stream(url, StreamKind.HTTP, {"Referer": "http://h.example/épisode"}))
    assert origin.seen[0].headers["referer"] == "http://h.example/%C3%A9pisode"


def test_a_playlist_may_begin_with_a_byte_order_mark_and_name_its_segments_unescaped(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    text = "\ufeff" + (ts_stream / "index.m3u8").read_text()
    for segment in sorted(ts_stream.glob("*.ts")):
        text = text.replace(segment.name, f"né {segment.name}")
        origin.serve(f"/n%C3%A9%20{segment.name}", segment.read_bytes())
    url = origin.serve("/marked.m3u8", text.encode())
    assert run(url, kind=StreamKind.HLS).duration_seconds > 1


def test_the_signed_address_of_a_segment_may_be_long(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    text = (ts_stream / "index.m3u8").read_text()
    for segment in sorted(ts_stream.glob("*.ts")):
        text = text.replace(segment.name, f"{segment.name}?signature={'x' * 4000}")
        origin.serve(f"/{segment.name}", segment.read_bytes())
    url = origin.serve("/signed.m3u8", text.encode())

    assert run(url, kind=StreamKind.HLS).duration_seconds > 1


def test_an_address_longer_than_servers_take_is_refused() -> None:
    with pytest.raises(AddressRefused, match="longer than 8,000 characters"):
        checked_url("http://h.example/" + "x" * 8000)
