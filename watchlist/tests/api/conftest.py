"""Clients that are signed in, and a feed on loopback that can be followed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, cast

import pytest
from django.contrib.auth.models import User
from pytest_django import Settings
from rest_framework.test import APIClient

from providers.safe_url import EgressPolicy
from watchlist.tests.factories import AdministratorFactory, UserFactory, token_for

FEED = """<?xml version="1.0"?><rss version="2.0"><channel>
<title>Salt Road</title><description>Two couriers cross a dry sea.</description>
<category>Adventure</category>{entries}</channel></rss>"""
ENTRY = """<item><title>Salt Road {n}</title><guid>salt-{n}</guid>
<enclosure url="{base}/salt-{n}.mp4" type="video/mp4" length="1000"/></item>"""


@dataclass(frozen=True, slots=True)
class FeedServer:
    """Serves a feed of three episodes below any path that begins with /feed."""

    base: str

    def url(self, name: str = "feed") -> str:
        return f"{self.base}/{name}.xml"


class _Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        port = cast("ThreadingHTTPServer", self.server).server_port
        base = f"http://127.0.0.1:{port}"
        is_feed = self.path.startswith("/feed")
        entries = "".join(ENTRY.format(n=n, base=base) for n in range(1, 4))
        body = (FEED.format(entries=entries) if is_feed else "<html>nothing</html>").encode()
        self.send_response(200 if is_feed else 404)
        self.send_header("Content-Type", "application/rss+xml" if is_feed else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- as in the base class
        del format, args


@pytest.fixture(scope="session")
def _feed_process() -> Iterator[FeedServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield FeedServer(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def feed(_feed_process: FeedServer, settings: Settings) -> FeedServer:
    settings.EGRESS_POLICY = EgressPolicy.parse(["127.0.0.1"])
    return _feed_process


@pytest.fixture(autouse=True)
def plain_files(settings: Settings) -> None:
    """Pages name their files as they are, so that nothing must be collected first."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = settings.STORAGES | {"staticfiles": plain}


@pytest.fixture
def owner() -> User:
    return UserFactory.create(username="owner")


@pytest.fixture
def other() -> User:
    return UserFactory.create(username="other")


@pytest.fixture
def administrator() -> User:
    return AdministratorFactory.create(username="administrator")


@pytest.fixture
def signed_in() -> Callable[[User], APIClient]:
    def client_for(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(user)}")
        return client

    return client_for


@pytest.fixture
def api(signed_in: Callable[[User], APIClient], owner: User) -> APIClient:
    return signed_in(owner)


@pytest.fixture
def admin_api(signed_in: Callable[[User], APIClient], administrator: User) -> APIClient:
    return signed_in(administrator)


@pytest.fixture
def staff_api(signed_in: Callable[[User], APIClient]) -> APIClient:
    """Somebody who may open Django's administration, and has no right there."""
    return signed_in(UserFactory.create(is_staff=True))


@pytest.fixture
def other_api(signed_in: Callable[[User], APIClient], other: User) -> APIClient:
    return signed_in(other)


@pytest.fixture
def anonymous() -> APIClient:
    return APIClient()
