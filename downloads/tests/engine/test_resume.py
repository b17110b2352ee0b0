from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from downloads.engine.errors import FolderBusy, Interrupted, ServerRefused
from downloads.engine.fetch import fetch
from downloads.engine.journal import Journal
from downloads.engine.storage import WorkFolder
from downloads.engine.types import Command, FetchRequest
from downloads.tests.engine.conftest import FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, failing_first, wait_until
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind

OVERLAP = 65_536


def stop_after(size: int) -> Owner:
    """An owner that pauses as soon as so many bytes are on disk."""
    owner = Owner()

    def look(progress: object) -> None:
        if progress.bytes_done >= size:  # type: ignore[attr-defined]
            owner.command = Command.PAUSE

    owner.on_progress = look
    return owner


def half_of(run: Fetch, origin: Origin, answer: Answer, path: str = "/a.mp4") -> str:
    """Fetch about the first half of a file and pause."""
    half = len(answer.content) // 2
    url = origin.serve(path, replace(answer, stall_after=half))
    with pytest.raises(Interrupted):
        run(url, owner=stop_after(half))
    origin.seen.clear()
    return origin.serve(path, answer)


def test_a_paused_file_goes_on_where_it_was(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(half_of(run, origin, Answer(clip)))

    assert fetched.path.read_bytes() == clip
    assert fetched.resumed_from == len(clip) // 2
    assert origin.sent_bytes() == len(clip) - len(clip) // 2 + OVERLAP


def test_a_changed_file_starts_anew_and_is_never_mixed(
    origin: Origin, run: Fetch, clip: bytes, other_clip: bytes
) -> None:
    half_of(run, origin, Answer(clip))
    fetched = run(origin.serve("/a.mp4", Answer(other_clip, etag='"two"')))

    assert fetched.path.read_bytes() == other_clip
    assert fetched.restarted


def test_a_changed_file_without_validators_is_noticed_by_its_bytes(
    origin: Origin, run: Fetch, clip: bytes, other_clip: bytes
) -> None:
    size = min(len(clip), len(other_clip))
    half_of(run, origin, Answer(clip, etag="", whole_size=size))
    fetched = run(origin.serve("/a.mp4", Answer(other_clip, etag="")))

    assert fetched.path.read_bytes() == other_clip
    assert fetched.restarted


def test_a_weak_etag_is_no_proof_and_no_condition(origin: Origin, run: Fetch, clip: bytes) -> None:
    run(half_of(run, origin, Answer(clip, etag='W/"1"')))

    assert "if-range" not in origin.seen[0].headers


def test_a_file_that_changes_while_it_runs_is_never_mixed(
    origin: Origin, run: Fetch, clip: bytes, other_clip: bytes
) -> None:
    old = Answer(clip, cut_after=len(clip) // 2)
    url = origin.serve("/a.mp4", failing_first(1, old, Answer(other_clip, etag='"two"')))
    fetched = run(url)

    assert fetched.path.read_bytes() == other_clip
    assert fetched.sha256 == hashlib.sha256(other_clip).hexdigest()
    assert fetched.restarted


def test_a_changed_signed_address_keeps_the_bytes(origin: Origin, run: Fetch, clip: bytes) -> None:
    half_of(run, origin, Answer(clip))
    fetched = run(origin.serve("/b.mp4", Answer(clip)) + "?token=2")

    assert fetched.resumed_from == len(clip) // 2
    assert fetched.path.read_bytes() == clip


def test_a_server_that_ignores_ranges_on_resume_is_read_from_the_start(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    half_of(run, origin, Answer(clip))
    fetched = run(origin.serve("/a.mp4", Answer(clip, ranges=False)))

    assert fetched.path.read_bytes() == clip


def test_an_expired_address_is_resolved_again_and_the_bytes_stay(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    half = len(clip) // 2
    expired = origin.serve(
        "/old.mp4",
        lambda number, _: Answer(clip, cut_after=half) if number == 1 else Answer(status=403),
    )
    fresh = Stream(origin.serve("/new.mp4", Answer(clip)), StreamKind.HTTP)
    fetched = run(expired, refresh=lambda: fresh)

    assert fetched.path.read_bytes() == clip
    assert origin.sent_bytes("/new.mp4") == len(clip) - half + OVERLAP


def test_an_address_that_stays_expired_is_given_up(origin: Origin, run: Fetch) -> None:
    url = origin.serve("/a.mp4", Answer(status=403))
    with pytest.raises(ServerRefused, match="403"):
        run(url, refresh=lambda: Stream(url, StreamKind.HTTP))
    assert len(origin.requests("/a.mp4")) < 6


def test_a_torn_journal_means_starting_over(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    url = half_of(run, origin, Answer(clip))
    (work_dir / "journal.json").write_text('{"identity": {"si')
    fetched = run(url)

    assert fetched.resumed_from == 0
    assert fetched.path.read_bytes() == clip


def test_after_a_restart_of_the_machine_only_synced_bytes_are_believed(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    url = half_of(run, origin, Answer(clip))
    marks = (work_dir / "marks").read_bytes()
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip().encode()
    (work_dir / "marks").write_bytes(marks.replace(boot, b"0" * len(boot)))
    journal = json.loads((work_dir / "journal.json").read_text())
    journal["synced"] = [[0, 100_000]]
    (work_dir / "journal.json").write_text(json.dumps(journal))
    fetched = run(url)

    assert fetched.resumed_from == 100_000
    assert fetched.path.read_bytes() == clip


def test_a_missing_part_file_is_not_believed(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    url = half_of(run, origin, Answer(clip))
    (work_dir / "media.part").unlink()

    assert run(url).path.read_bytes() == clip


def test_a_second_process_is_kept_out(origin: Origin, run: Fetch, work_dir: Path) -> None:
    with WorkFolder(work_dir), pytest.raises(FolderBusy):
        run(origin.url("/a.mp4"))


def _fetch_slowly(url: str, work_dir: Path) -> None:
    request = FetchRequest(
        Stream(url, StreamKind.HTTP), work_dir, EgressPolicy.parse(["127.0.0.0/8"])
    )
    fetch(request, Owner(replace(FAST, max_connections=4)))


def test_a_killed_process_loses_less_than_a_second(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    rate = 1_000_000
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=rate))
    child = multiprocessing.get_context("spawn").Process(target=_fetch_slowly, args=(url, work_dir))
    child.start()
    try:
        wait_until(lambda: _marked(work_dir) > 600_000, 30)
    finally:
        assert child.pid is not None
        os.kill(child.pid, signal.SIGKILL)
        child.join()
    wait_until(lambda: origin.open_connections == 0)
    fetched = run(origin.serve("/a.mp4", Answer(clip)))

    assert fetched.path.read_bytes() == clip
    assert fetched.resumed_from >= 600_000
    assert origin.sent_bytes() < len(clip) + 4 * OVERLAP + rate


def _marked(folder: Path) -> int:
    return sum(end - start for start, end in Journal.load(folder)[1])
