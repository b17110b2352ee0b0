"""A library that vanishes with its disk is never made anew, and is used again when it is back."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path, PurePosixPath

import pytest
from django.utils import timezone
from pytest_django import Settings

from downloads import libraryfolder, queue, runner, upkeep
from downloads.engine.errors import FolderUnwritable
from downloads.models import Download
from downloads.policies import BLOCKED_SECONDS
from downloads.queue import Order
from downloads.states import State
from downloads.tests.workers import in_thread, run, slow, wait_until


def look_again() -> None:
    Download.objects.update(not_before=timezone.now())
    upkeep.keep_queue_moving()


@pytest.mark.django_db(transaction=True)
def test_a_library_that_is_gone_is_not_made_anew_and_downloads_go_on_when_it_is_back(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    download_dir.rmdir()
    download = run(publish(clip))
    assert (download.state, download.reason_code) == (State.BLOCKED, "folder_unwritable")
    assert "Connect its disk again, or make the folder" in download.reason_text
    assert download.attempts == 0
    look_again()
    download.refresh_from_db()
    assert download.state == State.BLOCKED
    assert not download_dir.exists()

    download_dir.mkdir()
    look_again()
    assert runner.run_next()
    download.refresh_from_db()
    assert (download_dir / download.final_path).read_bytes() == clip


@pytest.mark.django_db(transaction=True)
def test_a_place_that_cannot_be_made_is_waited_for_without_any_work(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    order = publish(clip)
    in_the_way = download_dir / PurePosixPath(order.target_folder).parts[0]
    in_the_way.write_text("a file where the series' folder should be")
    download = run(order)
    assert (download.state, download.reason_code) == (State.BLOCKED, "folder_unwritable")
    look_again()
    download.refresh_from_db()
    assert download.state == State.BLOCKED

    in_the_way.unlink()
    look_again()
    assert runner.run_next()
    download.refresh_from_db()
    assert (download_dir / download.final_path).read_bytes() == clip


@pytest.mark.django_db(transaction=True)
def test_a_place_that_only_seems_fit_is_tried_less_and_less_often(
    publish: Callable[..., Order], clip: bytes, download_dir: Path, tmp_path: Path
) -> None:
    order = publish(clip)
    (download_dir / PurePosixPath(order.target_folder).parts[0]).symlink_to(tmp_path)
    download = run(order)
    for _ in range(3):
        look_again()
        assert runner.run_next()
    download.refresh_from_db()
    assert (download.state, download.attempts) == (State.BLOCKED, 0)
    assert download.not_before is not None
    assert download.not_before - download.updated_at > 6 * timedelta(seconds=BLOCKED_SECONDS)


@pytest.mark.django_db(transaction=True)
def test_a_library_that_vanishes_under_a_running_download_loses_nothing(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    download = queue.enqueue(publish(slow(clip, seconds=30)))
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 0)
    elsewhere = download_dir.rename(download_dir.with_name("unplugged"))
    worker.join(20)
    assert not worker.is_alive()
    download.refresh_from_db()
    assert (download.state, download.reason_code) == (State.BLOCKED, "folder_unwritable")
    assert "Connect its disk again" in download.reason_text
    assert not download_dir.exists()

    elsewhere.rename(download_dir)
    look_again()
    assert runner.run_next()
    download.refresh_from_db()
    assert download.state == State.COMPLETED
    assert (download_dir / download.final_path).read_bytes() == clip


@pytest.mark.django_db(transaction=True)
def test_what_was_to_be_moved_into_a_library_that_has_gone_is_not_forgotten(
    publish: Callable[..., Order], clip: bytes, download_dir: Path
) -> None:
    download = run(publish(clip))
    # As a kill right after the rename leaves it, before the disk goes.
    Download.objects.update(state=State.QUEUED, staged_path=str(download_dir / "gone.mp4"))
    elsewhere = download_dir.rename(download_dir.with_name("unplugged"))
    assert runner.run_next()
    download.refresh_from_db()
    assert (download.state, download.reason_code) == (State.BLOCKED, "folder_unwritable")

    elsewhere.rename(download_dir)
    look_again()
    assert runner.run_next()
    download.refresh_from_db()
    assert download.state == State.COMPLETED
    assert download.tries.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_empty_folder_below_an_unmounted_disk_is_not_taken_for_the_library(
    publish: Callable[..., Order],
    clip: bytes,
    download_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # To unmount a real disk takes rights that tests do not have.
    mounted = {Path("/"), download_dir}
    monkeypatch.setattr(libraryfolder, "_mount_point", None)
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) in mounted)
    libraryfolder.note_disk()
    mounted.remove(download_dir)
    download = run(publish(clip))
    assert (download.state, download.reason_code) == (State.BLOCKED, "folder_unwritable")
    assert "Mount it again" in download.reason_text
    assert not list(download_dir.iterdir())

    mounted.add(download_dir)
    look_again()
    assert runner.run_next()
    download.refresh_from_db()
    assert download.state == State.COMPLETED


def test_the_disk_of_a_library_is_found_behind_a_link(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DOWNLOAD_DIR = tmp_path / "link"
    settings.DOWNLOAD_DIR.symlink_to("/proc/self")
    monkeypatch.setattr(libraryfolder, "_mount_point", None)
    libraryfolder.note_disk()

    assert libraryfolder.require_library() == settings.DOWNLOAD_DIR
    monkeypatch.setattr(os.path, "ismount", lambda path: Path(path) != Path("/proc"))
    with pytest.raises(FolderUnwritable, match="not mounted"):
        libraryfolder.require_library()
