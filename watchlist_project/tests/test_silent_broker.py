"""A broker that accepts connections and never answers holds nobody up but the first who asks."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest
import redis
from django.conf import settings as product
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from downloads import messages, wakeup
from providers import breaker
from providers.breaker import Breaker
from watchlist.models import Check
from watchlist.tests.factories import WatchlistItemFactory
from watchlist_project import cache as bounded_cache
from watchlist_project.broker import client_url

HOUR = 3600.0


class SilentServer:
    """Takes every connection and what is sent on it; says nothing."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._taken: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()
        self.url = f"redis://127.0.0.1:{self._listener.getsockname()[1]}/0"

    @property
    def taken(self) -> int:
        return len(self._taken)

    def close(self) -> None:
        for taken in (self._listener, *self._taken):
            taken.close()

    def _accept(self) -> None:
        while True:
            try:
                self._taken.append(self._listener.accept()[0])
            except OSError:
                return


@pytest.fixture
def broker_breaker(monkeypatch: pytest.MonkeyPatch) -> Breaker:
    """One that forgets nothing while a test lasts, in the place of the program's own."""
    patient = Breaker(rest_seconds=HOUR)
    monkeypatch.setattr(messages, "broker_breaker", patient)
    monkeypatch.setattr(bounded_cache, "broker_breaker", patient)
    return patient


@pytest.fixture
def silent(settings: Settings, broker_breaker: Breaker) -> Iterator[SilentServer]:
    server = SilentServer()
    settings.REDIS_URL = settings.CELERY_BROKER_URL = server.url
    location = {"LOCATION": server.url}
    settings.CACHES = {"default": product.CACHES["default"] | location}
    yield server
    server.close()


@pytest.mark.django_db(transaction=True)
def test_pages_ask_a_silent_broker_once_and_go_on(client: Client, silent: SilentServer) -> None:
    item = WatchlistItemFactory.create()
    client.force_login(item.user)
    for page in ("/watchlist", "/downloads", "/settings", f"/watchlist/{item.pk}", "/stats"):
        assert "Message broker down" in client.get(page).content.decode()
    assert client.post(f"/watchlist/{item.pk}/check").status_code == 303
    assert Check.objects.get().series_id == item.series_id
    assert silent.taken == 1


@pytest.mark.django_db(transaction=True)
def test_the_api_asks_a_silent_broker_once_and_goes_on(
    client: Client, silent: SilentServer
) -> None:
    item = WatchlistItemFactory.create()
    client.force_login(item.user)
    for _ in range(3):
        assert client.post(f"/api/watchlist/{item.pk}/check").status_code == 202
    assert silent.taken == 1


def test_messages_are_given_up_after_the_first_that_is_not_taken(silent: SilentServer) -> None:
    wakeup._send(5)
    assert silent.taken == 1


def test_a_silent_broker_is_asked_again_after_a_rest(
    silent: SilentServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for expected in (1, 2):
        with pytest.raises(redis.RedisError):
            cache.get("anything")
        assert silent.taken == expected
        with pytest.raises(redis.RedisError):
            cache.get("anything")
        assert silent.taken == expected
        monkeypatch.setattr(breaker, "monotonic", lambda: time.monotonic() + HOUR)


def test_senders_wait_for_an_answer_no_longer_than_pages_may(silent: SilentServer) -> None:
    producers = messages._producers(0, silent.url)
    options = producers.connections.connection.transport_options
    patience = messages.ANSWER_SECONDS
    assert (options["socket_timeout"], options["socket_connect_timeout"]) == (patience, patience)
    assert product.CACHES["default"]["OPTIONS"] == {
        "socket_timeout": patience,
        "socket_connect_timeout": patience,
    }


def test_a_broker_that_refuses_is_asked_again_at_once(
    settings: Settings, broker_breaker: Breaker
) -> None:
    away = {"LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": product.CACHES["default"] | away}
    settings.CELERY_BROKER_URL = away["LOCATION"]
    with pytest.raises(redis.RedisError):
        cache.get("anything")
    wakeup._send(1)
    assert not broker_breaker.is_open


def test_a_message_reaches_a_broker_that_is_well(broker_breaker: Breaker) -> None:
    wakeup._send(2)
    broker = redis.Redis.from_url(client_url(product.REDIS_URL, database=0))
    assert broker.llen("tsuzuku:downloads") == 2
    assert not broker_breaker.is_open


@pytest.mark.django_db
def test_somebody_can_sign_in_while_the_broker_is_silent(
    client: Client, silent: SilentServer
) -> None:
    User.objects.create_user("mei", password="a long enough one")
    answer = client.post("/accounts/login/", {"username": "mei", "password": "a long enough one"})
    assert answer.status_code == 302
    assert silent.taken <= 1
