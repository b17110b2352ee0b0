"""Confirming an add: what the dialog was told is not asked for again."""

from __future__ import annotations

from collections.abc import Iterator
from threading import BoundedSemaphore

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from providers.models import ProviderState
from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, running_origin, serves, stays_silent
from providers.tests.sites.test_animesama import BASE, SCRIPT, SEASON, WORK
from providers.types import Pace
from watchlist.models import WatchlistItem
from watchlist.services import asking
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


def test_a_site_that_is_slow_to_list_its_episodes_is_not_waited_for(
    client: Client, user: User, site: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.5)
    query = {"url": ADDRESS, "provider": "animesama"}
    dialog = client.get("/watchlist/add/confirm", query, headers={"HX-Request": "true"})
    assert "counting…" in dialog.content.decode()
    site.answers[f"{SEASON_PATH}episodes.js"] = stays_silent()
    assert "could not be counted: The provider did not answer" in confirm(client, part="start")
    # The wait was cut short: an answer that does not come in a request's own time is held against
    # the provider.
    assert ProviderState.objects.get(provider_id="animesama").last_error_code == ""


@pytest.fixture
def no_seat(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everybody who may wait for a provider does."""
    monkeypatch.setattr(asking, "_seats", BoundedSemaphore(1))
    asking._seats.acquire()


@pytest.mark.usefixtures("no_seat")
def test_who_finds_no_seat_is_told_and_may_follow_all_the_same(
    client: Client, user: User, site: Origin
) -> None:
    page = confirm(client)
    assert "Too much is being asked just now: try again in a moment." in page
    assert "You can follow it all the same" in page
    assert follow(client) == 303
    assert site.requests == []
    assert WatchlistItem.objects.get(user=user).is_title_guessed


@pytest.mark.usefixtures("no_seat")
def test_a_search_that_finds_no_seat_is_begun_again(
    client: Client, user: User, site: Origin
) -> None:
    query = {"q": "x", "provider": "animesama"}
    part = client.get("/watchlist/add/search", query, headers={"HX-Request": "true"})
    assert 'hx-trigger="load delay:3s"' in part.content.decode()
    whole = client.get("/watchlist/add", query | {"wait": "1"}).content.decode()
    assert "Too much is being asked just now: try again in a moment." in whole
    assert 'href="/watchlist/add?q=x&amp;wait=1">Try again</a>' in whole
    assert site.requests == []


@pytest.mark.usefixtures("no_seat")
@pytest.mark.parametrize("path", [f"/api/preview?url={ADDRESS}", "/api/search?q=x"])
def test_a_program_that_finds_no_seat_is_told_when_to_come_back(
    client: Client, user: User, site: Origin, path: str
) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (429, "busy")
    assert int(answer["Retry-After"]) > 0
    assert site.requests == []


def test_a_site_that_does_not_answer_is_waited_for_once(
    client: Client, user: User, site: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "PATIENCE_SECONDS", 0.5)
    site.answers = {path: stays_silent() for path in PAGES}
    page = confirm(client)
    assert "You can follow it all the same" in page
    assert "could not be counted: The provider did not answer" in page
    assert len(site.requests) == 1
