"""One series in a browser."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Opener
from tests.e2e.scenery import furnish
from tests.e2e.test_watchlist_page import of_kind
from watchlist.models import Decision, Grab, Notification

Shot = Callable[[Page, str], None]


def test_an_episode_says_why_it_was_skipped_and_can_be_downloaded(
    open_page: Opener, owner: User
) -> None:
    item = of_kind(furnish(owner, 9), "behind")
    page = open_page(f"/watchlist/{item.pk}")
    newest = page.locator(".ep").first
    expect(newest).to_contain_text("Automatic download is off for this series.")
    newest.get_by_role("button", name="Download").click()
    expect(newest.locator(".badge")).to_have_text("Queued")
    assert Grab.objects.filter(item=item, is_manual=True).count() == 1
    newest.get_by_role("button", name="Cancel").click()
    expect(newest).to_contain_text("Cancelled by you.")


@pytest.mark.parametrize("with_script", [True, False])
def test_an_episode_can_be_ignored(open_page: Opener, owner: User, *, with_script: bool) -> None:
    item = of_kind(furnish(owner, 9), "behind")
    page = open_page(f"/watchlist/{item.pk}", java_script_enabled=with_script)
    page.locator(".ep").first.get_by_role("button", name="Ignore").click()
    expect(page.locator(".ep").first).to_contain_text("You chose to ignore this episode.")
    assert Decision.objects.filter(item=item, is_ignored=True).count() == 1


def test_opening_a_series_takes_the_mark_of_news_away(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "new")
    page = open_page(f"/watchlist/{item.pk}")
    page.wait_for_load_state("networkidle")
    assert not Notification.objects.filter(item=item, read_at=None).exists()


def test_pausing_changes_the_head_at_once(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page(f"/watchlist/{item.pk}")
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#series .badge")).to_have_text("Paused")
    assert page.evaluate("document.activeElement.id") == f"p{item.pk}"


def test_settings_are_saved_without_javascript(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page(f"/watchlist/{item.pk}?tab=settings", java_script_enabled=False)
    page.get_by_label("Quality").select_option("480p")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    item.refresh_from_db()
    assert item.quality_preference == "480p"
