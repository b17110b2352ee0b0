"""Confirming an add: what the dialog was told is not asked for again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, running_origin, serves
from providers.tests.sites.test_animesama import BASE, SCRIPT, SEASON, WORK
from providers.types import Pace
from watchlist.models import WatchlistItem
from watchlist.tests.factories import UserFactory

pytestmark = pytest.mark.django_db
SEASON_PATH = f"{BASE}saison1/vostfr/"
PAGES = {BASE: WORK, SEASON_PATH: SEASON, f"{SEASON_PATH}episodes.js": SCRIPT}
ADDRESS = f"https://anime-sama.to{SEASON_PATH}"


@pytest.fixture
def site(settings: Settings) -> Iterator[Origin]:
    cache.clear()
    with running_origin() as origin:
        settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{origin.port}"])
        settings.PROVIDER_BASE_URLS = {"animesama": origin.url}
        settings.PROVIDER_PACE = {"animesama": Pace(500, 20)}
        origin.answers.update({path: serves(body) for path, body in PAGES.items()})
        yield origin


@pytest.fixture
def user(client: Client) -> User:
    made: User = UserFactory.create()
    client.force_login(made)
    return made


def confirm(client: Client, **query: str) -> str:
    asked = {"url": ADDRESS, "provider": "animesama"} | query
    return client.get("/watchlist/add/confirm", asked).content.decode()


def follow(client: Client) -> int:
    form = {"url": ADDRESS, "provider_id": "animesama", "lang": "vostfr", "start": "all"}
    return client.post("/watchlist/add/follow", form | {"quality": "auto"}).status_code


@pytest.mark.parametrize("query", [{}, {"lang": "vostfr"}], ids=["pasted", "a hit"])
def test_a_series_is_added_with_what_the_dialog_was_told(
    client: Client, user: User, site: Origin, query: dict[str, str]
) -> None:
    assert "do-follow" in confirm(client, **query)
    told = len(site.requests)
    confirm(client, part="start", **query)
    assert follow(client) == 303
    assert len(site.requests) == told
    item = WatchlistItem.objects.get(user=user)
    assert item.series.details_at is not None
    assert item.series.ref.endswith("/saison1/vostfr")


def test_an_address_that_no_dialog_showed_is_asked_for(
    client: Client, user: User, site: Origin
) -> None:
    assert follow(client) == 303
    assert site.requests
    assert WatchlistItem.objects.filter(user=user).exists()


def test_a_site_that_did_not_answer_is_asked_again(
    client: Client, user: User, site: Origin
) -> None:
    pages, site.answers = site.answers, {}
    confirm(client)
    site.answers = pages
    before = len(site.requests)
    confirm(client)
    assert len(site.requests) > before
