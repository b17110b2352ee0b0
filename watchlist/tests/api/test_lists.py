"""Filters, order, pages and cost of the watchlist."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries
from rest_framework.test import APIClient

from watchlist.models import ItemStatus
from watchlist.tests.factories import SeriesFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


def titles(api: APIClient, query: str = "") -> list[str]:
    response = api.get(f"/api/watchlist?{query}")
    assert response.status_code == 200, response.content
    return [item["anime_title"] for item in response.json()["results"]]


def test_a_list_counts_and_links_its_pages(api: APIClient, owner: User) -> None:
    for number in range(5):
        WatchlistItemFactory.create(user=owner, anime_title=f"Series {number}")
    body = api.get("/api/watchlist?page=2&page_size=2").json()
    assert body["count"] == 5
    assert "page=3" in body["next"]
    assert "page_size=2" in body["previous"]
    assert [item["anime_title"] for item in body["results"]] == ["Series 2", "Series 3"]


def test_a_list_shows_nobody_elses_items(api: APIClient) -> None:
    WatchlistItemFactory.create()
    assert api.get("/api/watchlist").json() == {
        "count": 0, "next": None, "previous": None, "results": [],
    }  # fmt: skip


def test_titles_are_sorted_without_regard_to_case(api: APIClient, owner: User) -> None:
    for title in ("b", "A", "C"):
        WatchlistItemFactory.create(user=owner, anime_title=title)
    assert titles(api) == ["A", "b", "C"]
    assert titles(api, "ordering=-anime_title") == ["C", "b", "A"]


def test_statuses_can_be_filtered(api: APIClient, owner: User) -> None:
    WatchlistItemFactory.create(user=owner, anime_title="on")
    WatchlistItemFactory.create(user=owner, anime_title="off", status=ItemStatus.PAUSED)
    assert titles(api, "status=paused") == ["off"]
    assert titles(api, "status=paused,active") == ["off", "on"]
    assert titles(api, "status=archived") == []


def test_providers_can_be_filtered(api: APIClient, owner: User) -> None:
    WatchlistItemFactory.create(user=owner, anime_title="here")
    WatchlistItemFactory.create(user=owner, series__provider_id="feed", anime_title="there")
    assert titles(api, "provider_id=feed") == ["there"]
    assert titles(api, "provider_id=unknown") == []


def test_a_search_finds_words_in_any_order(api: APIClient, owner: User) -> None:
    WatchlistItemFactory.create(user=owner, anime_title="The Salt Road")
    WatchlistItemFactory.create(user=owner, anime_title="Salt")
    assert titles(api, "search=road+salt") == ["The Salt Road"]
    assert titles(api, "search=%25") == []
    assert titles(api, "search=SALT") == ["Salt", "The Salt Road"]


def test_empty_parameters_do_not_filter(api: APIClient, owner: User) -> None:
    WatchlistItemFactory.create(user=owner, anime_title="x")
    query = "status=&provider_id=&search=&ordering=&page=1&page_size="
    assert titles(api, query) == ["x"]


def test_unknown_parameters_are_ignored(api: APIClient, owner: User) -> None:
    WatchlistItemFactory.create(user=owner, anime_title="x")
    assert titles(api, "user=1&limit=1000000000000000000000000&offset=-1") == ["x"]


@pytest.mark.parametrize("name", ["next_check_at", "last_checked_at", "latest_episode"])
def test_what_is_unknown_comes_last(api: APIClient, owner: User, name: str) -> None:
    for title, step in (("late", 2), ("early", 1)):
        moment = timezone.now() + timedelta(hours=step)
        series = SeriesFactory.create(
            next_check_at=moment, last_checked_at=moment, latest_episode=Decimal(step)
        )
        WatchlistItemFactory.create(user=owner, series=series, anime_title=title)
    nothing = SeriesFactory.create(next_check_at=None, last_checked_at=None)
    WatchlistItemFactory.create(user=owner, series=nothing, anime_title="never")
    assert titles(api, f"ordering={name}") == ["early", "late", "never"]
    assert titles(api, f"ordering=-{name}") == ["late", "early", "never"]


@pytest.mark.parametrize("name", ["created_at", "updated_at", "status"])
def test_every_named_order_is_accepted(api: APIClient, owner: User, name: str) -> None:
    WatchlistItemFactory.create_batch(2, user=owner)
    assert titles(api, f"ordering={name}") == titles(api, f"ordering=-{name}")[::-1] or (
        name == "status"
    )


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=gone", "status"),
        ("status=active,gone", "status"),
        ("ordering=password", "ordering"),
        ("ordering=user__password", "ordering"),
        ("provider_id=../x", "provider_id"),
        (f"search={'x' * 101}", "search"),
    ],
)
def test_a_bad_filter_is_named(api: APIClient, query: str, named: str) -> None:
    response = api.get(f"/api/watchlist?{query}")
    assert response.status_code == 400
    assert list(response.json()) == [named]


@pytest.mark.parametrize(
    "page", ["2", "0", "-1", "x", "1e9", str(10**24), "9" * 5000, "%00", "1.5", "%ff"]
)
def test_a_page_that_is_not_there_is_a_404(api: APIClient, page: str) -> None:
    response = api.get(f"/api/watchlist?page={page}")
    assert response.status_code == 404
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("size", ["0", "-1", "x", str(10**24), "9" * 5000, "%00", "201"])
def test_a_page_never_has_more_than_200_rows(api: APIClient, owner: User, size: str) -> None:
    series = SeriesFactory.create_batch(3)
    for row in series:
        WatchlistItemFactory.create(user=owner, series=row)
    response = api.get(f"/api/watchlist?page_size={size}")
    assert response.status_code == 200
    assert len(response.json()["results"]) == 3


@pytest.mark.parametrize("count", [1, 50])
def test_a_list_costs_the_same_queries_however_long(
    api: APIClient,
    owner: User,
    count: int,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    for _ in range(count):
        WatchlistItemFactory.create(user=owner)
    api.get("/api/watchlist")
    with django_assert_max_num_queries(4):
        body: dict[str, Any] = api.get("/api/watchlist?page_size=50").json()
    assert len(body["results"]) == count


def test_an_id_is_a_uuid_string(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    body = api.get("/api/watchlist").json()["results"][0]
    assert uuid.UUID(body["id"]) == item.pk
