"""Error pages, the administration and the browsable API in a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Opener, violations

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_error_page_leads_back(open_page: Opener) -> None:
    page = open_page("/notifications")
    page.set_content(page.request.get("/nowhere").text())
    expect(page.get_by_role("heading", level=1)).to_have_text("There is no such page")
    assert page.get_by_role("link").get_attribute("href") == "/watchlist"


@pytest.mark.parametrize("path", ["/admin/", "/admin/watchlist/series/", "/api/", "/api/watchlist"])
def test_the_machine_rooms_carry_the_products_name(
    open_page: Opener, screenshot: Any, path: str
) -> None:
    page = open_page(path)
    expect(page).to_have_title(re.compile("Tsuzuku"))
    expect(page.locator("img[src*=icon]").first).to_be_visible()
    screenshot(page, path.strip("/").replace("/", "-"))


def test_the_administration_asks_to_sign_in_with_a_heading(open_page: Opener) -> None:
    page = open_page("/admin/login/", sign_in=False, bypass_csp=True)
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in to the administration")
    assert violations(page) == []
