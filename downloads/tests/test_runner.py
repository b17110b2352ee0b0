"""One claimed download from start to end, against a real server and a real library."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone
from pytest_django import Settings

from downloads import claims, queue, runner, stopping, upkeep
from downloads.engine import library
from downloads.models import Download, DownloadAttempt
from downloads.queue import Order
from downloads.signals import download_completed, download_failed
from downloads.states import State
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.factories import make_order
from downloads.tests.workers import in_thread, run, slow, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_episode_ends_in_the_library_under_its_final_name(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    download = run(publish(clip))
    file = download_dir / download.final_path
    assert download.state == State.COMPLETED
    assert file.read_bytes() == clip
    assert file.name == f"{download.target_stem} [360p].mp4"
    assert (download.height, download.lease_expires_at) == (360, None)
    assert not list((download_dir / ".incomplete").iterdir())


def test_the_end_of_a_download_is_reported_after_the_commit(
    publish: Callable[..., Order], clip: bytes
) -> None:
    seen = []

    def note(download_id: uuid.UUID, **_: object) -> None:
        seen.append(Download.objects.get(pk=download_id).state)

    download_completed.connect(note)
    try:
        run(publish(clip))
    finally:
        download_completed.disconnect(note)
    assert seen == [State.COMPLETED]


def test_a_web_page_saved_as_a_video_fails_with_its_reason_and_leaves_nothing(
    publish: Callable[..., Order], download_dir: Path
) -> None:
    seen = []

    def note(download_id: object, **_: object) -> None:
        seen.append(download_id)

    download_failed.connect(note)
    try:
        download = run(publish(b"<!doctype html><html><body>Please sign in</body></html>"))
    finally:
        download_failed.disconnect(note)
    assert (download.state, download.reason_code) == (State.FAILED, "not_a_video")
    assert seen == [download.pk]
    assert not [path for path in download_dir.rglob("*") if path.is_file()]


def test_the_next_player_is_tried_and_every_attempt_is_kept(
    publish: Callable[..., Order], clip: bytes
) -> None:
    download = run(publish(Answer(b"gone", status=404), clip))
    assert download.state == State.COMPLETED
    tries = DownloadAttempt.objects.filter(download=download)
    assert [attempt.error_code == "" for attempt in tries] == [False, True]


def test_when_no_player_works_the_reason_names_each(publish: Callable[..., Order]) -> None:
    download = run(publish(b"<html>one</html>", b"<html>two</html>"))
    assert (download.state, download.reason_code) == (State.FAILED, "no_usable_player")
    assert download.reason_text.count("web page") == 2


def test_a_server_in_trouble_is_tried_again_later(publish: Callable[..., Order]) -> None:
    download = run(publish(Answer(b"", status=500)))
    assert (download.state, download.attempts) == (State.QUEUED, 1)
    assert download.not_before is not None
    assert download.not_before > timezone.now()
    assert download.reason_text


def test_a_full_disk_blocks_without_burning_an_attempt_and_goes_on_when_there_is_room(
    publish: Callable[..., Order], clip: bytes, settings: Settings
) -> None:
    settings.MIN_FREE_DISK_MB = 10**9
    download = run(publish(clip))
    assert (download.state, download.reason_code) == (State.BLOCKED, "disk_low")
    assert download.attempts == 0

    settings.MIN_FREE_DISK_MB = 1
    Download.objects.update(not_before=timezone.now())
    upkeep.keep_queue_moving()
    assert runner.run_next()
    download.refresh_from_db()
    assert download.state == State.COMPLETED


def test_a_file_that_does_not_fit_asks_nobody_again_before_there_is_room_for_it(
    publish: Callable[..., Order],
    clip: bytes,
    origin: Origin,
    settings: Settings,
    download_dir: Path,
) -> None:
    gigabyte, spare = 10**9, library.free_bytes(download_dir)
    settings.MIN_FREE_DISK_MB = (spare - gigabyte) // 10**6
    download = run(publish(Answer(clip, whole_size=2 * gigabyte)))
    assert (download.state, download.reason_code) == (State.BLOCKED, "disk_low")
    asked = len(origin.seen)
    Download.objects.update(not_before=timezone.now())
    upkeep.keep_queue_moving()
    assert not runner.run_next()
    assert len(origin.seen) == asked

    settings.MIN_FREE_DISK_MB = 1
    upkeep.keep_queue_moving()
    download.refresh_from_db()
    assert download.state == State.QUEUED


def test_a_file_of_the_same_name_is_never_overwritten(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    order = publish(clip)
    taken = download_dir / order.target_folder / f"{order.target_stem} [360p].mp4"
    taken.parent.mkdir(parents=True)
    taken.write_bytes(b"somebody's own file")
    download = run(order)
    assert (download.state, download.reason_code) == (State.FAILED, "name_taken")
    assert taken.read_bytes() == b"somebody's own file"


def test_pausing_stops_a_running_download_and_resuming_goes_on(
    publish: Callable[..., Order], clip: bytes, origin: Origin, download_dir: Path
) -> None:
    order = publish(slow(clip))
    download = queue.enqueue(order)
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 100_000)
    queue.pause(download)
    worker.join(10)
    assert not worker.is_alive()
    download.refresh_from_db()
    assert (download.state, download.lease_expires_at) == (State.PAUSED, None)
    before = origin.sent_bytes("/0.mp4")

    origin.serve("/0.mp4", clip)
    queue.resume(download)
    assert runner.run_next()
    download.refresh_from_db()
    assert (download_dir / download.final_path).read_bytes() == clip
    assert origin.sent_bytes("/0.mp4") - before < len(clip)


def test_cancelling_stops_a_running_download_and_removes_what_it_had(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    download = queue.enqueue(publish(slow(clip)))
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 0)
    queue.cancel(download)
    worker.join(10)
    assert not worker.is_alive()
    assert Download.objects.get(pk=download.pk).state == State.CANCELLED
    assert not [path for path in download_dir.rglob("*") if path.is_file()]


def test_a_worker_that_goes_down_hands_its_download_back_at_once(
    publish: Callable[..., Order], clip: bytes
) -> None:
    download = queue.enqueue(publish(slow(clip)))
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 0)
    stopping.request_stop()
    try:
        worker.join(10)
        assert not worker.is_alive()
    finally:
        stopping.renew()
    download.refresh_from_db()
    assert (download.state, download.attempts) == (State.QUEUED, 0)
    assert download.lease_expires_at is None
    assert claims.claim_next("another worker") is not None


def test_a_worker_whose_claim_was_taken_over_publishes_nothing(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    download = queue.enqueue(publish(slow(clip)))
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 0)
    Download.objects.filter(pk=download.pk).update(fence=99, owner="another worker")
    worker.join(10)
    assert not worker.is_alive()
    assert not list(download_dir.rglob("*.mp4"))
    download.refresh_from_db()
    assert (download.state, download.owner) == (State.DOWNLOADING, "another worker")


def test_a_dead_workers_download_is_retaken_where_it_was(
    publish: Callable[..., Order], clip: bytes, origin: Origin, download_dir: Path
) -> None:
    download = queue.enqueue(publish(slow(clip)))
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 100_000)
    # What a kill leaves behind: a row that says it is running, and a lease that ends.
    stopping.request_stop()
    worker.join(10)
    stopping.renew()
    Download.objects.filter(pk=download.pk).update(
        state=State.DOWNLOADING,
        owner="dead",
        lease_expires_at=timezone.now() - timedelta(seconds=1),
    )
    assert upkeep.requeue_expired_leases() == 1
    origin.serve("/0.mp4", clip)
    before = origin.sent_bytes("/0.mp4")
    assert runner.run_next()
    download.refresh_from_db()
    assert (download_dir / download.final_path).read_bytes() == clip
    assert origin.sent_bytes("/0.mp4") - before < len(clip)


@pytest.mark.parametrize("is_renamed", [False, True])
def test_a_kill_between_intent_and_rename_is_finished_by_the_next_worker(
    publish: Callable[..., Order],
    clip: bytes,
    download_dir: Path,
    *,
    is_renamed: bool,
) -> None:
    download = queue.enqueue(publish(clip))
    relative = f"{download.target_folder}/{download.target_stem} [360p].mp4"
    staged = download_dir / ".incomplete" / str(download.pk) / "staged.mp4"
    staged.parent.mkdir(parents=True)
    staged.write_bytes(clip)
    Download.objects.filter(pk=download.pk).update(
        final_path=relative,
        final_size_bytes=len(clip),
        final_sha256=library.sha256_of(staged),
        staged_path=str(staged),
    )
    if is_renamed:
        (download_dir / relative).parent.mkdir(parents=True)
        staged.rename(download_dir / relative)
    assert runner.run_next()
    download.refresh_from_db()
    assert download.state == State.COMPLETED
    assert (download_dir / relative).read_bytes() == clip
    assert not DownloadAttempt.objects.exists()


def test_what_a_given_up_download_left_is_deleted_after_a_day(download_dir: Path) -> None:
    download = queue.enqueue(make_order())
    queue.cancel(download)
    folder = download_dir / ".incomplete" / str(download.pk)
    folder.mkdir(parents=True)
    assert upkeep.remove_leftovers() == 0
    yesterday = time.time() - 25 * 3600
    os.utime(folder, (yesterday, yesterday))
    assert upkeep.remove_leftovers() == 1
    assert not folder.exists()
