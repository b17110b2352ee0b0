"""Small files and parts of files: no other bytes are ever taken for those asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from downloads.engine.errors import ConnectionFailed, EngineError, PlaylistRefused, WrongLength
from downloads.engine.monitor import Monitor
from downloads.engine.small import SmallFetcher
from downloads.engine.transport import Transport
from downloads.tests.engine.conftest import CLIP_SECONDS, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, failing_first
from downloads.tests.engine.test_hls import HLS, packet_counts, serve_folder
from providers.safe_url import EgressPolicy

CONTENT = bytes(range(256)) * 400
PART = (1000, 51_000)


@pytest.fixture
def fetcher() -> Iterator[SmallFetcher]:
    transport = Transport(EgressPolicy.parse(["127.0.0.0/8"]))
    yield SmallFetcher(transport, Monitor(Owner()), {})
    transport.close()


def part_of(origin: Origin, fetcher: SmallFetcher, answer: Answer) -> bytes:
    url = origin.serve("/a.bin", answer)
    return fetcher.fetch(url, max_bytes=60_000, byte_range=PART).content


@pytest.mark.parametrize("answer", [Answer(CONTENT), Answer(CONTENT, ranges=False)])
def test_a_part_is_the_asked_one_whether_or_not_the_server_knows_ranges(
    origin: Origin, fetcher: SmallFetcher, answer: Answer
) -> None:
    assert part_of(origin, fetcher, answer) == CONTENT[slice(*PART)]


def test_of_a_large_file_no_more_is_fetched_than_up_to_the_part(
    origin: Origin, fetcher: SmallFetcher
) -> None:
    answer = Answer(CONTENT, ranges=False, whole_size=2_000_000_000)

    assert part_of(origin, fetcher, answer) == CONTENT[slice(*PART)]
    assert origin.sent_bytes() < 20_000_000


@pytest.mark.parametrize(
    "answer",
    [
        Answer(CONTENT, range_shift=1),
        Answer(CONTENT, told_from_zero=True),
        Answer(CONTENT, most_bytes=100),
        Answer(CONTENT[:5000]),
        Answer(CONTENT, status=206),
        Answer(CONTENT, status=206, headers=(("Content-Range", "bytes 1000-50999"),)),
        Answer(
            CONTENT[slice(*PART)],
            status=206,
            gzipped=True,
            headers=(("Content-Range", "bytes 1000-50999/*"),),
        ),
    ],
    ids=["shifted", "from zero", "shorter", "beyond the end", "untold", "unreadable", "compressed"],
)
def test_a_wrong_part_is_refused(origin: Origin, fetcher: SmallFetcher, answer: Answer) -> None:
    with pytest.raises(WrongLength):
        part_of(origin, fetcher, answer)
    assert len(origin.requests("/a.bin")) == 1


@pytest.mark.parametrize(
    "answer",
    [
        Answer(CONTENT, cut_after=30_000),
        Answer(CONTENT[:5000], ranges=False),
        Answer(CONTENT[:500], ranges=False),
    ],
    ids=["cut", "whole but too short", "whole and before the part"],
)
def test_too_few_bytes_are_asked_for_again_and_never_taken(
    origin: Origin, fetcher: SmallFetcher, answer: Answer
) -> None:
    with pytest.raises(ConnectionFailed):
        part_of(origin, fetcher, answer)
    assert 1 < len(origin.requests("/a.bin")) < 10

    whole = failing_first(1, answer, Answer(CONTENT))
    url = origin.serve("/b.bin", whole)
    found = fetcher.fetch(url, max_bytes=60_000, byte_range=PART)
    assert found.content == CONTENT[slice(*PART)]


def test_a_part_of_an_answer_is_no_whole_file(origin: Origin, fetcher: SmallFetcher) -> None:
    told = Answer(CONTENT, status=206, headers=(("Content-Range", "bytes 0-102399/204800"),))
    with pytest.raises(WrongLength):
        fetcher.fetch(origin.serve("/a.bin", told), max_bytes=10**6)


def test_what_is_not_small_is_refused(origin: Origin, fetcher: SmallFetcher) -> None:
    url = origin.serve("/a.bin", CONTENT)
    for byte_range in (None, (0, 60_000)):
        with pytest.raises(PlaylistRefused, match="larger"):
            fetcher.fetch(url, max_bytes=50_000, byte_range=byte_range)


def test_a_part_that_lies_too_far_in_a_file_without_ranges_is_refused(
    origin: Origin, fetcher: SmallFetcher
) -> None:
    url = origin.serve("/a.bin", Answer(CONTENT, ranges=False, whole_size=10**9, endless=True))
    with pytest.raises(PlaylistRefused, match="larger"):
        fetcher.fetch(url, max_bytes=50_000, byte_range=(9 * 10**8, 9 * 10**8 + 10))


@pytest.mark.parametrize("byte_range", [(5, 5), (5, 3)])
def test_an_impossible_part_is_refused(
    origin: Origin, fetcher: SmallFetcher, byte_range: tuple[int, int]
) -> None:
    with pytest.raises(PlaylistRefused, match="impossible"):
        fetcher.fetch(origin.serve("/a.bin", CONTENT), max_bytes=100, byte_range=byte_range)
    assert not origin.seen


@pytest.mark.parametrize(
    ("fault", "is_good"),
    [(Answer(), True), (Answer(ranges=False), True), (Answer(range_shift=8), False)],
    ids=["ranges", "no ranges", "shifted"],
)
def test_a_beginning_inside_another_file_is_never_taken_from_the_wrong_place(
    origin: Origin, run: Fetch, fmp4_stream: Path, fault: Answer, *, is_good: bool
) -> None:
    url = serve_folder(origin, fmp4_stream, "/v")
    lines = (fmp4_stream / "index.m3u8").read_text().splitlines()
    map_line = next(line for line in lines if line.startswith("#EXT-X-MAP:"))
    init = (fmp4_stream / map_line.split('"')[1]).read_bytes()
    origin.serve("/v/all.bin", replace(fault, content=b"x" * 777 + init + b"y" * 5000, etag=""))
    named = f'#EXT-X-MAP:URI="all.bin",BYTERANGE="{len(init)}@777"'
    text = "\n".join(named if line == map_line else line for line in lines)
    origin.serve("/v/index.m3u8", Answer(text.encode(), etag=""))
    if is_good:
        assert packet_counts(run(url, kind=HLS).path)["video"] == CLIP_SECONDS * 10
        return
    with pytest.raises(EngineError, match="ranges wrongly"):
        run(url, kind=HLS)
