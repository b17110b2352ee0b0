"""Search, preview and follow against a real site of each format, on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from providers.demo.site import DemoSite
from providers.safe_url import EgressPolicy
from watchlist.models import Series

pytestmark = pytest.mark.django_db(transaction=True)

CATALOGUES = ("animesama", "nekosama", "animeultime")


@pytest.fixture(scope="module")
def running_site() -> Iterator[DemoSite]:
    with DemoSite() as site:
        yield site


@pytest.fixture
def site(running_site: DemoSite, settings: Settings) -> DemoSite:
    settings.EGRESS_POLICY = EgressPolicy.parse(running_site.allowed_hosts)
    settings.PROVIDER_BASE_URLS = {
        provider_id: running_site.provider_base(provider_id) for provider_id in CATALOGUES
    }
    return running_site


def any_url(site: DemoSite, provider_id: str) -> str:
    return site.url_of(provider_id, site.series_slugs(provider_id)[0])


def test_a_search_asks_every_provider(api: APIClient, site: DemoSite) -> None:
    assert site.port
    body = api.get("/api/search", {"q": "a"}).json()
    assert {hit["provider_id"] for hit in body["results"]} <= set(CATALOGUES)
    first = body["results"][0]
    assert set(first) >= {
        "provider_id", "anime_title", "anime_url", "lang", "poster_image", "synopsis", "genres",
    }  # fmt: skip


def test_a_hit_can_be_followed_and_is_marked_then(api: APIClient, site: DemoSite) -> None:
    assert site.port
    query = {"q": "a", "provider_id": "nekosama"}
    hit = api.get("/api/search", query).json()["results"][0]
    wish = {name: hit[name] for name in ("anime_url", "provider_id", "lang")}
    item = api.post("/api/watchlist", wish)
    assert item.status_code == 201, item.content
    again = api.get("/api/search", query).json()["results"][0]
    assert again["item_id"] == item.json()["id"]


def test_a_broken_provider_breaks_no_search(
    api: APIClient, site: DemoSite, settings: Settings
) -> None:
    broken = {"animesama": "http://127.0.0.1:1/animesama"}
    settings.PROVIDER_BASE_URLS = settings.PROVIDER_BASE_URLS | broken
    assert site.port
    body = api.get("/api/search", {"q": "a"}).json()
    assert "animesama" in body["errors"]
    assert body["errors"]["animesama"]
    assert {hit["provider_id"] for hit in body["results"]} - {"animesama"}


@pytest.mark.parametrize("provider_id", CATALOGUES)
def test_a_pasted_address_is_recognised_and_can_be_followed(
    api: APIClient, site: DemoSite, provider_id: str
) -> None:
    body = api.get("/api/preview", {"url": any_url(site, provider_id)}).json()
    assert body["provider_id"] == provider_id
    assert body["anime_title"]
    assert body["lang"] in body["languages"]
    wish = {"anime_url": body["anime_url"], "provider_id": provider_id, "lang": body["lang"]}
    item = api.post("/api/watchlist", wish)
    assert item.status_code == 201, item.content
    assert item.json()["anime_title"] == body["anime_title"]


def test_a_preview_does_not_tell_that_others_follow_it(
    api: APIClient, other_api: APIClient, site: DemoSite
) -> None:
    url = any_url(site, "nekosama")
    wish = {"anime_url": url, "provider_id": "nekosama"}
    assert other_api.post("/api/watchlist", wish).status_code == 201
    Series.objects.update(episodes_known=9)
    assert api.get("/api/preview", {"url": url}).json()["episodes_known"] is None
    assert other_api.get("/api/preview", {"url": url}).json()["episodes_known"] == 9


def test_an_address_of_another_provider_is_refused_with_an_example(
    api: APIClient, site: DemoSite
) -> None:
    wish = {"anime_url": any_url(site, "nekosama"), "provider_id": "animesama"}
    response = api.post("/api/watchlist", wish)
    assert response.status_code == 400
    assert "looks like" in response.json()["anime_url"][0]


def test_an_old_address_of_a_provider_is_accepted(api: APIClient, site: DemoSite) -> None:
    path = any_url(site, "animesama").removeprefix(site.provider_base("animesama"))
    wish = {"anime_url": f"https://anime-sama.fr{path}", "provider_id": "animesama"}
    response = api.post("/api/watchlist", wish)
    assert response.status_code == 201, response.content
    assert response.json()["anime_url"] == wish["anime_url"]


def test_a_provider_that_does_not_answer_does_not_stop_the_creation(
    api: APIClient, site: DemoSite, settings: Settings
) -> None:
    path = any_url(site, "animesama").removeprefix(site.provider_base("animesama"))
    settings.PROVIDER_BASE_URLS = {"animesama": "http://127.0.0.1:1/animesama"}
    wish = {"anime_url": f"https://anime-sama.fr{path}", "provider_id": "animesama"}
    response = api.post("/api/watchlist", wish)
    assert response.status_code == 201, response.content
    assert response.json()["anime_title"]


def test_a_provider_can_be_tested(admin_api: APIClient, site: DemoSite) -> None:
    assert site.port
    answer = admin_api.post("/api/providers/nekosama/test").json()
    assert answer == {"ok": True, "code": "", "message": ""}


def test_a_failed_test_says_why(admin_api: APIClient, site: DemoSite, settings: Settings) -> None:
    settings.PROVIDER_BASE_URLS = {"nekosama": "http://127.0.0.1:1/nekosama"}
    assert site.port
    answer = admin_api.post("/api/providers/nekosama/test").json()
    assert (answer["ok"], answer["code"]) == (False, "unreachable")


def test_a_provider_can_be_sent_to_another_address(admin_api: APIClient, site: DemoSite) -> None:
    address = f"{site.base_url}/animesama"
    body = admin_api.patch("/api/providers/nekosama", {"base_url": address}).json()
    assert body["base_url"] == address
    body = admin_api.patch("/api/providers/nekosama", {"base_url": ""}).json()
    assert body["base_url"] == site.provider_base("nekosama")
