"""The calendar in a browser."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import PHONE, Opener, violations
from watchlist.tests.factories import EpisodeFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def weekly_series(owner: User) -> None:
    """Three series with a rhythm, one of them late."""
    now = timezone.now()
    for place, (title, days) in enumerate(
        [("Glass Harbour", 2), ("Paper Lantern", 5), ("Winter Tide", 9)]
    ):
        item = WatchlistItemFactory.create(
            user=owner,
            anime_title=title,
            series__poster_url="",
            series__lang="vf" if place else "vostfr",
        )
        for step in range(5):
            EpisodeFactory.create(
                series=item.series,
                number=Decimal(5 - step),
                first_seen_at=now - timedelta(days=days + 7 * step),
            )


def test_the_width_decides_what_is_seen_first(open_page: Opener) -> None:
    desktop = open_page("/calendar")
    expect(desktop.locator(".month")).to_be_visible()
    expect(desktop.locator(".agenda")).to_be_hidden()
    phone = open_page("/calendar", viewport=PHONE)
    expect(phone.locator(".month")).to_be_hidden()
    expect(phone.locator(".agenda")).to_be_visible()


@pytest.mark.parametrize("script", [True, False])
def test_months_are_turned_and_the_filter_stays(open_page: Opener, script: bool) -> None:  # noqa: FBT001 -- a parameter
    page = open_page("/calendar?view=month", java_script_enabled=script)
    before = page.locator("#month-title").inner_text()
    page.get_by_role("link", name="VF", exact=True).click()
    page.locator(".month .panel-head a").first.click()
    expect(page.locator("#month-title")).not_to_have_text(before)
    expect(page.get_by_role("link", name="VF", exact=True)).to_have_attribute(
        "aria-current", "true"
    )
    page.get_by_role("link", name="Today").click()
    expect(page.locator("#month-title")).to_have_text(before)


def test_an_entry_of_a_month_is_high_enough_for_a_finger(open_page: Opener) -> None:
    entries = open_page("/calendar?view=month", viewport=PHONE).locator(".ev")
    heights = entries.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert heights
    assert min(heights) >= 24


def test_an_entry_leads_to_its_series(open_page: Opener) -> None:
    page = open_page("/calendar?view=agenda")
    expect(page.get_by_text("Late").first).to_be_visible()
    page.get_by_role("link", name="Winter Tide").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Winter Tide")


def test_a_month_is_turned_without_leaving_the_button(open_page: Opener) -> None:
    page = open_page("/calendar?view=month")
    before = page.locator("#month-title").inner_text()
    page.locator("#month-after").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#month-title")).not_to_have_text(before)
    expect(page.locator("#month-after")).to_be_focused()
    page.go_back()
    expect(page.locator("#month-title")).to_have_text(before)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_address_is_made_and_copied_in_a_dialog(open_page: Opener, scheme: str) -> None:
    page = open_page("/calendar", bypass_csp=True, color_scheme=scheme, viewport=PHONE)
    page.get_by_role("link", name="Subscribe").click()
    page.get_by_role("button", name="Make an address").click()
    field = page.get_by_label("Your private address")
    expect(field).to_have_value(re.compile(r"/feeds/[\w.-]+/calendar\.ics$"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert violations(page) == []
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#subscribe")).to_be_focused()


def test_the_address_is_made_and_given_up_without_script(open_page: Opener) -> None:
    page = open_page("/calendar", java_script_enabled=False, viewport={"width": 320, "height": 700})
    page.get_by_role("link", name="Subscribe").click()
    page.get_by_role("button", name="Make an address").click()
    expect(page.get_by_label("Your private address")).to_have_value(re.compile("/feeds/"))
    expect(page.get_by_role("button", name="Copy")).to_be_hidden()
    page.get_by_role("button", name="Give up").click()
    expect(page.get_by_role("button", name="Make an address")).to_be_visible()
