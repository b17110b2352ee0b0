"""When the segments of a manifest begin, and where a track ends."""

from __future__ import annotations

from downloads.engine.dash import parse_manifest
from downloads.tests.engine.test_dash import HEAD


def names_of(timeline: str) -> list[str]:
    text = HEAD + (
        'mediaPresentationDuration="PT20S"><Period><AdaptationSet mimeType="video/mp4">'
        '<Representation id="1"><SegmentTemplate timescale="1000" startNumber="1" '
        f'media="$Number$-$Time$"><SegmentTimeline>{timeline}</SegmentTimeline>'
        "</SegmentTemplate></Representation></AdaptationSet></Period></MPD>"
    )
    plan = parse_manifest(text, "https://cdn.example/m.mpd", None)
    return [segment.url.rpartition("/")[2] for segment in plan.order]


def test_an_open_repeat_ends_where_the_next_entry_begins() -> None:
    names = names_of('<S t="0" d="4000" r="-1"/><S t="8000" d="6000" r="-1"/>')

    assert names == ["1-0", "2-4000", "3-8000", "4-14000"]


def test_an_open_repeat_without_a_next_entry_ends_with_the_period() -> None:
    names = names_of('<S t="500" d="8000" r="-1"/>')

    assert names == ["1-500", "2-8500", "3-16500"]


def test_an_open_repeat_whose_next_entry_tells_no_time_ends_with_the_period() -> None:
    names = names_of('<S t="0" d="10000" r="-1"/><S d="1000"/>')

    assert names == ["1-0", "2-10000", "3-20000"]
