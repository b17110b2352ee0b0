from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from providers import gateway, states
from providers.safe_url import EgressPolicy
from watchlist.tests.factories import AdministratorFactory, ProfileFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def user(client: Client) -> User:
    states.forget_cache()
    made: User = AdministratorFactory.create()
    client.force_login(made)
    return made


@pytest.fixture
def site(settings: Settings) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base's name
            del format, args

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    port = server.server_address[1]
    settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{port}"])
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{port}"
    server.shutdown()
    server.server_close()
    thread.join()


def described(provider_id: str) -> gateway.ProviderDescription:
    return next(provider for provider in gateway.describe() if provider.id == provider_id)


def test_every_provider_has_a_card(client: Client) -> None:
    html = client.get("/settings/providers").content.decode()
    for provider in gateway.describe():
        assert f'id="provider-{provider.id}"' in html


def test_switching_off_can_be_undone(client: Client) -> None:
    response = client.post("/settings/providers/animesama/off", headers=HTMX)
    assert not described("animesama").enabled
    assert "Switch on" in response.content.decode()
    client.post(json.loads(response["HX-Trigger"])["toast"]["undo"])
    assert described("animesama").enabled


def test_the_address_is_changed_and_taken_back(client: Client, site: str) -> None:
    client.post("/settings/providers/animesama/address", {"animesama-base_url": site})
    assert described("animesama").base_url == site
    client.post("/settings/providers/animesama/address", {"animesama-base_url": ""})
    assert described("animesama").base_url != site


@pytest.mark.parametrize(
    "address", ["file:///etc/passwd", "http://192.168.0.1", "javascript:alert(1)", "nonsense"]
)
def test_an_address_that_may_not_be_visited_is_explained(client: Client, address: str) -> None:
    before = described("animesama").base_url
    response = client.post("/settings/providers/animesama/address", {"animesama-base_url": address})
    assert response.status_code == 422
    assert b'aria-invalid="true"' in response.content
    assert described("animesama").base_url == before


def test_what_cannot_be_done_is_said_in_the_readers_language(client: Client, user: User) -> None:
    ProfileFactory.create(user=user, language="fr")
    wish = {"animesama-base_url": "file:///etc/passwd"}
    page = client.post("/settings/providers/animesama/address", wish).content.decode()
    assert "pas une adresse web" in page
    assert "Only http" not in page
    gateway.set_base_url("animesama", "https://127.0.0.1.invalid")
    answer = client.post("/settings/providers/animesama/test", headers=HTMX)
    told = json.loads(answer["HX-Trigger"])["toast"]["text"]
    assert told.endswith("est interrompue.")


def test_a_test_says_whether_the_site_answers(client: Client, site: str) -> None:
    gateway.set_base_url("animesama", site)
    response = client.post("/settings/providers/animesama/test", headers=HTMX)
    assert json.loads(response["HX-Trigger"])["toast"]["level"] == "ok"
    gateway.set_base_url("animesama", "https://127.0.0.1.invalid")
    response = client.post("/settings/providers/animesama/test", headers=HTMX)
    assert json.loads(response["HX-Trigger"])["toast"]["level"] == "error"


@pytest.mark.parametrize("action", ["on", "off", "test"])
def test_an_unknown_provider_is_not_there(client: Client, action: str) -> None:
    assert client.post(f"/settings/providers/nowhere/{action}").status_code == 404


def test_a_member_sees_no_buttons(client: Client) -> None:
    client.force_login(UserFactory.create())
    html = client.get("/settings/providers").content.decode()
    assert "Switch off" not in html
    assert 'name="base_url"' not in html
