from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
from dataclasses import replace
from email.utils import formatdate
from pathlib import Path

import pytest

from downloads.engine.errors import (
    AddressRefused,
    ConnectionFailed,
    DiskFull,
    FolderUnwritable,
    NotAVideo,
    ServerRefused,
    TooManyRequests,
)
from downloads.tests.engine.conftest import FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, failing_first
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind


@pytest.mark.parametrize("after", [0, 1, 100_000, -1])
@pytest.mark.parametrize("reset", [False, True])
def test_a_cut_is_mended(
    origin: Origin, run: Fetch, clip: bytes, *, after: int, reset: bool
) -> None:
    cut = Answer(clip, cut_after=after % len(clip), reset=reset)
    fetched = run(origin.serve("/a.mp4", failing_first(1, cut, Answer(clip))))

    assert fetched.path.read_bytes() == clip


def test_a_server_that_cuts_every_answer_is_read_to_the_end(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    fetched = run(origin.serve("/a.mp4", Answer(clip, cut_after=400_000)))

    assert fetched.path.read_bytes() == clip


def test_a_server_that_never_gets_further_is_given_up(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    with pytest.raises(ConnectionFailed):
        run(origin.serve("/a.mp4", Answer(clip, cut_after=1000)))


def test_a_stalled_connection_is_opened_anew(origin: Origin, run: Fetch, clip: bytes) -> None:
    stalled = Answer(clip, stall_after=200_000)
    fetched = run(origin.serve("/a.mp4", failing_first(1, stalled, Answer(clip))))

    assert fetched.path.read_bytes() == clip


def test_a_byte_a_second_counts_as_a_stall(origin: Origin, run: Fetch, clip: bytes) -> None:
    slow = Answer(clip, bytes_per_second=5)
    fetched = run(origin.serve("/a.mp4", failing_first(1, slow, Answer(clip))))

    assert fetched.path.read_bytes() == clip


def test_headers_that_never_come_are_a_stall(origin: Origin, run: Fetch, clip: bytes) -> None:
    late = Answer(clip, delay_seconds=30)
    with pytest.raises(ConnectionFailed, match="stopped sending"):
        run(origin.serve("/a.mp4", late), owner=Owner(replace(FAST, max_retries=1)))


def test_a_range_with_another_start_is_not_used(origin: Origin, run: Fetch, clip: bytes) -> None:
    cut = Answer(clip, cut_after=500_000)
    wrong = Answer(clip, range_shift=7)

    def script(number: int, headers: dict[str, str]) -> Answer:
        if number == 1:
            return cut
        return wrong if "range" in headers else Answer(clip)

    fetched = run(origin.serve("/a.mp4", script))

    assert fetched.path.read_bytes() == clip


def test_a_right_header_with_the_wrong_bytes_is_noticed(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    cut = Answer(clip, cut_after=500_000)
    lie = Answer(clip, body_from_zero=True)
    fetched = run(origin.serve("/a.mp4", failing_first(1, cut, lie)))

    assert fetched.path.read_bytes() == clip


def test_a_whole_answer_to_a_range_is_taken_from_the_start(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    cut = Answer(clip, cut_after=500_000, ranges=False)
    fetched = run(origin.serve("/a.mp4", failing_first(1, cut, Answer(clip, ranges=False))))

    assert fetched.path.read_bytes() == clip


def test_a_length_that_is_too_small_is_noticed(origin: Origin, run: Fetch, clip: bytes) -> None:
    lie = Answer(clip, ranges=False, announced=len(clip) - 100_000)
    with pytest.raises(NotAVideo, match="cut off"):
        run(origin.serve("/a.mp4", lie))


def test_a_length_that_is_too_large_is_an_error(origin: Origin, run: Fetch, clip: bytes) -> None:
    lie = Answer(clip, ranges=False, announced=len(clip) + 100_000)
    with pytest.raises(ConnectionFailed, match="cut"):
        run(origin.serve("/a.mp4", lie))


@pytest.mark.parametrize(
    ("answer", "error"),
    [(Answer(chunked=True), ConnectionFailed), (Answer(no_length=True), NotAVideo)],
)
def test_a_cut_answer_without_length_is_never_taken_for_whole(
    origin: Origin, run: Fetch, clip: bytes, answer: Answer, error: type[Exception]
) -> None:
    cut = replace(answer, content=clip, ranges=False, cut_after=len(clip) // 2)
    with pytest.raises(error):
        run(origin.serve("/a.mp4", cut))


def test_a_chain_of_redirects_is_followed(origin: Origin, run: Fetch, clip: bytes) -> None:
    origin.serve("/3", Answer(clip))
    for number in range(3):
        there = Answer(status=302, headers=(("Location", f"/{number + 1}"),))
        origin.serve(f"/{number}", there)

    assert run(origin.url("/0")).path.read_bytes() == clip


def test_redirects_in_circles_end(origin: Origin, run: Fetch) -> None:
    url = origin.serve("/a", Answer(status=302, headers=(("Location", "/a"),)))
    with pytest.raises(ServerRefused, match="circles"):
        run(url)
    assert len(origin.seen) < 40


def test_a_redirect_to_another_host_drops_credentials_and_keeps_the_referer(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    with Origin() as other:
        target = other.serve("/b.mp4", clip)
        url = origin.serve("/a", Answer(status=302, headers=(("Location", target),)))
        headers = {"Cookie": "secret", "Authorization": "secret", "Referer": "http://page/"}
        run(url, stream=Stream(url, StreamKind.HTTP, headers))
        seen = other.seen[0].headers

    assert "cookie" not in seen
    assert "authorization" not in seen
    assert seen["referer"] == "http://page/"


@pytest.mark.parametrize(
    "target", ["http://127.0.0.2:1/x", "http://10.0.0.1/x", "http://[::1]/x", "http://localhost/x"]
)
def test_a_redirect_to_a_private_address_is_refused(
    origin: Origin, run: Fetch, target: str
) -> None:
    policy = EgressPolicy.parse([f"127.0.0.1:{origin.port}"])
    url = origin.serve("/a", Answer(status=302, headers=(("Location", target),)))
    with pytest.raises(AddressRefused):
        run(url, egress=policy)


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x/"])
def test_a_redirect_to_another_scheme_is_refused(origin: Origin, run: Fetch, target: str) -> None:
    url = origin.serve("/a", Answer(status=302, headers=(("Location", target),)))
    with pytest.raises(AddressRefused):
        run(url)


def test_a_private_address_is_refused_before_anything_is_sent(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    url = origin.serve("/a.mp4", clip)
    with pytest.raises(AddressRefused):
        run(url, egress=EgressPolicy())
    assert not origin.seen


def test_a_busy_server_is_asked_again_after_its_wish(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    busy = Answer(status=429, headers=(("Retry-After", "0"),))
    fetched = run(origin.serve("/a.mp4", failing_first(2, busy, Answer(clip))))

    assert fetched.path.read_bytes() == clip


def test_a_long_wish_is_handed_to_the_owner(origin: Origin, run: Fetch) -> None:
    busy = Answer(status=429, headers=(("Retry-After", "120"),))
    with pytest.raises(TooManyRequests) as caught:
        run(origin.serve("/a.mp4", busy))
    assert caught.value.retry_after_seconds == 120


def test_a_wish_that_is_a_date_is_handed_to_the_owner(origin: Origin, run: Fetch) -> None:
    in_an_hour = formatdate(time.time() + 3600, usegmt=True)
    url = origin.serve("/a.mp4", Answer(status=503, headers=(("Retry-After", in_an_hour),)))
    with pytest.raises(TooManyRequests) as caught:
        run(url)
    assert caught.value.retry_after_seconds is not None
    assert 3000 < caught.value.retry_after_seconds <= 3600
    assert len(origin.seen) == 1


def test_a_server_error_is_retried(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(origin.serve("/a.mp4", failing_first(2, Answer(status=500), Answer(clip))))

    assert fetched.path.read_bytes() == clip


def test_nobody_listening_is_a_failed_connection(run: Fetch) -> None:
    with Origin() as gone:
        url = gone.url("/a.mp4")
    with pytest.raises(ConnectionFailed):
        run(url)


def test_too_little_free_space_is_told_before_the_transfer(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    with pytest.raises(DiskFull):
        run(origin.serve("/a.mp4", clip), owner=Owner(replace(FAST, min_free_bytes=10**15)))


def test_a_full_disk_in_the_middle_keeps_what_is_there(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, ranges=False, chunked=True))
    limit = len(clip) // 2
    script = f"""
import resource, sys
from pathlib import Path
from downloads.engine.errors import DiskFull
from downloads.engine.fetch import fetch
from downloads.engine.types import FetchRequest
from downloads.tests.engine.conftest import Owner
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind
resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, {limit}))
request = FetchRequest(Stream({url!r}, StreamKind.HTTP), Path({str(work_dir)!r}),
                       EgressPolicy.parse(["127.0.0.0/8"]))
try:
    fetch(request, Owner())
except DiskFull as error:
    print(error)
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)

    assert done.returncode == 7, done.stderr.decode()
    assert run(url).path.read_bytes() == clip


def test_a_folder_that_may_not_be_written_is_told(
    origin: Origin, run: Fetch, work_dir: Path
) -> None:
    work_dir.parent.mkdir(exist_ok=True)
    work_dir.write_text("a file where the folder should be")
    with pytest.raises(FolderUnwritable):
        run(origin.url("/a.mp4"))


def test_a_folder_that_vanishes_while_running_is_told(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    owner = Owner()

    def remove(progress: object) -> None:
        if progress.bytes_done and work_dir.exists():  # type: ignore[attr-defined]
            for path in work_dir.iterdir():
                path.unlink()
            work_dir.rmdir()

    owner.on_progress = remove
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=700_000))
    with pytest.raises(FolderUnwritable):
        run(url, owner=owner)


def test_three_gigabytes_need_no_memory(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    size = 3_000_000_000
    padding = (size - len(clip)).to_bytes(4, "big") + b"free"
    answer = Answer(clip + padding, whole_size=size)
    fetched = run(origin.serve("/a.mp4", answer), want_sha256=False)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    fetched.path.unlink()

    assert fetched.size_bytes == size
    assert grown < 60_000


@pytest.mark.parametrize("has_lock", [True, False])
def test_a_read_only_folder_is_told_by_the_whole_engine(tmp_path: Path, *, has_lock: bool) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root to become somebody else, whom permissions bind")
    folder = tmp_path / "closed"
    folder.mkdir()
    if has_lock:
        (folder / "lock").touch(mode=0o666)
        (folder / "lock").chmod(0o666)
    folder.chmod(0o555)
    for parent in [tmp_path, *list(tmp_path.parents)[:2]]:
        parent.chmod(0o755)
    script = f"""
import os, sys
from pathlib import Path
from downloads.engine.errors import FolderUnwritable
from downloads.engine.fetch import fetch
from downloads.engine.run import run
from downloads.engine.types import Command, FetchRequest, Limits
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind

class Owner:
    def poll(self): return Command.GO_ON
    def limits(self): return Limits()
    def progress(self, progress): pass

os.setuid(65534)
stream = Stream("http://127.0.0.1:1/a.mp4", StreamKind.HTTP)
egress = EgressPolicy.parse(["127.0.0.0/8"])
try:
    fetch(FetchRequest(stream=stream, work_dir=Path({str(folder)!r}), egress=egress), Owner())
except FolderUnwritable as error:
    print(error)
    sys.exit(7)
"""
    done = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True)

    assert done.returncode == 7, done.stderr.decode()
