"""Accounts in the Django admin: what follows from a change on the pages follows here, too."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from downloads.states import State
from watchlist.models import ApiToken, CalendarFeed, WatchlistItem
from watchlist.services import calendar_feeds
from watchlist.services.due import refresh_watched
from watchlist.tests import factories

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-and-new-one-7"


@pytest.fixture
def grab() -> Any:
    """Somebody follows a series, waits for an episode, and has a token and a calendar address."""
    found = factories.GrabFactory.create()
    refresh_watched([found.item.series_id])
    found.item.series.refresh_from_db()
    assert found.item.series.next_check_at is not None
    factories.token_for(found.item.user)
    calendar_feeds.renew(user=found.item.user, language="en")
    return found


def page(kind: str, user: User) -> str:
    return reverse(f"admin:auth_user_{kind}", args=[user.pk])


def save(browser: Client, user: User, **changes: bool) -> Any:
    rights = {name: getattr(user, name) for name in ("is_active", "is_staff", "is_superuser")}
    boxes = {name: "on" for name, ticked in (rights | changes).items() if ticked}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    return browser.post(page("change", user), {"username": user.username, **joined, **boxes})


def has_access(user: User) -> bool:
    tokens, feeds = ApiToken.objects.filter(user=user), CalendarFeed.objects.filter(user=user)
    return tokens.exists() or feeds.exists()


def test_a_password_set_by_somebody_else_revokes_tokens_and_calendar(
    browser: Client, grab: Any
) -> None:
    user = grab.item.user
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    new = {"password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}
    assert browser.post(address, new).status_code == 302
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert not has_access(user)


def test_a_deactivated_account_has_no_access_and_its_series_are_left_alone(
    browser: Client, grab: Any
) -> None:
    assert save(browser, grab.item.user, is_active=False).status_code == 302
    assert not has_access(grab.item.user)
    grab.item.series.refresh_from_db()
    assert grab.item.series.next_check_at is None


def test_an_account_that_stays_active_keeps_its_tokens(browser: Client, grab: Any) -> None:
    assert save(browser, grab.item.user, is_staff=True).status_code == 302
    assert has_access(grab.item.user)


@pytest.mark.parametrize("right", ["is_active", "is_staff", "is_superuser"])
def test_the_last_administrator_stays_one(browser: Client, administrator: User, right: str) -> None:
    response = save(browser, administrator, **{right: False})
    assert "There must be at least one administrator." in response.content.decode()
    administrator.refresh_from_db()
    assert getattr(administrator, right)


def test_one_of_two_administrators_may_step_down(browser: Client, administrator: User) -> None:
    factories.AdministratorFactory.create()
    assert save(browser, administrator, is_superuser=False).status_code == 302
    administrator.refresh_from_db()
    assert not administrator.is_superuser


def test_a_deleted_account_follows_nothing_and_gives_its_downloads_up(
    browser: Client, grab: Any
) -> None:
    user = grab.item.user
    factories.DecisionFactory.create(item=grab.item, episode=grab.episode)
    assert browser.post(page("delete", user), {"post": "yes"}).status_code == 302
    assert not User.objects.filter(pk=user.pk).exists()
    assert not WatchlistItem.objects.filter(pk=grab.item.pk).exists()
    grab.item.series.refresh_from_db()
    grab.download.refresh_from_db()
    assert (grab.item.series.next_check_at, grab.download.state) == (None, State.CANCELLED)


def test_nobody_deletes_the_own_account(browser: Client, administrator: User) -> None:
    factories.AdministratorFactory.create()
    assert browser.post(page("delete", administrator), {"post": "yes"}).status_code == 403


def test_accounts_are_not_deleted_many_at_once(browser: Client, grab: Any) -> None:
    chosen = {"action": "delete_selected", "_selected_action": [grab.item.user_id], "post": "yes"}
    browser.post(reverse("admin:auth_user_changelist"), chosen)
    assert User.objects.filter(pk=grab.item.user_id).exists()


@pytest.fixture
def clerk() -> User:
    """Staff who may change accounts, and nothing else."""
    user = factories.UserFactory.create(is_staff=True)
    names = ["view_user", "change_user", "delete_user"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    return user


def test_who_is_no_superuser_makes_nobody_one(clerk: User) -> None:
    client = Client()
    client.force_login(clerk)
    assert save(client, clerk, is_superuser=True).status_code == 302
    clerk.refresh_from_db()
    assert not clerk.is_superuser


@pytest.mark.parametrize("kind", ["change", "delete", "password_change"])
def test_who_is_no_superuser_does_not_touch_one(
    clerk: User, administrator: User, kind: str
) -> None:
    client = Client()
    client.force_login(clerk)
    assert client.post(page(kind, administrator), {"post": "yes"}).status_code == 403
