from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from watchlist.models import Profile
from watchlist.tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db
NEW = "another long passphrase"


@pytest.fixture
def user(client: Client) -> User:
    made: User = UserFactory.create()
    client.force_login(made)
    return made


def test_language_zone_and_colours_are_saved(client: Client, user: User) -> None:
    response = client.post(
        "/settings/account/change",
        {"language": "fr", "time_zone": "Europe/Paris", "theme": "dark"},
    )
    assert response.status_code == 303
    profile = Profile.objects.get(user=user)
    assert (profile.language, profile.time_zone, profile.theme) == ("fr", "Europe/Paris", "dark")
    assert not profile.shortcuts_enabled
    html = client.get("/settings/account").content.decode()
    assert '<html lang="fr" data-theme="dark">' in html


@pytest.mark.parametrize(
    "values",
    [
        {"language": "xx", "theme": "dark"},
        {"time_zone": "Mars/Phobos", "theme": "dark"},
        {"time_zone": "../../etc/passwd", "theme": "dark"},
        {"theme": "pink"},
    ],
)
@pytest.mark.usefixtures("user")
def test_a_bad_choice_is_explained(client: Client, values: dict[str, str]) -> None:
    assert client.post("/settings/account/change", values).status_code == 422
    assert not Profile.objects.exists()


def test_a_new_password_keeps_this_browser_and_ends_the_others(client: Client, user: User) -> None:
    elsewhere = Client()
    elsewhere.force_login(user)
    response = client.post(
        "/settings/account/password",
        {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW},
    )
    assert response.status_code == 303
    assert client.get("/settings/account").status_code == 200
    assert elsewhere.get("/settings/account").status_code == 302


@pytest.mark.parametrize(
    ("old", "one", "two"),
    [("wrong", NEW, NEW), (PASSWORD, NEW, "different"), (PASSWORD, "12345678", "12345678")],
)
def test_a_bad_password_is_explained(
    client: Client, user: User, old: str, one: str, two: str
) -> None:
    response = client.post(
        "/settings/account/password",
        {"old_password": old, "new_password1": one, "new_password2": two},
    )
    assert response.status_code == 422
    assert one.encode() not in response.content
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
