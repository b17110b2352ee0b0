"""The episode list: where each stands and why; download and ignore by hand."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from downloads.models import Download
from downloads.states import State
from watchlist.models import Grab, WatchlistItem
from watchlist.tests.factories import (
    DecisionFactory,
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(owner: User) -> WatchlistItem:
    item = WatchlistItemFactory.create(user=owner, last_episode_downloaded=Decimal(1))
    for number in (1, 2, 3):
        EpisodeFactory.create(series=item.series, number=Decimal(number), title=f"Part {number}")
    return item


def episodes(api: APIClient, item: WatchlistItem, query: str = "") -> list[dict[str, Any]]:
    response = api.get(f"/api/watchlist/{item.pk}/episodes?{query}")
    assert response.status_code == 200, response.content
    results: list[dict[str, Any]] = response.json()["results"]
    return results


def grab(item: WatchlistItem, number: int, download: Download) -> Grab:
    episode = item.series.episodes.get(number=number, is_special=False)
    return GrabFactory.create(item=item, episode=episode, download=download)


def test_an_episode_says_where_it_stands_and_why(api: APIClient, item: WatchlistItem) -> None:
    first, second, _ = episodes(api, item)
    assert (first["number"], first["state"], first["reason_code"]) == (1, "skipped", "below_start")
    assert first["reason"] == "Below the start point: you follow from after episode 1."
    assert (second["state"], second["reason_code"]) == ("wanted", "wanted")
    assert second["title"] == "Part 2"
    assert second["download_id"] is None
    assert second["first_seen_at"].endswith("Z")


@pytest.mark.parametrize(
    ("columns", "state", "reason"),
    [
        ({"completed": True}, "downloaded", "in_library"),
        ({"kept": True}, "downloaded", "already_in_library"),
        ({"running": True}, "downloading", "running"),
        ({"failed": True}, "failed", "no_usable_player"),
        ({}, "queued", "queued"),
        ({"state": State.PAUSED}, "queued", "paused_by_user"),
        ({"state": State.BLOCKED, "reason_code": "disk_low"}, "queued", "disk_low"),
    ],
)
def test_a_download_decides_the_state(
    api: APIClient, item: WatchlistItem, columns: dict[str, Any], state: str, reason: str
) -> None:
    download = DownloadFactory.create(**columns)
    grab(item, 2, download)
    shown = episodes(api, item)[1]
    assert (shown["state"], shown["reason_code"]) == (state, reason)
    assert shown["download_id"] == str(download.pk)
    assert shown["reason"]


def test_a_queued_one_waits_when_all_slots_are_taken(api: APIClient, item: WatchlistItem) -> None:
    for _ in range(3):
        DownloadFactory.create(running=True)
    grab(item, 2, DownloadFactory.create())
    assert episodes(api, item)[1]["reason_code"] == "waiting_for_slot"


def test_one_that_failed_before_says_until_when_it_waits(
    api: APIClient, item: WatchlistItem
) -> None:
    later = timezone.now() + timedelta(minutes=5)
    grab(item, 2, DownloadFactory.create(not_before=later, reason_code="unreachable", attempts=1))
    shown = episodes(api, item)[1]
    assert shown["reason_code"] == "waiting_after_failure"
    assert "the site did not answer" in shown["reason"]


def test_specials_come_after_the_regular_episodes(api: APIClient, item: WatchlistItem) -> None:
    EpisodeFactory.create(
        series=item.series, number=Decimal(1), season=0, is_special=True, ref="special"
    )
    shown = [(row["number"], row["season"], row["is_special"]) for row in episodes(api, item)]
    assert shown == [(1, 1, False), (2, 1, False), (3, 1, False), (1, 0, True)]


def test_episodes_can_be_ordered_and_filtered(api: APIClient, item: WatchlistItem) -> None:
    assert [row["number"] for row in episodes(api, item, "ordering=-number")] == [3, 2, 1]
    assert [row["number"] for row in episodes(api, item, "state=wanted")] == [2, 3]
    assert [row["number"] for row in episodes(api, item, "state=wanted,skipped")] == [1, 2, 3]
    assert [row["number"] for row in episodes(api, item, "page=2&page_size=2")] == [3]


@pytest.mark.parametrize("query", ["state=gone", "ordering=url"])
def test_a_bad_filter_is_refused(api: APIClient, item: WatchlistItem, query: str) -> None:
    assert api.get(f"/api/watchlist/{item.pk}/episodes?{query}").status_code == 400


def test_a_fractional_number_is_a_json_number(api: APIClient, item: WatchlistItem) -> None:
    EpisodeFactory.create(series=item.series, number=Decimal("12.5"))
    assert episodes(api, item)[-1]["number"] == 12.5


@pytest.mark.parametrize("count", [1, 100])
def test_a_list_costs_the_same_queries_however_long(
    api: APIClient,
    owner: User,
    count: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    item = WatchlistItemFactory.create(user=owner)
    for number in range(count):
        episode = EpisodeFactory.create(series=item.series, number=Decimal(number))
        GrabFactory.create(item=item, episode=episode)
    api.get("/api/watchlist")
    with django_assert_max_num_queries(9):
        assert len(episodes(api, item, "page_size=200")) == count


def test_one_episode_can_be_downloaded_by_hand(api: APIClient, item: WatchlistItem) -> None:
    first = episodes(api, item)[0]
    response = api.post(f"/api/watchlist/{item.pk}/episodes/{first['id']}/download")
    body = response.json()
    assert response.status_code == 202
    assert response["Location"] == f"/api/downloads/{body['id']}"
    assert (body["state"], body["episode_number"], body["item_id"]) == ("queued", 1, str(item.pk))
    assert not Download.objects.get().is_automatic
    assert api.get(f"/api/watchlist/{item.pk}/episodes/{first['id']}").json()["state"] == "queued"


def test_asking_twice_gives_the_same_download(api: APIClient, item: WatchlistItem) -> None:
    first = episodes(api, item)[0]
    path = f"/api/watchlist/{item.pk}/episodes/{first['id']}/download"
    assert api.post(path).json()["id"] == api.post(path).json()["id"]


def test_an_episode_of_another_series_is_not_found(api: APIClient, item: WatchlistItem) -> None:
    foreign = EpisodeFactory.create()
    for path in ("", "/download", "/ignore"):
        url = f"/api/watchlist/{item.pk}/episodes/{foreign.pk}{path}"
        response = api.get(url) if not path else api.post(url)
        assert response.status_code == 404


def test_an_episode_can_be_ignored_and_taken_back(api: APIClient, item: WatchlistItem) -> None:
    third = episodes(api, item)[2]
    path = f"/api/watchlist/{item.pk}/episodes/{third['id']}"
    ignored = api.post(f"{path}/ignore").json()
    assert (ignored["state"], ignored["reason_code"]) == ("skipped", "ignored")
    back = api.post(f"{path}/unignore").json()
    assert back["state"] in {"wanted", "queued"}
    assert back["is_ignored"] is False


def test_another_users_choice_does_not_show(api: APIClient, item: WatchlistItem) -> None:
    theirs = WatchlistItemFactory.create(series=item.series)
    second = item.series.episodes.get(number=2)
    DecisionFactory.create(item=theirs, episode=second, is_ignored=True, code="ignored")
    GrabFactory.create(item=theirs, episode=second, download=DownloadFactory.create(completed=True))
    shown = episodes(api, item)[1]
    assert (shown["state"], shown["download_id"]) == ("wanted", None)
