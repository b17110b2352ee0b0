"""What others write to the cache's server is never read: it counts as absent."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.cache import cache
from django.test import Client

from watchlist_project.broker import client_url


class Exploit:
    """Makes a file as soon as somebody unpickles it."""

    def __init__(self, mark: Path) -> None:
        self._mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self._mark,)


def write(key: str, value: bytes) -> None:
    """As somebody does who reaches the server, but does not know the secret key."""
    server = redis.Redis.from_url(client_url(settings.REDIS_URL))
    server.set(cache.make_key(key), value)


@pytest.mark.django_db
def test_nothing_that_others_wrote_is_run(client: Client, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    cache.set("worker:downloads", "now", 60)
    write("worker:checks", pickle.dumps(Exploit(mark)))
    assert client.get("/healthz").json()["workers"] == "missing"
    assert not mark.exists()


@pytest.mark.parametrize(
    "foreign", [b"", b"1", b'"now"', b"[]", b"\xff\xfe", b"Im5vdyI:forged", b"Im5vdyI"]
)
def test_foreign_bytes_count_as_absent(foreign: bytes) -> None:
    write("anything", foreign)
    assert cache.get("anything") is None
    assert cache.get("anything", []) == []
    assert cache.get_many(["anything"]) == {}


@pytest.mark.parametrize("value", ["now", 1, 0.1, None, True, [1.5, 2.5], {"a": ["é\u202e"]}])
def test_our_own_values_come_back(value: object) -> None:
    cache.set("ours", value, 60)
    assert cache.get("ours", "absent") == value
    assert cache.get_many(["ours", "other"]) == {"ours": value}
