"""Which of a download's sources are asked, and for which of their streams."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from downloads.models import Download, DownloadAttempt
from downloads.queue import Order
from downloads.states import State
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.workers import run
from providers import gateway
from providers.streams import Stream, StreamKind, VideoSource

pytestmark = pytest.mark.django_db(transaction=True)

GONE = Answer(b"gone", status=404)


@pytest.fixture
def second(origin: Origin, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Answer], None]:
    """Let a source have another stream beside the one that it is."""
    known: dict[str, str] = {}
    open_source = gateway.open_source

    def open_with_second(source: VideoSource, max_height: int | None) -> list[Stream]:
        streams = open_source(source, max_height)
        if source.url in known:
            streams.append(Stream(known[source.url], StreamKind.HTTP))
        return streams

    def serve(path: str, answer: Answer) -> None:
        known[origin.url(path)] = origin.serve(f"{path}-second", answer)

    monkeypatch.setattr(gateway, "open_source", open_with_second)
    return serve


def errors_of(download: Download) -> list[str]:
    return [attempt.error_code for attempt in DownloadAttempt.objects.filter(download=download)]


def test_the_second_stream_of_a_source_is_fetched_when_the_first_cannot_be(
    publish: Callable[..., Order],
    clip: bytes,
    origin: Origin,
    second: Callable[[str, Answer], None],
) -> None:
    order = publish(GONE)
    second("/0.mp4", Answer(clip))
    download = run(order)

    assert (download.state, download.final_size_bytes) == (State.COMPLETED, len(clip))
    assert errors_of(download) == ["server_refused", ""]


def test_second_streams_come_after_the_first_of_every_source(
    publish: Callable[..., Order],
    clip: bytes,
    origin: Origin,
    second: Callable[[str, Answer], None],
) -> None:
    order = publish(GONE, clip)
    second("/0.mp4", Answer(clip))
    download = run(order)

    assert download.state == State.COMPLETED
    assert origin.requests("/1.mp4")
    assert not origin.requests("/0.mp4-second")


def test_a_host_that_is_busy_is_not_asked_for_its_second_stream(
    publish: Callable[..., Order],
    clip: bytes,
    origin: Origin,
    second: Callable[[str, Answer], None],
) -> None:
    order = publish(Answer(status=429, headers=(("Retry-After", "900"),)))
    second("/0.mp4", Answer(clip))
    download = run(order)

    assert (download.state, download.reason_code) == (State.QUEUED, "too_many_requests")
    assert not origin.requests("/0.mp4-second")


def test_when_both_streams_fail_each_tells_why(
    publish: Callable[..., Order], second: Callable[[str, Answer], None]
) -> None:
    order = publish(GONE)
    second("/0.mp4", Answer(b"<html>no video</html>" * 100))
    download = run(order)

    assert (download.state, download.attempts) == (State.QUEUED, 1)
    assert errors_of(download) == ["server_refused", "not_a_video"]
