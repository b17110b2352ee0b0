from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from downloads.engine.errors import NotAVideo, ServerRefused, WrongLength
from downloads.tests.engine.conftest import CLIP_SECONDS, FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin


def test_a_file_arrives_whole_and_is_measured(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(origin.serve("/a.mp4", clip))

    assert fetched.path.read_bytes() == clip
    assert fetched.sha256 == hashlib.sha256(clip).hexdigest()
    assert fetched.size_bytes == len(clip)
    assert (fetched.extension, fetched.kind, fetched.height) == ("mp4", "http", 180)
    assert fetched.duration_seconds == pytest.approx(CLIP_SECONDS, abs=0.2)
    assert not fetched.restarted


def test_a_second_run_fetches_nothing_again(origin: Origin, run: Fetch, clip: bytes) -> None:
    url = origin.serve("/a.mp4", clip)
    run(url)
    sent = origin.sent_bytes()

    assert run(url).resumed_from == len(clip)
    assert origin.sent_bytes() == sent


def test_a_server_without_ranges_is_read_from_start_to_end(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    fetched = run(origin.serve("/a.mp4", Answer(clip, ranges=False)))

    assert fetched.path.read_bytes() == clip


def test_a_chunked_answer_without_length_is_whole(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(origin.serve("/a.mp4", Answer(clip, ranges=False, chunked=True)))

    assert fetched.path.read_bytes() == clip


def test_an_answer_that_ends_by_closing_is_whole(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(origin.serve("/a.mp4", Answer(clip, ranges=False, no_length=True)))

    assert fetched.path.read_bytes() == clip


def test_a_compressed_body_is_decoded(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(origin.serve("/a.mp4", Answer(clip, gzipped=True)))

    assert fetched.path.read_bytes() == clip


def test_a_web_page_named_as_a_video_is_refused_and_not_kept(
    origin: Origin, run: Fetch, work_dir: Path
) -> None:
    page = b"<!DOCTYPE html><html><body>sign in</body></html>" * 50
    url = origin.serve("/a.mp4", Answer(page, content_type="video/mp4"))

    with pytest.raises(NotAVideo, match="a web page"):
        run(url)
    assert sorted(path.name for path in work_dir.iterdir()) == ["lock"]


def test_an_empty_file_is_refused(origin: Origin, run: Fetch) -> None:
    with pytest.raises(NotAVideo, match="empty"):
        run(origin.serve("/a.mp4", b""))


def test_an_error_status_is_told(origin: Origin, run: Fetch) -> None:
    with pytest.raises(ServerRefused, match="404"):
        run(origin.url("/missing.mp4"))


def test_a_file_of_another_length_than_expected_is_refused(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    with pytest.raises(WrongLength, match="12 seconds instead of 1400"):
        run(origin.serve("/a.mp4", clip), expected_duration_seconds=1400.0)


def test_a_file_above_the_allowed_size_is_not_begun(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    with pytest.raises(WrongLength, match="larger"):
        run(origin.serve("/a.mp4", clip), owner=Owner(replace(FAST, max_bytes=1000)))


def test_progress_tells_bytes_and_stages(origin: Origin, run: Fetch, clip: bytes) -> None:
    owner = Owner()
    run(origin.serve("/a.mp4", clip), owner=owner)

    assert owner.seen[0].stage == "connecting"
    assert owner.seen[-1].stage == "checking"
    assert owner.seen[-1].bytes_done == owner.seen[-1].bytes_total == len(clip)
