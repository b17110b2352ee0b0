"""Sign in and out with tokens; who is turned away, and how."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from rest_framework.test import APIClient

from watchlist.models import ApiToken
from watchlist.tests.factories import PASSWORD, token_for

pytestmark = pytest.mark.django_db


def login(client: APIClient, username: str, password: str, **fields: Any) -> Any:
    wish = {"username": username, "password": password, **fields}
    return client.post("/api/auth/login", wish)


def bearer(token: str) -> APIClient:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    return client


def test_a_token_lets_its_owner_in(anonymous: APIClient, owner: User) -> None:
    response = login(anonymous, "owner", PASSWORD, name="laptop")
    body = response.json()
    assert response.status_code == 200
    assert body["token"].startswith("tsz_")
    assert body["expires_at"].endswith("Z")
    assert bearer(body["token"]).get("/api/watchlist").status_code == 200
    row = ApiToken.objects.get(user=owner)
    assert row.name == "laptop"


def test_a_token_opens_no_session_beside_it(anonymous: APIClient, owner: User) -> None:
    response = login(anonymous, owner.username, PASSWORD)
    assert not response.cookies
    assert not Session.objects.exists()


def test_a_token_is_stored_hashed(anonymous: APIClient, owner: User) -> None:
    token = login(anonymous, owner.username, PASSWORD).json()["token"]
    row = ApiToken.objects.get()
    assert token not in row.digest
    assert token != row.token_key


def test_an_old_token_in_the_request_does_not_disturb_signing_in(owner: User) -> None:
    assert login(bearer("tsz_long_revoked_token"), owner.username, PASSWORD).status_code == 200


def test_a_wrong_name_and_a_wrong_password_are_answered_alike(
    anonymous: APIClient, owner: User
) -> None:
    wrong = login(anonymous, owner.username, "wrong")
    unknown = login(anonymous, "nobody", "wrong")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == "wrong_credentials"


def test_an_inactive_user_cannot_sign_in(anonymous: APIClient, owner: User) -> None:
    owner.is_active = False
    owner.save()
    assert login(anonymous, owner.username, PASSWORD).status_code == 401


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, {"username", "password"}),
        ({"username": "owner"}, {"password"}),
        ({"username": "", "password": "x"}, {"username"}),
        ({"username": "x" * 151, "password": "x"}, {"username"}),
        ({"username": "owner", "password": "x" * 1025}, {"password"}),
        ({"username": ["owner"], "password": {}}, {"username", "password"}),
    ],
)
def test_missing_and_impossible_fields_are_named(
    anonymous: APIClient, body: dict[str, Any], named: set[str]
) -> None:
    response = anonymous.post("/api/auth/login", body)
    assert response.status_code == 400
    assert set(response.json()) == named


def test_repeated_failures_lock_even_the_right_password_out(
    anonymous: APIClient, owner: User
) -> None:
    for _ in range(10):
        login(anonymous, owner.username, "wrong")
    response = login(anonymous, owner.username, PASSWORD)
    assert response.status_code == 429
    assert response.json()["code"] == "throttled"
    assert int(response["Retry-After"]) > 0


def test_signing_out_revokes_the_token_that_was_used(owner: User) -> None:
    kept, used = token_for(owner), token_for(owner)
    response = bearer(used).post("/api/auth/logout")
    assert (response.status_code, response.content) == (204, b"")
    assert bearer(used).get("/api/watchlist").status_code == 401
    assert bearer(kept).get("/api/watchlist").status_code == 200


def test_signing_out_of_a_session_ends_it(owner: User) -> None:
    client = APIClient()
    client.force_login(owner)
    assert client.post("/api/auth/logout").status_code == 204
    assert client.get("/api/watchlist").status_code == 401


def test_an_expired_token_is_refused(owner: User) -> None:
    token = token_for(owner, expiry=timezone.now() - timedelta(seconds=1))
    assert bearer(token).get("/api/watchlist").status_code == 401


def test_the_token_of_an_inactive_user_is_refused(owner: User) -> None:
    token = token_for(owner)
    owner.is_active = False
    owner.save()
    assert bearer(token).get("/api/watchlist").status_code == 401


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Bearer a b", "Bearer x", "Bearer \xff\xfe", "Bearer tsz_" + "0" * 60,
     "Bearer " + "x" * 5000, "Basic b3duZXI6eA==", "nonsense"],
)  # fmt: skip
def test_any_other_header_is_a_401(header: str) -> None:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=header)
    response = client.get("/api/watchlist")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert set(response.json()) == {"detail", "code"}


def test_the_use_of_a_token_is_noted_once_an_hour(owner: User) -> None:
    client = bearer(token_for(owner))
    client.get("/api/watchlist")
    first = ApiToken.objects.get().last_used_at
    client.get("/api/watchlist")
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(hours=2))
    client.get("/api/watchlist")
    used = ApiToken.objects.get().last_used_at
    assert first is not None
    assert used is not None
    assert used >= first


def test_a_session_needs_the_csrf_token_to_write(owner: User) -> None:
    client = APIClient(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get("/api/watchlist").status_code == 200
    response = client.post("/api/watchlist/check-all", {}, format="json")
    assert response.status_code == 403
