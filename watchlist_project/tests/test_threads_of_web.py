"""However many ask for what a slow provider has, the web server answers everybody else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from itertools import islice
from threading import Event
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from pytest_django import Settings

from providers.safe_url import EgressPolicy
from providers.tests.origin import Behaviour, Origin, running_origin
from providers.types import Pace
from watchlist.services import asking, posters
from watchlist.tests.factories import UserFactory, WatchlistItemFactory
from watchlist_project.web import OPTIONS

pytestmark = pytest.mark.django_db(transaction=True)
THREADS: int = OPTIONS["threads"]
HANG_SECONDS = 120


class Web:
    """As many threads as the web server has, and one person's requests in them."""

    def __init__(self, user: User) -> None:
        self.user = user
        self._pool = ThreadPoolExecutor(THREADS)
        self._client = Client()
        self._client.force_login(user)

    def ask(self, method: str, path: str, sent: dict[str, str]) -> Future[Any]:
        return self._pool.submit(self._ask, method, path, sent)

    def get(self, path: str) -> Any:
        return self.ask("get", path, {}).result(HANG_SECONDS)

    def close(self) -> None:
        self._pool.shutdown()

    def _ask(self, method: str, path: str, sent: dict[str, str]) -> Any:
        client = Client()
        client.cookies = self._client.cookies
        kind = {"content_type": "application/json"} if method == "post" else {}
        try:
            return getattr(client, method)(path, sent, **kind)
        finally:
            connection.close()


@pytest.fixture
def may_answer() -> Event:
    return Event()


def silent_until(may_answer: Event) -> Behaviour:
    def behave(connection: socket.socket) -> None:
        del connection
        may_answer.wait(HANG_SECONDS)

    return behave


@pytest.fixture
def slow(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, may_answer: Event
) -> Iterator[Origin]:
    """A provider that says nothing until it may, and people with all the time in the world."""
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", HANG_SECONDS)
    monkeypatch.setattr(posters, "PAGE_SECONDS", HANG_SECONDS)
    with running_origin() as origin:
        settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{origin.port}"])
        settings.PROVIDER_PACE = {"feed": Pace(1000, 1000)}
        origin.answers["/slow"] = silent_until(may_answer)
        yield origin
        may_answer.set()


@pytest.fixture
def web(slow: Origin, may_answer: Event) -> Iterator[Web]:
    found = Web(UserFactory.create())
    yield found
    may_answer.set()
    found.close()


@pytest.mark.parametrize(
    ("question", "name", "status"),
    [
        (("get", "/watchlist/add/confirm"), "url", 200),
        (("get", "/api/preview"), "url", 429),
        (("post", "/api/watchlist"), "anime_url", 201),
    ],
)
def test_pages_are_there_while_many_ask_a_slow_provider(
    web: Web, slow: Origin, question: tuple[str, str], name: str, status: int
) -> None:
    asked = [
        web.ask(*question, {name: f"{slow.url}/slow?n={n}", "provider_id": "feed"})
        for n in range(3 * THREADS)
    ]
    assert web.get("/watchlist").status_code == 200
    assert web.get("/healthz").status_code == 503  # it answers: no worker runs in a test
    told = list(islice(as_completed(asked, HANG_SECONDS), len(asked) - asking.SEATS))
    assert {one.result().status_code for one in told} == {status}
    assert len(slow.requests) <= asking.SEATS


def test_pages_are_there_while_many_want_slow_posters(web: Web, slow: Origin) -> None:
    for n in range(3 * THREADS):
        address = f"{slow.url}/slow?n={n}"
        item = WatchlistItemFactory.create(user=web.user, poster_image=address)
        web.ask("get", posters.item_poster_url(item), {})
    assert web.get("/watchlist").status_code == 200
    assert len(slow.requests) < posters.PAGE_SEATS


def test_most_posters_and_providers_leave_threads_for_pages() -> None:
    assert THREADS - asking.SEATS - posters.PAGE_SEATS >= 4
