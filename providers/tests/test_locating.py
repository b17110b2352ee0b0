from __future__ import annotations

import pytest
from pytest_django import Settings

from providers import gateway
from providers.errors import EgressRefused, NotASeries, ProviderError
from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin
from providers.tests.sample_sites import described
from providers.tests.spellings import SPELLINGS

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_sites")]


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
