"""A real feed of two seasons, followed by API and by page: from a check to the progress."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, running_origin, serves
from providers.types import Pace
from watchlist.models import Check, CheckStatus, CheckTrigger, Grab, WatchlistItem
from watchlist.services import checking, due
from watchlist.tests.factories import AdministratorFactory, UserFactory, token_for
from watchlist.tests.grabs import finish

# The threads that ask have connections of their own, so the rows have to be committed.
pytestmark = pytest.mark.django_db(transaction=True)

ENTRY = """<item><title>Salt Road S{season:02}E{number:02}</title><guid>{season}-{number}</guid>
<enclosure url="https://files.example/{season}-{number}.mp4" type="video/mp4" length="9"/></item>"""
PATH = "/salt-road.xml"


class Feed:
    """A feed that shows so many episodes of each season."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.url = f"{origin.url}{PATH}"

    def show(self, *counts: int) -> None:
        entries = "".join(
            ENTRY.format(season=season, number=number)
            for season, count in enumerate(counts, start=1)
            for number in range(1, count + 1)
        )
        body = f'<rss version="2.0"><channel><title>Salt Road</title>{entries}</channel></rss>'
        self._origin.answers[PATH] = serves(body.encode(), Content_Type="application/rss+xml")


@pytest.fixture
def feed(settings: Settings) -> Iterator[Feed]:
    cache.clear()
    with running_origin() as origin:
        settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{origin.port}"])
        settings.PROVIDER_PACE = {"feed": Pace(1000, 4)}
        yield Feed(origin)
        checking.finish(patience_seconds=10)


@pytest.fixture
def api() -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(UserFactory.create())}")
    return client


def follow(api: APIClient, feed: Feed, **fields: Any) -> WatchlistItem:
    wish = {"anime_url": feed.url, "provider_id": "feed"} | fields
    response = api.post("/api/watchlist", wish, format="json")
    return WatchlistItem.objects.get(pk=response.json()["id"])


def check(item: WatchlistItem) -> None:
    asked = due.request_check(item.series, trigger=CheckTrigger.MANUAL)
    checking.run_checks(check_ids=[asked.pk])
    ends_at = time.monotonic() + 30
    while Check.objects.filter(status__in=due.OPEN).exists():
        assert time.monotonic() < ends_at, "the check does not end"
        time.sleep(0.02)
    assert Check.objects.get(pk=asked.pk).status == CheckStatus.SUCCEEDED
    item.refresh_from_db()


def wanted(item: WatchlistItem) -> list[str]:
    grabs = Grab.objects.filter(item=item).order_by("episode__season", "episode__number")
    return list(grabs.values_list("episode__ref", flat=True))


def place(item_id: uuid.UUID) -> tuple[int | None, float | None]:
    item = WatchlistItem.objects.get(pk=item_id)
    number = item.last_episode_downloaded
    return item.last_season_downloaded, None if number is None else float(number)


def reason(api: APIClient, item: WatchlistItem, season: int, number: int) -> str:
    rows = api.get(f"/api/watchlist/{item.pk}/episodes").json()["results"]
    found = (row for row in rows if (row["season"], row["number"]) == (season, number))
    return str(next(found)["reason"])


def test_the_second_season_of_a_feed_follows_the_first(
    api: APIClient, feed: Feed, download_dir: Path
) -> None:
    feed.show(3)
    item = follow(api, feed, last_episode_downloaded=2)
    check(item)
    assert wanted(item) == ["1-3"]
    finish(item, 3, download_dir)
    feed.show(3, 2)
    check(item)
    assert wanted(item) == ["1-3", "2-1", "2-2"]
    finish(item, 1, download_dir, season=2)
    body = api.get(f"/api/watchlist/{item.pk}").json()
    assert (body["last_episode_downloaded"], body["latest_episode"]) == (1, 2)
    assert place(item.pk) == (2, 1)
    assert reason(api, item, 1, 3) == "Already in the library."
    below = "Below the start point: you follow from after episode 1 of season 2."
    assert reason(api, item, 1, 2) == below


