from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.contrib.auth.models import User
from django.test import Client

from watchlist.models import Profile
from watchlist.services import calendar_feeds
from watchlist.services.users import password_link, set_active
from watchlist.tests.factories import PASSWORD, AdministratorFactory, UserFactory, token_for

pytestmark = pytest.mark.django_db
NEW = "another long passphrase"


@dataclass(frozen=True, slots=True)
class Doors:
    """What opens a user's list without a password."""

    token: str
    calendar: str

    @classmethod
    def of(cls, user: User) -> Doors:
        feed = calendar_feeds.renew(user=user, language="en")
        return cls(token_for(user), f"/feeds/{calendar_feeds.token_of(feed)}/calendar.ics")

    def open(self) -> set[str]:
        headers = {"Authorization": f"Bearer {self.token}"}
        answers = {
            "token": Client().get("/api/watchlist", headers=headers),
            "calendar": Client().get(self.calendar),
        }
        return {name for name, answer in answers.items() if answer.status_code == 200}


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


@pytest.mark.parametrize("is_revoked", [False, True])
def test_tokens_and_the_calendar_address_end_with_the_password_when_asked(
    client: Client, user: User, *, is_revoked: bool
) -> None:
    doors = Doors.of(user)
    box = {"revoke_access": "on"} if is_revoked else {}
    wished = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW, **box}
    response = client.post("/settings/account/password", wished, follow=True)
    assert doors.open() == (set() if is_revoked else {"token", "calendar"})
    assert ("calendar address are revoked" in response.content.decode()) == is_revoked


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


def test_an_administrators_link_closes_what_was_open_before(user: User) -> None:
    doors, link, visitor = Doors.of(user), password_link(user), Client()
    page = visitor.get(link, follow=True)
    assert "tokens and calendar address are revoked" in page.content.decode()
    assert doors.open() == {"token", "calendar"}
    visitor.post(page.redirect_chain[-1][0], {"new_password1": NEW, "new_password2": NEW})
    assert doors.open() == set()


def test_an_account_that_is_let_in_again_has_no_open_doors(user: User) -> None:
    doors, by = Doors.of(user), AdministratorFactory.create()
    set_active(user=user, is_active=False, by=by)
    set_active(user=user, is_active=True, by=by)
    assert doors.open() == set()


@pytest.mark.parametrize(
    ("before", "sent", "after"),
    [
        ("", "Europe/Paris", "Europe/Paris"),
        ("", "", ""),
        ("Asia/Tokyo", "Europe/Paris", "Asia/Tokyo"),
    ],
)
def test_the_link_asks_for_a_time_zone_when_none_was_chosen(
    user: User, before: str, sent: str, after: str
) -> None:
    Profile.objects.create(user=user, language="fr", time_zone=before)
    visitor = Client()
    page = visitor.get(password_link(user), follow=True)
    assert (b"data-zone" in page.content) == (not before)
    wished = {"new_password1": NEW, "new_password2": NEW, "time_zone": sent}
    assert visitor.post(page.redirect_chain[-1][0], wished).status_code == 302
    profile = Profile.objects.get(user=user)
    assert (profile.language, profile.time_zone) == ("fr", after)


def test_a_zone_that_does_not_exist_sets_no_password(user: User) -> None:
    visitor = Client()
    page = visitor.get(password_link(user), follow=True)
    wished = {"new_password1": NEW, "new_password2": NEW, "time_zone": "Mars/Phobos"}
    assert visitor.post(page.redirect_chain[-1][0], wished).status_code == 200
    assert not Profile.objects.exists()
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
