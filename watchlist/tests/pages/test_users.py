from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from django.test import Client

from watchlist.tests.factories import AdministratorFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def administrator(client: Client) -> User:
    made: User = AdministratorFactory.create()
    client.force_login(made)
    return made


def link_in(html: str) -> str:
    found = re.search(r'id="link" readonly value="([^"]+)"', html)
    assert found is not None
    return found[1]


def test_a_new_user_gets_a_link_that_is_shown_once(client: Client) -> None:
    response = client.post("/settings/users/new", {"username": "mia", "is_administrator": "on"})
    link = link_in(response.content.decode())
    assert "no-store" in response["Cache-Control"]
    assert Client().get(link, follow=True).status_code == 200
    assert User.objects.get(username="mia").is_staff
    assert link not in client.get("/settings/users").content.decode()


@pytest.mark.parametrize("name", ["", "mia", "MIA", "a b", "<script>", "x" * 151])
def test_a_bad_name_is_explained(client: Client, name: str) -> None:
    UserFactory.create(username="mia")
    before = User.objects.count()
    assert client.post("/settings/users/new", {"username": name}).status_code == 422
    assert User.objects.count() == before


def test_roles_and_access_are_changed(client: Client) -> None:
    user = UserFactory.create()
    for action, is_staff, is_active in (
        ("promote", True, True),
        ("demote", False, True),
        ("deactivate", False, False),
        ("activate", False, True),
    ):
        assert client.post(f"/settings/users/{user.pk}/{action}").status_code == 303
        user.refresh_from_db()
        assert (user.is_staff, user.is_active) == (is_staff, is_active)


def test_what_would_lock_one_out_is_refused_with_a_reason(
    client: Client, administrator: User
) -> None:
    response = client.post(f"/settings/users/{administrator.pk}/deactivate", follow=True)
    assert "You cannot deactivate your own account." in response.content.decode()
    administrator.refresh_from_db()
    assert administrator.is_active


def test_a_member_sees_nobody(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert client.get("/settings/users").status_code == 403
    assert "/settings/users" not in client.get("/settings").content.decode()


def test_a_reset_link_is_made_for_an_existing_user(client: Client) -> None:
    user = UserFactory.create()
    response = client.post(f"/settings/users/{user.pk}/link")
    assert "/accounts/password/" in link_in(response.content.decode())
    assert client.post("/settings/users/999999/link").status_code == 404
