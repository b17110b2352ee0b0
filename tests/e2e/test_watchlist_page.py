"""The watchlist in a browser."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests.e2e.conftest import DESKTOP, PHONE, Opener, sideways, violations
from tests.e2e.scenery import furnish


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("size", "viewport"), [("desktop", DESKTOP), ("phone", PHONE)])
def test_axe_finds_nothing_in_the_grid(open_page: Opener, owner: User, screenshot, scheme, size, viewport) -> None:
    furnish(owner, 30)
    page = open_page(color_scheme=scheme, viewport=viewport, has_touch=size == "phone", bypass_csp=True)
    page.wait_for_load_state("networkidle")
    screenshot(page, f"watchlist-{size}-{scheme}")
    assert violations(page) == []
