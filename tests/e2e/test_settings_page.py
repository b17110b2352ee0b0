"""The settings pages in a browser."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Route, expect
from pytest_django.live_server_helper import LiveServer

from tests.e2e.conftest import Opener, violations
from watchlist.models import ApiToken, Profile
from watchlist.services import preferences, scheduler

pytestmark = pytest.mark.django_db(transaction=True)
PAGES = {
    "general": "/settings",
    "providers": "/settings/providers",
    "users": "/settings/users",
    "account": "/settings/account",
    "tokens": "/settings/tokens",
    "about": "/settings/about",
}
NEW = "another long passphrase"


@pytest.mark.parametrize("script", [True, False])
def test_the_global_settings_are_saved(open_page: Opener, script: bool) -> None:  # noqa: FBT001 -- a parameter
    page = open_page("/settings", java_script_enabled=script)
    page.get_by_label("Hours between two checks").fill("12")
    page.get_by_label("Announce new episodes").check()
    page.get_by_role("button", name="Save").first.click()
    expect(page.locator("#toasts")).to_contain_text("The settings are saved.")
    found = preferences.read_settings()
    assert (found.check_interval_hours, found.notify_on_new_episodes) == (12, True)


def test_a_bad_value_leads_to_its_field(open_page: Opener) -> None:
    page = open_page("/settings", bypass_csp=True)

    def calm(route: Route) -> None:
        # Chromium writes a line to the console for any answer 422; the page is what matters here.
        answer = route.fetch()
        assert answer.status == 422
        route.fulfill(response=answer, status=200)

    page.route("**/settings/global", calm)
    page.get_by_label("Hours between two checks").fill("500")
    page.get_by_role("button", name="Save").first.click()
    page.get_by_role("alert").get_by_role("link").click()
    expect(page.get_by_label("Hours between two checks")).to_be_focused()
    assert violations(page) == []


@pytest.mark.parametrize("script", [True, False])
def test_the_schedule_is_stopped_and_started(open_page: Opener, script: bool) -> None:  # noqa: FBT001 -- a parameter
    page = open_page("/settings", java_script_enabled=script)
    page.get_by_role("button", name="Stop").click()
    card = page.locator("#scheduler")
    expect(card).to_contain_text("Stopped by sam")
    assert not scheduler.status().enabled
    card.get_by_role("button", name="Start").click()
    expect(card.get_by_role("button", name="Stop")).to_be_visible()
    if script:
        expect(card.get_by_role("button", name="Stop")).to_be_focused()
    assert scheduler.status().enabled


def test_a_provider_is_switched_off_and_on_again_from_the_toast(open_page: Opener) -> None:
    page = open_page("/settings/providers")
    card = page.locator("#provider-animesama")
    card.get_by_role("button", name="Switch off").click()
    expect(card.get_by_role("button", name="Switch on")).to_be_focused()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(card.get_by_role("button", name="Switch off")).to_be_visible()


def test_a_new_user_sets_a_password_and_signs_in(
    open_page: Opener, live_server: LiveServer
) -> None:
    page = open_page("/settings/users")
    page.get_by_label("User name").fill("mia")
    page.get_by_role("button", name="Create").click()
    link = page.get_by_role("textbox", name="Link").input_value()
    place = {"sign_in": False, "timezone_id": "Europe/Paris"}
    visitor = open_page(link.removeprefix(live_server.url), **place)
    visitor.get_by_label("New password", exact=True).fill(NEW)
    visitor.get_by_label(re.compile("confirmation")).fill(NEW)
    visitor.get_by_role("button", name="Save").click()
    visitor.get_by_label("User name").fill("mia")
    visitor.get_by_label("Password").fill(NEW)
    visitor.get_by_role("button", name="Sign in").click()
    expect(visitor).to_have_url(re.compile("/watchlist$"))
    assert Profile.objects.get(user__username="mia").time_zone == "Europe/Paris"
    visitor.goto(link)
    expect(visitor.get_by_role("heading", level=1)).to_contain_text("no longer works")


def test_the_language_and_the_colours_follow_at_once(open_page: Opener, owner: User) -> None:
    page = open_page("/settings/account")
    page.get_by_label("Language").select_option("fr")
    page.get_by_label("Dark").check(force=True)
    page.get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("lang", "fr")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert Profile.objects.get(user=owner).language == "fr"


def test_a_token_is_made_shown_once_and_revoked(open_page: Opener) -> None:
    page = open_page("/settings/tokens", java_script_enabled=False)
    page.get_by_label("Name").fill("script")
    page.get_by_role("button", name="Create").click()
    assert page.get_by_role("textbox", name="Token").input_value().startswith("tsz_")
    page.get_by_role("button", name="Revoke").click()
    expect(page.locator("#toasts")).to_contain_text("revoked")
    assert not ApiToken.objects.exists()


def test_a_new_token_is_copied_with_one_click(open_page: Opener) -> None:
    page = open_page("/settings/tokens", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_label("Name").fill("script")
    page.get_by_role("button", name="Create").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == page.get_by_role("textbox", name="Token").input_value()


def test_a_member_reaches_the_account_by_keyboard(open_page: Opener, owner: User) -> None:
    User.objects.filter(pk=owner.pk).update(is_staff=False, is_superuser=False)
    page = open_page("/settings")
    expect(page.get_by_role("link", name="Users")).to_have_count(0)
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="My account").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Password")).to_be_visible()
