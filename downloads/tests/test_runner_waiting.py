"""A worker that waits for a slow site keeps its claim, stays under control and leaves no thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from downloads import queue, stopping
from downloads.engine import library
from downloads.models import Download, Limiter
from downloads.queue import Order
from downloads.states import State
from downloads.tests.engine.origin import Answer, Origin, failing_first
from downloads.tests.workers import in_thread, run, slow, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hang(origin: Origin) -> Iterator[Callable[[str], threading.Event]]:
    """Let a path answer no more before the end of the test; gives what tells that it was asked."""
    is_over = threading.Event()

    def serve(path: str) -> threading.Event:
        asked = threading.Event()

        def answer(_number: int, _headers: dict[str, str]) -> Answer:
            asked.set()
            assert is_over.wait(60)
            return Answer(status=500)

        origin.serve(path, answer)
        return asked

    yield serve
    is_over.set()
    wait_until(lambda: "errand" not in {thread.name for thread in threading.enumerate()})


@pytest.mark.parametrize(
    ("stop", "state"),
    [
        (queue.pause, State.PAUSED),
        (queue.cancel, State.CANCELLED),
        (lambda _row: stopping.request_stop(), State.QUEUED),
    ],
    ids=["pause", "cancel", "shutdown"],
)
def test_a_download_whose_site_hangs_is_let_go_at_once(
    publish: Callable[..., Order],
    clip: bytes,
    hang: Callable[[str], threading.Event],
    stop: Callable[[Download], object],
    state: State,
) -> None:
    download = queue.enqueue(publish(clip))
    asked = hang("/feed.xml")
    worker = in_thread()
    assert asked.wait(20)
    stop(download)
    try:
        worker.join(10)
        assert not worker.is_alive()
    finally:
        stopping.renew()
    download.refresh_from_db()
    assert (download.state, download.lease_expires_at) == (state, None)
    assert download.attempts == 0


def test_a_site_that_takes_longer_than_a_lease_does_not_cost_the_claim(
    publish: Callable[..., Order], clip: bytes, hang: Callable[[str], threading.Event]
) -> None:
    download = queue.enqueue(publish(clip))
    asked = hang("/feed.xml")
    worker = in_thread()
    assert asked.wait(20)
    soon = timezone.now() + timedelta(seconds=5)
    Download.objects.update(lease_expires_at=soon)
    wait_until(lambda: Download.objects.filter(lease_expires_at__gt=soon).exists())
    queue.cancel(download)
    worker.join(10)
    assert not worker.is_alive()


def test_a_running_download_is_let_go_at_once_while_its_address_is_renewed(
    publish: Callable[..., Order],
    clip: bytes,
    origin: Origin,
    hang: Callable[[str], threading.Event],
) -> None:
    half = Answer(clip, content_type="video/mp4", cut_after=len(clip) // 2)
    download = queue.enqueue(publish(failing_first(1, half, Answer(status=403))))
    worker = in_thread()
    wait_until(lambda: bool(origin.requests("/0.mp4")))
    asked = hang("/feed.xml")
    assert asked.wait(20)
    queue.pause(download)
    worker.join(10)
    assert not worker.is_alive()
    download.refresh_from_db()
    assert (download.state, download.lease_expires_at) == (State.PAUSED, None)


def test_the_end_of_the_window_hands_a_running_download_back(
    publish: Callable[..., Order], clip: bytes
) -> None:
    download = queue.enqueue(publish(slow(clip, seconds=60)))
    worker = in_thread()
    wait_until(lambda: Download.objects.get(pk=download.pk).bytes_done > 0)
    clock = timezone.localtime()
    opens, closes = (clock + timedelta(hours=hours) for hours in (2, 3))
    Limiter.objects.update(window_start=opens.time(), window_end=closes.time())
    worker.join(10)
    assert not worker.is_alive()
    download.refresh_from_db()
    assert (download.state, download.attempts) == (State.QUEUED, 0)


def test_a_speed_limit_slows_a_running_download_down(
    publish: Callable[..., Order], clip: bytes
) -> None:
    download = queue.enqueue(publish(slow(clip, seconds=60)))
    half_speed = len(clip) / 120

    def speed() -> int:
        return Download.objects.get(pk=download.pk).speed_bps

    worker = in_thread()
    wait_until(lambda: speed() > half_speed)
    Limiter.objects.update(rate_limit_bps=len(clip) // 600)
    wait_until(lambda: 0 < speed() < half_speed)
    queue.cancel(download)
    worker.join(10)
    assert not worker.is_alive()


def test_a_download_has_no_more_connections_than_its_host_may_be_asked_for(
    publish: Callable[..., Order], clip: bytes, origin: Origin, settings: Settings
) -> None:
    settings.MAX_CONNECTIONS_PER_DOWNLOAD = 8
    settings.MAX_CONNECTIONS_PER_HOST = 1
    download = run(publish(slow(clip)))
    assert download.state == State.COMPLETED
    assert len(origin.requests("/0.mp4")) == 1


def test_a_move_that_takes_longer_than_a_lease_does_not_cost_the_claim(
    publish: Callable[..., Order], clip: bytes, monkeypatch: pytest.MonkeyPatch, download_dir: Path
) -> None:
    move = library.publish
    soon = timezone.now() + timedelta(seconds=5)

    def move_slowly(*place: Any, **options: Any) -> Path:
        # As a copy to another file system may take.
        Download.objects.update(lease_expires_at=soon)
        wait_until(lambda: Download.objects.filter(lease_expires_at__gt=soon).exists())
        return move(*place, **options)

    monkeypatch.setattr(library, "publish", move_slowly)
    download = run(publish(clip))
    assert download.state == State.COMPLETED
    assert (download_dir / download.final_path).read_bytes() == clip
