"""Which of a download's sources are asked, and for which of their streams."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from downloads.models import Download, DownloadAttempt
from downloads.queue import Order
from downloads.states import State
from downloads.tests.engine.origin import Answer, Origin, Script
from downloads.tests.factories import make_order
from downloads.tests.workers import run
from providers import gateway
from providers.streams import Stream, StreamKind, VideoSource

pytestmark = pytest.mark.django_db(transaction=True)

GONE = Answer(b"gone", status=404)
SEVERAL_HEIGHTS = """<?xml version="1.0"?>
<rss version="2.0" xmlns:media="http://search.yahoo.com/mrss/"><channel>
<title>Paper Lanterns</title>
<item><title>Episode 1</title><guid>e1</guid><media:group>{files}</media:group></item>
</channel></rss>"""


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


@pytest.fixture
def offer(origin: Origin) -> Callable[..., str]:
    """`offer(folder, heights, answer)`: an episode as files of these heights; its feed."""

    def serve(folder: str, heights: Iterable[int], answer: Answer | Script) -> str:
        files = "".join(
            f'<media:content url="{origin.serve(f"{folder}/{height}.mp4", answer)}"'
            f' type="video/mp4" height="{height}"/>'
            for height in heights
        )
        feed = SEVERAL_HEIGHTS.format(files=files).encode()
        return origin.serve("/heights.xml", Answer(feed, content_type="application/rss+xml"))

    return serve


@pytest.mark.parametrize(
    ("quality", "first"),
    [("auto", 1080), ("1080p", 1080), ("720p", 720), ("480p", 480)],
)
def test_the_best_file_that_is_not_above_the_wish_is_fetched(
    offer: Callable[..., str], origin: Origin, clip: bytes, quality: str, first: int
) -> None:
    url = offer("/a", (480, 1080, 720), Answer(clip))
    run(make_order(series_ref=url, episode_ref="e1", quality=quality))

    asked = [height for height in (1080, 720, 480) if origin.requests(f"/a/{height}.mp4")]
    assert asked == [first]


def test_when_all_files_are_above_the_wish_the_lowest_is_fetched(
    offer: Callable[..., str], origin: Origin, clip: bytes
) -> None:
    url = offer("/a", (1080, 720), Answer(clip))
    run(make_order(series_ref=url, episode_ref="e1", quality="480p"))

    assert origin.requests("/a/720.mp4")
    assert not origin.requests("/a/1080.mp4")


def test_an_expired_address_is_replaced_by_that_of_the_same_height(
    offer: Callable[..., str], origin: Origin, clip: bytes
) -> None:
    def expire(_number: int, _headers: dict[str, str]) -> Answer:
        offer("/new", (1080, 480), Answer(clip))
        return Answer(b"expired", status=403)

    url = offer("/old", (1080, 480), expire)
    download = run(make_order(series_ref=url, episode_ref="e1", quality="480p"))

    assert download.state == State.COMPLETED
    assert origin.requests("/new/480.mp4")
    assert not origin.requests("/new/1080.mp4")
