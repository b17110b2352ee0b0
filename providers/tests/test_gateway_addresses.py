from __future__ import annotations

import pytest
from django.utils import timezone
from pytest_django import Settings

from providers import addresses, gateway, states
from providers.errors import (
    EgressRefused,
    NotASeries,
    NotFound,
    ProviderError,
    UnknownProvider,
    Unreachable,
)
from providers.models import ProviderState
from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, redirects, serves
from providers.tests.sample_sites import AlphaAdapter
from providers.tests.spellings import SPELLINGS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_sites")]


def described(provider_id: str) -> gateway.ProviderDescription:
    return next(each for each in gateway.describe() if each.id == provider_id)


# --- Addresses -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://alpha.example/series/a-b/",
        "http://www.old-alpha.example/series/a-b",
        "https://ALPHA.example/series/a-b?x=1",
    ],
)
def test_any_known_domain_leads_to_the_current_address(url: str, origin: Origin) -> None:
    located = gateway.locate("alpha", url)
    assert (located.series_ref, located.url) == ("a-b", f"{origin.url}/series/a-b")
    assert gateway.recognise(url) == ("alpha", located)


def test_the_base_in_use_is_recognised(other_origin: Origin) -> None:
    provider_id, located = gateway.recognise(f"{other_origin.url}/series/x")
    assert (provider_id, located.series_ref) == ("beta", "x")


def test_sites_below_one_host_are_told_apart_by_their_paths(
    settings: Settings, origin: Origin
) -> None:
    settings.PROVIDER_BASE_URLS = {"alpha": f"{origin.url}/a", "beta": f"{origin.url}/a/b"}
    assert gateway.recognise(f"{origin.url}/a/b/series/x")[0] == "beta"
    assert gateway.recognise(f"{origin.url}/a/bc/series/x")[0] == "alpha"
    assert gateway.recognise(f"{origin.url}/feed.xml")[0] == "feed"


def test_what_no_site_knows_may_be_a_feed() -> None:
    provider_id, located = gateway.recognise("https://pod.example/show.xml")
    assert provider_id == "feed"
    assert located.series_ref == "https://pod.example/show.xml"


@pytest.mark.parametrize(
    ("provider_id", "url"),
    [
        ("alpha", "https://alpha.example/"),
        ("alpha", "https://elsewhere.example/series/x"),
        ("alpha", "https://beta.example/series/x"),
        ("feed", "https://alpha.example/series/x"),
    ],
)
def test_another_address_is_refused_with_an_example(provider_id: str, url: str) -> None:
    with pytest.raises(NotASeries) as caught:
        gateway.locate(provider_id, url)
    assert described(provider_id).example_url in str(caught.value)


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_private_addresses_are_refused_at_once(settings: Settings, spelling: str) -> None:
    settings.EGRESS_POLICY = EgressPolicy()
    settings.PROVIDER_BASE_URLS = {}
    url = spelling.replace("{port}", "8123")
    for ask in (gateway.recognise, lambda url: gateway.locate("feed", url)):
        with pytest.raises(ProviderError) as caught:
            ask(url)
        assert isinstance(caught.value, EgressRefused)


def test_an_unknown_provider_is_an_error_of_its_own() -> None:
    for ask in (
        lambda: gateway.locate("nope", "https://x.example/"),
        lambda: gateway.availability("nope"),
        lambda: gateway.search("x", provider_id="nope"),
        lambda: gateway.set_enabled("nope", True),
    ):
        with pytest.raises(UnknownProvider):
            ask()


# --- Administration ---


def test_a_test_clears_the_back_off(origin: Origin) -> None:
    states.record_failure("alpha", Unreachable("down"), timezone.now())
    with pytest.raises(NotFound):
        gateway.test_provider("alpha")
    origin.answers["/"] = serves(b"hello")
    gateway.test_provider("alpha")
    assert described("alpha").health == "ok"
    gateway.availability("alpha")
    gateway.test_provider("feed")


def test_an_administrators_address_wins_and_can_be_taken_back(
    origin: Origin, other_origin: Origin
) -> None:
    states.record_failure("alpha", Unreachable("down"), timezone.now())
    gateway.set_base_url("alpha", f"{other_origin.url}/new/")
    assert described("alpha").base_url == f"{other_origin.url}/new"
    assert gateway.url_of("alpha", "x") == f"{other_origin.url}/new/series/x"
    gateway.availability("alpha")
    gateway.set_base_url("alpha", "")
    assert described("alpha").base_url == origin.url


@pytest.mark.parametrize(
    "url",
    [
        "ftp://alpha.example",
        "alpha.example",
        "http://10.0.0.1",
        "http://localhost:6379",
        "http://2130706433",
        "https://user@alpha.example",
        "https://alpha.example/?q=1",
        "https://alpha.example/#top",
        "https://alpha.example\\@evil.example",
    ],
)
def test_a_bad_address_is_refused(settings: Settings, url: str) -> None:
    settings.EGRESS_POLICY = EgressPolicy()
    with pytest.raises(EgressRefused):
        gateway.set_base_url("alpha", url)
    assert not ProviderState.objects.exclude(base_url="").exists()


def _move(origin: Origin, other_origin: Origin) -> None:
    origin.answers["/series/x"] = redirects(f"{other_origin.url}/series/x", "301 Moved")
    other_origin.answers["/series/x"] = serves(b"one")
    gateway.list_episodes("alpha", "x", "vf", {})


def test_a_moved_site_is_remembered(origin: Origin, other_origin: Origin) -> None:
    _move(origin, other_origin)
    assert described("alpha").base_url == other_origin.url
    gateway.list_episodes("alpha", "x", "vf", {})
    assert len(origin.requests) == 1


def test_a_new_configured_address_ends_a_remembered_move(
    settings: Settings, origin: Origin, other_origin: Origin
) -> None:
    _move(origin, other_origin)
    settings.PROVIDER_BASE_URLS = {"alpha": "https://third.example"}
    assert described("alpha").base_url == "https://third.example"


def test_an_address_that_an_administrator_chose_meanwhile_is_kept(
    origin: Origin, other_origin: Origin
) -> None:
    before = states.state_of("alpha")
    gateway.set_base_url("alpha", "https://chosen.example")
    states.remember_move(AlphaAdapter, before, other_origin.url)
    assert described("alpha").base_url == "https://chosen.example"


def test_a_move_away_from_an_administrators_address_is_followed(
    settings: Settings, origin: Origin, other_origin: Origin
) -> None:
    settings.PROVIDER_BASE_URLS = {}
    gateway.set_base_url("alpha", origin.url)
    _move(origin, other_origin)
    assert described("alpha").base_url == other_origin.url


def test_a_provider_without_an_address_is_off_until_it_has_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = ProviderState(provider_id="nekosama")
    assert not states.is_enabled(state)
    settings.PROVIDER_BASE_URLS = {"nekosama": "https://neko.example"}
    assert states.is_enabled(state)
    assert states.is_enabled(ProviderState(provider_id="animesama"))


def test_a_private_address_is_refused_with_the_name_of_the_variable_that_allows_it() -> None:
    with pytest.raises(EgressRefused, match="ALLOWED_PRIVATE_HOSTS"):
        addresses.check_base_url("http://10.1.2.3/site", EgressPolicy())
