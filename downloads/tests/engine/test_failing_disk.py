"""A disk that could not write is heard, though the system tells it once only."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import pytest

from downloads.engine import library, partfile, segmentstore
from downloads.engine.errors import FolderUnwritable
from downloads.tests.engine.conftest import Fetch
from downloads.tests.engine.origin import Answer, Origin, wait_until
from downloads.tests.engine.test_hls import packet_counts, serve_folder
from providers.streams import StreamKind


class FailingDisk:
    """Fails one sync of a file, after which it says nothing more, as Linux does."""

    def __init__(self, name: str, sync: Callable[[int], None]) -> None:
        self.fails_when: Callable[[], bool] = lambda: True
        self.told = 0
        self._name, self._sync = name, sync

    def sync(self, descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        if path.name.startswith(self._name) and not self.told:
            wait_until(self.fails_when)
            self.told += 1
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        self._sync(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], FailingDisk]:
    def fail(function: str, name: str) -> FailingDisk:
        failing = FailingDisk(name, getattr(os, function))
        monkeypatch.setattr(os, function, failing.sync)
        monkeypatch.setattr(partfile, "_SYNC_SECONDS", 0.0)
        monkeypatch.setattr(segmentstore, "_SYNC_SECONDS", 0.0)
        return failing

    return fail


def test_a_file_that_ends_before_its_failed_sync_is_not_taken_for_whole(
    origin: Origin, run: Fetch, clip: bytes, disk: Callable[[str, str], FailingDisk]
) -> None:
    url = origin.serve("/a.mp4", Answer(clip))
    failing = disk("fdatasync", "media.part")
    failing.fails_when = lambda: origin.sent_bytes() == len(clip)
    with pytest.raises(FolderUnwritable, match="Input/output error"):
        run(url)
    fetched = run(url)

    assert failing.told == 1
    assert fetched.resumed_from == 0
    assert fetched.path.read_bytes() == clip


def test_a_failed_sync_ends_a_transfer_that_goes_on(
    origin: Origin, run: Fetch, clip: bytes, disk: Callable[[str, str], FailingDisk]
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=len(clip) / 4))
    disk("fdatasync", "media.part")
    with pytest.raises(FolderUnwritable):
        run(url)

    assert origin.sent_bytes() < len(clip)


def test_segments_that_the_disk_has_lost_are_not_joined(
    origin: Origin,
    run: Fetch,
    ts_stream: Path,
    work_dir: Path,
    disk: Callable[[str, str], FailingDisk],
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    last = f"/v/{max(path.name for path in ts_stream.glob('*.ts'))}"
    failing = disk("fdatasync", "lane-")
    failing.fails_when = lambda: bool(origin.requests(last))
    with pytest.raises(FolderUnwritable):
        run(url, kind=StreamKind.HLS)
    origin.seen.clear()
    fetched = run(url, kind=StreamKind.HLS)

    assert failing.told == 1
    assert fetched.resumed_from == 0
    assert packet_counts(fetched.path)["video"] == packet_counts(ts_stream / "index.m3u8")["video"]


def test_a_file_that_cannot_be_synced_for_the_library_is_fetched_anew(
    tmp_path: Path, disk: Callable[[str, str], FailingDisk]
) -> None:
    work_file = tmp_path / "media.part"
    work_file.write_bytes(b"film")
    disk("fsync", "media.part")
    with pytest.raises(FolderUnwritable):
        library.publish(work_file, tmp_path, PurePosixPath("a/b.mp4"), umask=0o022)

    assert not work_file.exists()
    assert not (tmp_path / "a" / "b.mp4").exists()
