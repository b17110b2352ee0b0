"""Addresses as people type them."""

from __future__ import annotations

import pytest
from django.test import Client

from watchlist.tests.factories import UserFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> Client:
    client = Client()
    client.force_login(UserFactory.create())
    return client


@pytest.mark.parametrize(
    "page",
    ["watchlist", "watchlist/add", "downloads", "settings", "stats", "calendar", "setup"],
)
def test_a_slash_at_the_end_leads_to_the_same_page(reader: Client, page: str) -> None:
    response = reader.get(f"/{page}/?status=active")
    assert (response.status_code, response["Location"]) == (302, f"/{page}?status=active")


def test_a_slash_after_a_series_leads_to_it(reader: Client) -> None:
    item = WatchlistItemFactory.create()
    assert reader.get(f"/watchlist/{item.pk}/")["Location"] == f"/watchlist/{item.pk}"


@pytest.mark.parametrize("address", ["/watchlist//", "/nowhere/", "/pulse/"])
def test_other_addresses_get_no_such_help(reader: Client, address: str) -> None:
    assert reader.get(address).status_code == 404
