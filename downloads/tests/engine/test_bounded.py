from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from downloads.engine.errors import ConnectionFailed, EngineError, WrongLength
from downloads.engine.lane import OVERLAP_BYTES
from downloads.tests.engine.conftest import FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, Script, failing_first
from providers.streams import StreamKind

SLOW = 2_000_000  # bytes a second for each connection
# A file or an error has to come of that many requests, whatever the server answers.
FEW = 60

connections = pytest.mark.parametrize("count", [1, 16])


def owner_of(count: int) -> Owner:
    return Owner(replace(FAST, max_connections=count))


@connections
@pytest.mark.parametrize("share", [0.2, 0.7])
def test_ranges_told_from_zero_after_a_cut_lead_to_the_whole_file(
    origin: Origin, run: Fetch, clip: bytes, *, count: int, share: float
) -> None:
    def script(number: int, _headers: dict[str, str]) -> Answer:
        cut = int(len(clip) * share) if number == 1 else None
        return Answer(clip, cut_after=cut, told_from_zero=True, bytes_per_second=SLOW)

    fetched = run(origin.serve("/a.mp4", script), owner=owner_of(count))

    assert fetched.path.read_bytes() == clip
    assert len(origin.seen) < FEW


@connections
def test_a_server_that_always_cuts_and_tells_ranges_from_zero_is_given_up(
    origin: Origin, run: Fetch, clip: bytes, count: int
) -> None:
    answer = Answer(clip, cut_after=len(clip) * 7 // 10, told_from_zero=True)
    with pytest.raises(EngineError) as caught:
        run(origin.serve("/a.mp4", answer), owner=owner_of(count))

    assert isinstance(caught.value, ConnectionFailed | WrongLength)
    assert len(origin.seen) < FEW


@connections
def test_a_range_that_goes_on_without_end_is_left_at_the_end_of_the_file(
    origin: Origin, run: Fetch, clip: bytes, count: int
) -> None:
    answer = Answer(clip, whole_size=len(clip), chunked=True, endless=True)
    fetched = run(origin.serve("/a.mp4", answer), owner=owner_of(count))

    assert fetched.path.read_bytes() == clip
    assert len(origin.seen) < FEW


@connections
@pytest.mark.parametrize("most", [1, 1000])
def test_a_server_with_tiny_ranges_is_read_without_any(
    origin: Origin, run: Fetch, clip: bytes, *, count: int, most: int
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, most_bytes=most))
    fetched = run(url, owner=owner_of(count))

    assert fetched.path.read_bytes() == clip
    assert len(origin.seen) < FEW


@connections
def test_a_server_that_sends_next_to_nothing_new_of_each_range_is_given_up(
    origin: Origin, run: Fetch, clip: bytes, count: int
) -> None:
    answer = Answer(clip, most_bytes=OVERLAP_BYTES + 1000)
    with pytest.raises(ConnectionFailed, match="next to nothing"):
        run(origin.serve("/a.mp4", answer), owner=owner_of(count))

    assert len(origin.seen) < FEW


@connections
def test_further_ranges_of_next_to_nothing_do_not_stop_the_first(
    origin: Origin, run: Fetch, clip: bytes, count: int
) -> None:
    def script(number: int, _headers: dict[str, str]) -> Answer:
        return Answer(clip, most_bytes=None if number == 1 else 1, bytes_per_second=SLOW)

    fetched = run(origin.serve("/a.mp4", script), owner=owner_of(count))

    assert fetched.path.read_bytes() == clip
    assert len(origin.seen) < FEW


@connections
def test_shorter_ranges_than_asked_for_are_put_together(
    origin: Origin, run: Fetch, clip: bytes, count: int
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, most_bytes=300_000, bytes_per_second=SLOW))
    fetched = run(url, owner=owner_of(count))

    assert fetched.path.read_bytes() == clip
    assert len(origin.seen) < FEW


def serve_parts(origin: Origin, part: Answer, *, ranged: bool) -> str:
    """A playlist of forty segments that are all answered alike."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:4", "#EXT-X-TARGETDURATION:2"]
    for number in range(40):
        lines += ["#EXTINF:2,"]
        lines += [f"#EXT-X-BYTERANGE:1880@{number * 1880}"] if ranged else []
        lines += ["part.ts" if ranged else f"part{number}.ts"]
        origin.serve("/" + lines[-1], part)
    return origin.serve("/a.m3u8", "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode())


@connections
@pytest.mark.parametrize(
    ("part", "ranged"),
    [
        (Answer(b""), False),
        (Answer(b"", no_length=True), False),
        (Answer(b"\x47" + bytes(187), cut_after=100), False),
        (Answer(status=500), False),
        (Answer(b"\x47" * 1880 * 40, told_from_zero=True), True),
        (Answer(b"\x47" * 1880 * 40, most_bytes=188), True),
        (Answer(b"", ranges=False), True),
    ],
    ids=["empty", "closed", "cut", "error", "told from zero", "shorter ranges", "empty, ranged"],
)
def test_segments_that_bring_nothing_are_given_up(
    origin: Origin, run: Fetch, *, count: int, part: Answer, ranged: bool
) -> None:
    url = serve_parts(origin, part, ranged=ranged)
    with pytest.raises(EngineError):
        run(url, kind=StreamKind.HLS, owner=owner_of(count))

    assert len(origin.seen) < FEW


def test_an_outage_of_all_connections_of_a_stream_is_one_failure(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    def failing(content: bytes) -> Script:
        lost = Answer(content, cut_after=0, delay_seconds=0.3)
        return failing_first(1, lost, Answer(content))

    names = sorted(path.name for path in ts_stream.iterdir() if path.suffix == ".ts")
    for name in names:
        origin.serve(f"/{name}", failing((ts_stream / name).read_bytes()))
    url = origin.serve("/a.m3u8", (ts_stream / "index.m3u8").read_bytes())
    owner = Owner(replace(FAST, max_connections=16, max_retries=len(names) // 2))
    fetched = run(url, kind=StreamKind.HLS, owner=owner)

    assert fetched.size_bytes > 0
    assert len(origin.seen) < FEW
