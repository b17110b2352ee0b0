"""What nobody foresaw costs a download one try, and never its place in the queue."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError
from django.utils import timezone

from downloads import queue, runner, upkeep
from downloads.engine.fetch import fetch
from downloads.engine.types import FetchedFile, FetchRequest
from downloads.models import Download, DownloadAttempt
from downloads.queue import Order
from downloads.samples import SAMPLE_NEEDS_EPISODES
from downloads.states import State
from downloads.tests.engine.clips import make_clip
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.factories import make_order
from downloads.tests.workers import run

pytestmark = pytest.mark.django_db(transaction=True)


def stumbling(error: Exception, times: int) -> Callable[..., FetchedFile]:
    """The engine, which fails that often in a way that it does not know."""
    left = [error] * times

    def stumble(request: FetchRequest, control: Any) -> FetchedFile:
        if left:
            raise left.pop()
        return fetch(request, control)

    return stumble


def test_a_source_that_makes_the_engine_stumble_is_one_lost_try(
    publish: Callable[..., Order], clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("downloads.sources.fetch", stumbling(ValueError("a strange number"), 1))
    download = run(publish(clip, clip))
    assert download.state == State.COMPLETED
    tries = DownloadAttempt.objects.filter(download=download)
    assert [attempt.error_code for attempt in tries] == ["engine_error", ""]


def test_a_download_whose_every_source_makes_the_engine_stumble_waits_for_another_try(
    publish: Callable[..., Order], clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("downloads.sources.fetch", stumbling(ValueError("a strange number"), 1))
    download = run(publish(clip))
    assert (download.state, download.attempts) == (State.QUEUED, 1)
    assert (download.owner, download.lease_expires_at) == ("", None)
    assert "ValueError" in download.reason_text


def test_trouble_outside_of_any_source_is_one_lost_try(
    publish: Callable[..., Order], clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stumble(*_: object) -> None:
        raise KeyError("height")

    monkeypatch.setattr("downloads.publishing.publish", stumble)
    download = run(publish(clip))
    assert (download.state, download.attempts) == (State.QUEUED, 1)


def test_a_download_in_whose_middle_the_database_failed_goes_back_to_the_queue(
    publish: Callable[..., Order], clip: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "downloads.sources.fetch", stumbling(OperationalError("database is locked"), 1)
    )
    download = run(publish(clip))
    assert download.state == State.DOWNLOADING
    Download.objects.filter(pk=download.pk).update(
        lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    assert upkeep.requeue_expired_leases() == 1
    assert runner.run_next()
    download.refresh_from_db()
    assert (download.state, download.attempts) == (State.COMPLETED, 0)


def test_an_active_download_that_nobody_holds_goes_back_to_the_queue() -> None:
    download = queue.enqueue(make_order())
    Download.objects.filter(pk=download.pk).update(state=State.DOWNLOADING)
    assert upkeep.requeue_expired_leases() == 1
    download.refresh_from_db()
    assert download.state == State.QUEUED


def test_a_sample_is_fetched_anew_at_the_next_try(
    publish: Callable[..., Order], clip: bytes, origin: Origin, tmp_path: Path
) -> None:
    order = publish(clip)
    for _ in range(SAMPLE_NEEDS_EPISODES):
        other = queue.enqueue(make_order(series_ref=order.series_ref))
        Download.objects.filter(pk=other.pk).update(state=State.COMPLETED, duration_seconds=60.0)
    download = run(order)
    assert (download.state, download.reason_code) == (State.QUEUED, "wrong_length")
    whole = make_clip(tmp_path / "whole.mp4", seconds=60, size=(320, 180)).read_bytes()
    origin.serve("/0.mp4", Answer(whole, etag='"mended"'))
    Download.objects.filter(pk=download.pk).update(not_before=None)
    assert runner.run_next()
    download.refresh_from_db()
    assert (download.state, download.final_size_bytes) == (State.COMPLETED, len(whole))