def test_a_number_sent_to_the_api_means_the_last_season_that_has_it(
    api: APIClient, feed: Feed
) -> None:
    feed.show(5, 2)
    item = follow(api, feed, auto_download=False)
    check(item)
    for number, season in [(2, 2), (5, 1), (9, 2), (0, 1), (None, None)]:
        body = {"last_episode_downloaded": number}
        answer = api.put(f"/api/watchlist/{item.pk}", body, format="json").json()
        assert answer["last_episode_downloaded"] == number
        assert place(item.pk)[0] == season


def test_a_number_said_on_the_page_is_taken_back_with_its_season(
    api: APIClient, feed: Feed, client: Client
) -> None:
    feed.show(5, 2)
    item = follow(api, feed, auto_download=False)
    check(item)
    api.put(f"/api/watchlist/{item.pk}", {"last_episode_downloaded": 5}, format="json")
    client.force_login(item.user)
    path = f"/watchlist/{item.pk}/settings"
    assert "An episode of season 1: it and all before it" in client.get(path).content.decode()
    form = {"anime_title": "Salt Road", "quality_preference": "auto", "status": "active"}
    client.post(path, form | {"start": "1"})
    assert place(item.pk) == (2, 1)
    undo = client.session["undo"][-1]["key"]
    client.post(f"/watchlist/undo/{undo}")
    assert place(item.pk) == (1, 5)


def test_an_administrator_names_a_number_alone_too(feed: Feed, client: Client) -> None:
    administrator = AdministratorFactory.create()
    api = APIClient()
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token_for(administrator)}")
    feed.show(5, 2)
    item = follow(api, feed, auto_download=False)
    check(item)
    client.force_login(administrator)
    form = {"anime_title": "Salt Road", "quality_preference": "auto", "status": "active"}
    path = f"/admin/watchlist/watchlistitem/{item.pk}/change/"
    client.post(path, form | {"last_episode_downloaded": "4", "genres": "null"})
    assert place(item.pk) == (1, 4)


@pytest.mark.parametrize(
    ("number", "stored", "refs"),
    [
        ("1", (1, 0), ["1-1", "1-2", "1-3", "2-1", "2-2"]),
        ("2", (2, 1), ["2-2"]),
        ("2.5", (1, 2.499), ["1-3", "2-1", "2-2"]),
        ("4", (1, 3), ["2-1", "2-2"]),
    ],
)
def test_the_dialog_counts_what_the_choice_brings(
    feed: Feed,
    client: Client,
    number: str,
    stored: tuple[int, float],
    refs: list[str],
) -> None:
    feed.show(3, 2)
    client.force_login(UserFactory.create())
    asked = {"url": feed.url, "provider": "feed", "number": number}
    counted = client.get("/watchlist/add/confirm", asked, headers={"HX-Request": "true"})
    assert counted.content.decode().startswith(f"{len(refs)} episode")
    form = {"url": feed.url, "provider_id": "feed", "quality": "auto", "auto_download": "on"}
    client.post("/watchlist/add/follow", form | {"start": "number", "number": number})
    item = WatchlistItem.objects.get()
    check(item)
    assert (place(item.pk), wanted(item)) == (stored, refs)


def test_from_the_next_episode_on_leaves_out_all_seasons(feed: Feed, client: Client) -> None:
    feed.show(3, 2)
    client.force_login(UserFactory.create())
    asked = {"url": feed.url, "provider": "feed", "part": "start"}
    dialog = client.get("/watchlist/add/confirm", asked, headers={"HX-Request": "true"})
    assert 'name="latest" value="2"' in dialog.content.decode()
    form = {"url": feed.url, "provider_id": "feed", "quality": "auto", "auto_download": "on"}
    client.post("/watchlist/add/follow", form | {"start": "next", "latest": "2"})
    item = WatchlistItem.objects.get()
    check(item)
    assert wanted(item) == []
    feed.show(3, 3)
    check(item)
    assert wanted(item) == ["2-3"]
