"""The first visit in a browser: account, language, preflight, empty list."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from providers.demo.site import DemoSite
from tests.e2e.conftest import Opener, violations
from tests.e2e.test_watchlist_page import SCREENS, screen
from watchlist.models import Profile
from watchlist.tests.factories import PASSWORD
from watchlist_project import setup_code

Shot = Callable[[Page, str], None]


@pytest.fixture
def code(owner: User) -> Iterator[str]:
    """Nobody has an account, and the log shows this code."""
    owner.delete()
    made = setup_code.ensure_code()
    assert made is not None
    yield made
    setup_code.clear_code()


@SCREENS
def test_axe_finds_nothing_on_the_way_in(
    open_page: Opener, code: str, screenshot: Shot, size: str, scheme: str
) -> None:
    page = open_page("/", sign_in=False, bypass_csp=True, **screen(size, scheme))
    expect(page).to_have_url("/setup")
    screenshot(page, f"setup-{size}-{scheme}")
    found = violations(page)
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("alert")).to_be_visible()
    assert found + violations(page) == []


@pytest.mark.parametrize("with_script", [True, False])
def test_the_owner_gets_in_with_the_code_and_sees_what_is_ready(
    open_page: Opener, code: str, providers_on: DemoSite, screenshot: Shot, *, with_script: bool
) -> None:
    page = open_page(
        "/watchlist",
        sign_in=False,
        java_script_enabled=with_script,
        timezone_id="Europe/Paris",
        bypass_csp=True,
    )
    page.get_by_label("One-time code").fill(code.lower())
    page.get_by_label("User name").fill("sam")
    page.get_by_label("Password").fill(PASSWORD)
    if not with_script:
        page.get_by_label("Time zone").select_option("Europe/Paris")
    page.get_by_role("button", name="Create the account").click()
    expect(page.locator("h1")).to_have_text("Is everything ready?")
    expect(page.locator("#f-animesama")).to_contain_text("Answers")
    screenshot(page, "preflight")
    if with_script:
        assert violations(page) == []
    owner = User.objects.get(username="sam")
    assert owner.is_superuser
    assert Profile.objects.get(user=owner).time_zone == "Europe/Paris"
    page.get_by_role("link", name="Go to my watchlist").click()
    expect(page.locator("main")).to_contain_text("Your watchlist is empty")


def test_a_wrong_code_makes_no_account(open_page: Opener, code: str) -> None:
    page = open_page("/setup", sign_in=False)
    page.get_by_label("One-time code").fill("AAAA-BBBB-CCCC-DDDD")
    page.get_by_label("User name").fill("mallory")
    page.get_by_label("Password").fill(PASSWORD)
    with page.expect_response(lambda answer: answer.request.method == "POST") as caught:
        page.get_by_role("button", name="Create the account").click()
    assert caught.value.status == 422
    assert not User.objects.exists()


def test_with_an_account_the_first_visit_is_over(open_page: Opener) -> None:
    page = open_page("/setup", sign_in=False, bypass_csp=True)
    expect(page).to_have_url("/accounts/login/")
    assert violations(page) == []


def test_signing_in_and_out(open_page: Opener, owner: User, screenshot: Shot) -> None:
    page = open_page("/watchlist", sign_in=False)
    screenshot(page, "login")
    page.get_by_label("User name").fill(owner.username)
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url("/watchlist")
    page.locator("summary").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url("/accounts/login/")
