"""Segments whose length no server tells: they end with the connection, whole or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from downloads.engine.errors import ConnectionFailed, ServerRefused
from downloads.tests.engine.conftest import CLIP_SECONDS, Fetch
from downloads.tests.engine.origin import Answer, Origin, failing_first
from downloads.tests.engine.test_hls import HLS, packet_counts, serve_folder

BETWEEN_PACKETS = 188 * 100

with_and_without_ranges = pytest.mark.parametrize("ranges", [True, False])


def untold(path: Path, *, ranges: bool) -> Answer:
    return Answer(path.read_bytes(), etag="", no_length=True, ranges=ranges)


@with_and_without_ranges
@pytest.mark.parametrize("name", ["ts_stream", "fmp4_stream"])
def test_a_segment_that_was_cut_between_two_packets_is_fetched_again(
    origin: Origin, run: Fetch, name: str, request: pytest.FixtureRequest, *, ranges: bool
) -> None:
    folder = request.getfixturevalue(name)
    url = serve_folder(origin, folder, "/v")
    path = sorted(folder.glob("s*"))[2]
    whole = untold(path, ranges=ranges)
    cut = replace(whole, cut_after=BETWEEN_PACKETS)
    origin.serve(f"/v/{path.name}", failing_first(1, cut, whole))

    assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10


def test_a_segment_that_is_always_cut_is_an_error(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    cut = replace(untold(ts_stream / "s002.ts", ranges=True), cut_after=BETWEEN_PACKETS)
    origin.serve("/v/s002.ts", cut)
    with pytest.raises(ConnectionFailed, match="cut"):
        run(url, kind=HLS)


def test_where_the_server_knows_ranges_the_end_of_a_segment_costs_a_byte(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    answer = untold(ts_stream / "s002.ts", ranges=True)
    origin.serve("/v/s002.ts", answer)
    run(url, kind=HLS)

    assert origin.sent_bytes("/v/s002.ts") == len(answer.content) + 1


@with_and_without_ranges
def test_a_compressed_segment_is_whole_when_it_comes_twice_alike(
    origin: Origin, run: Fetch, ts_stream: Path, *, ranges: bool
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    origin.serve("/v/s002.ts", replace(untold(ts_stream / "s002.ts", ranges=ranges), gzipped=True))

    assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10


def test_a_stored_segment_that_is_cut_when_it_is_compared_has_not_changed(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    origin.serve("/v/s003.ts", Answer(status=500))
    with pytest.raises(ServerRefused):
        run(url, kind=HLS)
    whole = untold(ts_stream / "s002.ts", ranges=True)
    cut = replace(whole, cut_after=BETWEEN_PACKETS)
    origin.serve("/v/s002.ts", failing_first(len(origin.requests("/v/s002.ts")) + 1, cut, whole))
    origin.serve("/v/s003.ts", (ts_stream / "s003.ts").read_bytes())
    fetched = run(url, kind=HLS)

    assert not fetched.restarted
    assert fetched.resumed_from == sum(p.stat().st_size for p in ts_stream.glob("s00[0-2].ts"))


def test_a_playlist_that_was_cut_is_not_taken_for_a_shorter_one(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    text = (ts_stream / "index.m3u8").read_bytes()
    assert b"#EXT-X-PLAYLIST-TYPE:VOD" in text
    whole = Answer(text, etag="", no_length=True)
    cut = replace(whole, cut_after=text.index(b"s003.ts"))
    origin.serve("/v/index.m3u8", failing_first(1, cut, whole))

    assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10


def test_a_playlist_that_is_never_twice_of_one_length_is_an_error(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    text = (ts_stream / "index.m3u8").read_bytes()
    origin.serve("/v/index.m3u8", lambda n, _: Answer(text, no_length=True, cut_after=n * 20))
    with pytest.raises(ConnectionFailed, match="cut"):
        run(url, kind=HLS)


def test_the_beginning_of_a_stream_that_was_cut_is_fetched_again(
    origin: Origin, run: Fetch, fmp4_stream: Path
) -> None:
    url = serve_folder(origin, fmp4_stream, "/v")
    path = next(path for path in fmp4_stream.iterdir() if path.suffix == ".mp4")
    whole = untold(path, ranges=True)
    cut = replace(whole, cut_after=300)
    origin.serve(f"/v/{path.name}", failing_first(1, cut, whole))

    assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10
