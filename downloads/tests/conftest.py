"""A real server, and episodes that it offers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from downloads.queue import Order
from downloads.tests.engine.clips import make_clip
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.factories import make_order
from providers import gateway
from providers.safe_url import EgressPolicy

FEED = """<?xml version="1.0"?><rss version="2.0"><channel><title>Paper Lanterns</title>
<item><title>Episode 1</title><guid>e1</guid>{enclosures}</item></channel></rss>"""


@pytest.fixture
def origin(settings: Settings) -> Iterator[Origin]:
    with Origin() as server:
        settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{server.port}"])
        settings.MIN_FREE_DISK_MB = 1
        yield server


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("clips") / "clip.mp4"
    return make_clip(path, seconds=12, size=(640, 360)).read_bytes()


@pytest.fixture
def publish(origin: Origin) -> Callable[..., Order]:
    """Serve an episode with these files, best first, and order it."""

    def serve(*answers: Answer | bytes) -> Order:
        urls = [origin.serve(f"/{n}.mp4", answer) for n, answer in enumerate(answers)]
        enclosures = "".join(f'<enclosure url="{u}" type="video/mp4" length="1"/>' for u in urls)
        feed = FEED.format(enclosures=enclosures).encode()
        url = origin.serve("/feed.xml", Answer(feed, content_type="application/rss+xml"))
        return make_order(series_ref=url, episode_ref=_episode_ref(url))

    return serve


def _episode_ref(feed_url: str) -> str:
    return gateway.list_episodes("feed", feed_url, "vostfr", {}).episodes[0].ref
