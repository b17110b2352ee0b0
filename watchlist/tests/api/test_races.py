"""The same wish from several requests at once is fulfilled once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.contrib.auth.models import User
from django.db import connection
from rest_framework.test import APIClient

from downloads.models import Download
from watchlist.models import Check, Series, WatchlistItem
from watchlist.tests.api.conftest import FeedServer
from watchlist.tests.factories import EpisodeFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db(transaction=True)

COUNT = 4


def at_once(
    client_for: Callable[[User], APIClient], user: User, path: str, body: object
) -> list[int]:
    """Send the same request several times together; the statuses, sorted."""
    clients = [client_for(user) for _ in range(COUNT)]
    start = Barrier(COUNT)

    def send(client: APIClient) -> int:
        try:
            start.wait()
            return client.post(path, body).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(COUNT) as pool:
        return sorted(pool.map(send, clients))


def test_a_series_is_followed_once(
    signed_in: Callable[[User], APIClient], owner: User, feed: FeedServer
) -> None:
    wish = {"anime_url": feed.url("feed-race"), "provider_id": "feed"}
    assert at_once(signed_in, owner, "/api/watchlist", wish) == [201, 409, 409, 409]
    assert (WatchlistItem.objects.count(), Series.objects.count()) == (1, 1)


def test_a_series_is_checked_once(signed_in: Callable[[User], APIClient], owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    path = f"/api/watchlist/{item.pk}/check"
    assert at_once(signed_in, owner, path, {}) == [202] * COUNT
    assert Check.objects.count() == 1


def test_an_episode_is_downloaded_once(signed_in: Callable[[User], APIClient], owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    episode = EpisodeFactory.create(series=item.series)
    path = f"/api/watchlist/{item.pk}/episodes/{episode.pk}/download"
    assert at_once(signed_in, owner, path, {}) == [202] * COUNT
    assert Download.objects.count() == 1
