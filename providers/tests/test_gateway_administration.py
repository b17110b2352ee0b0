from __future__ import annotations

import contextlib

import pytest
from django.utils import timezone
from pytest_django import Settings

from providers import gateway, states
from providers.errors import EgressRefused, LayoutChanged, NotFound, Unreachable
from providers.models import ProviderState
from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, redirects, serves
from providers.tests.sample_sites import AlphaAdapter, described

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_sites")]


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


@pytest.mark.parametrize("shown", [b"changed", b""])
def test_whoever_bought_the_old_domain_does_not_become_the_site(
    origin: Origin, other_origin: Origin, shown: bytes
) -> None:
    origin.answers["/series/x"] = redirects(f"{other_origin.url}/series/x", "301 Moved")
    other_origin.answers["/series/x"] = serves(shown)
    with contextlib.suppress(LayoutChanged):
        gateway.list_episodes("alpha", "x", "vf", {})
    assert described("alpha").base_url == origin.url


def test_a_page_with_a_title_alone_does_not_show_that_a_site_has_moved(
    origin: Origin, other_origin: Origin
) -> None:
    origin.answers["/series/x"] = redirects(f"{other_origin.url}/series/x", "301 Moved")
    other_origin.answers["/series/x"] = serves(b"This domain is for sale")
    assert gateway.details("alpha", "x", "vf").title == "This domain is for sale"
    assert described("alpha").base_url == origin.url


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
