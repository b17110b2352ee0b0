"""What a search says without a script, when each provider has answered."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django import Settings

from providers import gateway
from providers.demo.site import DemoSite
from providers.safe_url import EgressPolicy
from watchlist.tests.factories import UserFactory

pytestmark = pytest.mark.django_db(transaction=True)
CATALOGUES = ("animesama", "animeultime", "nekosama")


@pytest.fixture
def site(settings: Settings) -> Iterator[DemoSite]:
    with DemoSite() as made:
        settings.EGRESS_POLICY = EgressPolicy.parse(made.allowed_hosts)
        settings.PROVIDER_BASE_URLS = {one: made.provider_base(one) for one in CATALOGUES}
        yield made


def searched(client: Client) -> str:
    client.force_login(UserFactory.create())
    return client.get("/watchlist/add?q=zzzzqq&wait=1").content.decode()


def test_each_provider_that_finds_nothing_says_so(client: Client, site: DemoSite) -> None:
    site.faults.challenge("/nekosama")
    page = searched(client)
    assert re.findall('id="site-([a-z]+)"', page) == list(CATALOGUES)
    assert page.count("Nothing found here.") == 2
    assert page.count("The provider blocks us") == 1
    assert "No provider can be searched" not in page


def test_without_a_provider_to_search_the_page_says_so(client: Client, site: DemoSite) -> None:
    assert site.port
    for one in CATALOGUES:
        gateway.set_enabled(one, enabled=False)
    assert "No provider can be searched" in searched(client)
