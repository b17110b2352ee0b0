from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from watchlist.models import ApiToken
from watchlist.tests.factories import UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client: Client) -> User:
    made: User = UserFactory.create()
    client.force_login(made)
    return made


@pytest.mark.usefixtures("user")
def test_a_token_is_shown_once_and_opens_the_api(client: Client) -> None:
    response = client.post("/settings/tokens/new", {"name": "script", "days": "30"})
    found = re.search(r'value="(tsz_[^"]+)"', response.content.decode())
    assert found is not None
    assert "no-store" in response["Cache-Control"]
    headers = {"Authorization": f"Bearer {found[1]}"}
    assert Client().get("/api/watchlist", headers=headers).status_code == 200
    assert found[1] not in client.get("/settings/tokens").content.decode()


@pytest.mark.usefixtures("user")
def test_a_revoked_token_opens_nothing(client: Client) -> None:
    html = client.post("/settings/tokens/new", {"name": "script", "days": "never"}).content.decode()
    token = re.findall(r'value="(tsz_[^"]+)"', html)[0]
    address = re.findall(r"/settings/tokens/\w+/revoke", html)[0]
    assert client.post(address).status_code == 303
    answer = Client().get("/api/watchlist", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401


@pytest.mark.parametrize("values", [{}, {"name": "", "days": "30"}, {"name": "x", "days": "7"}])
@pytest.mark.usefixtures("user")
def test_a_bad_wish_is_explained(client: Client, values: dict[str, str]) -> None:
    assert client.post("/settings/tokens/new", values).status_code == 422
    assert not ApiToken.objects.exists()


@pytest.mark.usefixtures("user")
def test_somebody_elses_token_is_not_there(client: Client) -> None:
    row, _ = ApiToken.objects.create(user=UserFactory.create())
    assert client.post(f"/settings/tokens/{row.digest[:16]}/revoke").status_code == 404
    assert row.digest[:16] not in client.get("/settings/tokens").content.decode()
    assert ApiToken.objects.count() == 1
