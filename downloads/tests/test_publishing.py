"""What happens when the library has a file of the same name already."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from downloads import queue, runner
from downloads.engine import library
from downloads.models import Download, DownloadEvent
from downloads.queue import Order
from downloads.states import State
from downloads.tests.engine.clips import make_clip
from downloads.tests.workers import run

pytestmark = pytest.mark.django_db(transaction=True)

Publish = Callable[..., Order]
IN_THE_LIBRARY = "Already in the library from animesama; that file is kept."


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same episode as another site has it."""
    path = tmp_path_factory.mktemp("clips") / "again.mp4"
    return make_clip(path, seconds=12, size=(640, 360), seed=2).read_bytes()


def had_from_another_site(order: Order, **changes: Any) -> Download:
    """Download an order and let it be another site's; then the same may be ordered again."""
    first = run(order)
    changes = {"provider_id": "animesama", "dedupe_key": "another site's"} | changes
    Download.objects.filter(pk=first.pk).update(**changes)
    return first


def test_an_episode_that_another_site_has_brought_is_shared_and_says_so(
    publish: Publish, clip: bytes, again: bytes, download_dir: Path
) -> None:
    first = had_from_another_site(publish(clip))
    second = run(replace(publish(again), target_stem=first.target_stem))

    assert (second.state, second.final_path) == (State.COMPLETED, first.final_path)
    assert second.reason_text == IN_THE_LIBRARY
    assert (second.final_size_bytes, second.final_sha256) == (len(clip), first.final_sha256)
    assert [path.read_bytes() for path in download_dir.rglob("*.mp4")] == [clip]
    events = DownloadEvent.objects.filter(download=second, to_state=State.COMPLETED)
    assert [event.reason_text for event in events] == [IN_THE_LIBRARY]


@pytest.mark.parametrize(
    "changes",
    [
        {"provider_id": "feed"},
        {"lang": "vf"},
        {"duration_seconds": 5400.0},
        {"final_size_bytes": 4},
        {"state": State.CANCELLED},
    ],
    ids=["same site", "another language", "another length", "another file", "not completed"],
)
def test_what_may_be_another_episode_is_not_taken_for_the_same(
    publish: Publish, clip: bytes, again: bytes, download_dir: Path, changes: dict[str, Any]
) -> None:
    first = had_from_another_site(publish(clip), **changes)
    second = run(replace(publish(again), target_stem=first.target_stem))

    assert (second.state, second.reason_code) == (State.FAILED, "name_taken")
    assert (download_dir / first.final_path).read_bytes() == clip


def test_specials_of_two_sites_are_not_taken_for_the_same(
    publish: Publish, clip: bytes, again: bytes, download_dir: Path
) -> None:
    place: dict[str, Any] = {
        "target_folder": "Paper Lanterns/Season 00",
        "target_stem": "Paper Lanterns - S00E01",
    }
    first = had_from_another_site(replace(publish(clip), **place))
    second = run(replace(publish(again), **place))

    assert (second.state, second.reason_code) == (State.FAILED, "name_taken")
    assert (download_dir / first.final_path).read_bytes() == clip


def test_a_worker_that_lost_its_claim_on_the_way_gives_no_file_its_name(
    publish: Publish, clip: bytes, download_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync = os.fsync

    def outlast_the_lease(descriptor: int) -> None:
        sync(descriptor)
        Download.objects.filter(fence=1).update(fence=2, owner="another worker")

    monkeypatch.setattr(os, "fsync", outlast_the_lease)
    download = run(publish(clip))

    assert (download.state, download.owner) == (State.IMPORTING, "another worker")
    assert not (download_dir / download.final_path).exists()
    assert Path(download.staged_path).read_bytes() == clip


def test_a_kill_before_an_episode_is_shared_is_finished_by_the_next_worker(
    publish: Publish, clip: bytes, again: bytes, download_dir: Path
) -> None:
    first = had_from_another_site(publish(clip))
    second = queue.enqueue(replace(publish(again), target_stem=first.target_stem))
    staged = download_dir / ".incomplete" / str(second.pk) / "staged.mp4"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(again)
    Download.objects.filter(pk=second.pk).update(
        final_path=first.final_path,
        final_size_bytes=len(again),
        final_sha256=library.sha256_of(staged),
        staged_path=str(staged),
        duration_seconds=12.0,
    )
    assert runner.run_next()
    second.refresh_from_db()

    assert (second.state, second.reason_text) == (State.COMPLETED, IN_THE_LIBRARY)
    assert (download_dir / first.final_path).read_bytes() == clip
    assert not staged.exists()
