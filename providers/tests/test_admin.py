from __future__ import annotations

from importlib import import_module

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from providers import states
from providers.errors import Unreachable
from providers.models import ProviderState
from providers.tests.origin import Origin, serves

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_sites")]

LIST = "admin:providers_providerstate_changelist"
ROW = "admin:providers_providerstate_change"


@pytest.fixture(autouse=True)
def uncollected_files(settings: Settings) -> None:
    """Pages are rendered without a `collectstatic` before."""
    plain = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    settings.STORAGES = {**settings.STORAGES, "staticfiles": plain}


@pytest.fixture
def row() -> ProviderState:
    return ProviderState.objects.create(provider_id="alpha")


def act(client: Client, action: str) -> str:
    answer = client.post(
        reverse(LIST), {"action": action, "_selected_action": ["alpha"]}, follow=True
    )
    return answer.content.decode()


def test_every_provider_is_listed_from_the_start(admin_client: Client) -> None:
    # The migration once more: a test that commits empties the tables for all after it.
    (fill,) = import_module("providers.migrations.0002_known_providers").Migration.operations
    fill.code(apps, connection.schema_editor())
    page = admin_client.get(reverse(LIST)).content.decode()
    for provider_id in ("animesama", "nekosama", "animeultime", "feed"):
        assert provider_id in page


def test_a_provider_is_switched_off_and_on(admin_client: Client, row: ProviderState) -> None:
    act(admin_client, "switch_off")
    assert not states.is_enabled(states.state_of("alpha"))
    act(admin_client, "switch_on")
    assert states.is_enabled(states.state_of("alpha"))


def test_a_test_ends_the_back_off_or_says_why(
    admin_client: Client, row: ProviderState, origin: Origin
) -> None:
    states.record_failure("alpha", Unreachable("down"), timezone.now())
    assert "404" in act(admin_client, "try_now")
    origin.answers["/"] = serves(b"hello")
    act(admin_client, "try_now")
    assert states.state_of("alpha").retry_at is None


def test_the_address_is_checked_and_written(
    admin_client: Client, row: ProviderState, origin: Origin
) -> None:
    url = reverse(ROW, args=["alpha"])
    assert origin.url in admin_client.get(url).content.decode()
    refused = admin_client.post(url, {"enabled": "unknown", "base_url": "http://10.0.0.1"})
    assert refused.status_code == 200
    row.refresh_from_db()
    assert row.base_url == ""
    admin_client.post(url, {"enabled": "unknown", "base_url": "https://new.example/"})
    row.refresh_from_db()
    assert (row.base_url, row.is_base_url_manual) == ("https://new.example", True)
    assert row.enabled is None


def test_a_provider_without_one_site_gets_no_address(admin_client: Client) -> None:
    ProviderState.objects.get_or_create(provider_id="feed")
    url = reverse(ROW, args=["feed"])
    answer = admin_client.post(url, {"enabled": "unknown", "base_url": "https://feeds.example"})
    assert "has no address of its own" in answer.content.decode()
    assert ProviderState.objects.get(pk="feed").base_url == ""


def test_rows_are_neither_added_nor_deleted(admin_client: Client, row: ProviderState) -> None:
    assert admin_client.get(reverse("admin:providers_providerstate_add")).status_code == 403
    delete = reverse("admin:providers_providerstate_delete", args=["alpha"])
    assert admin_client.post(delete, {"post": "yes"}).status_code == 403


def test_others_may_not_enter(client: Client, row: ProviderState) -> None:
    client.force_login(User.objects.create_user("someone"))
    assert client.get(reverse(LIST)).status_code == 302
