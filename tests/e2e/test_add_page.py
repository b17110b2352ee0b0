"""Finding and following a series in a browser, against the demo site."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from threading import BoundedSemaphore

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, Route, expect

from providers.demo.site import DemoSite
from tests.e2e.conftest import Opener, sideways, violations
from tests.e2e.test_watchlist_page import SCREENS, screen
from watchlist.models import WatchlistItem
from watchlist.services import asking

Shot = Callable[[Page, str], None]


def a_title(site: DemoSite) -> str:
    return site.series_slugs("animesama")[0].replace("-", " ")


@SCREENS
def test_axe_finds_nothing_in_results_and_dialog(
    open_page: Opener, providers_on: DemoSite, screenshot: Shot, size: str, scheme: str
) -> None:
    page = open_page("/watchlist/add", bypass_csp=True, **screen(size, scheme))
    found = {"empty": violations(page)}
    page.locator("#q").fill(a_title(providers_on))
    page.locator("#q").press("Enter")
    page.locator(".hit").first.wait_for()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    screenshot(page, f"add-{size}-{scheme}")
    found["results"] = violations(page)
    page.locator(".hit .btn").first.click()
    page.wait_for_selector("dialog[open] #start:not([aria-busy])")
    page.wait_for_load_state("networkidle")
    screenshot(page, f"add-dialog-{size}-{scheme}")
    found["dialog"] = violations(page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_a_hit_is_followed_from_an_episode_on_and_marked(
    open_page: Opener, owner: User, providers_on: DemoSite
) -> None:
    page = open_page(f"/watchlist/add?q={a_title(providers_on)}")
    page.locator("#site-animesama .hit .btn").first.click()
    dialog = page.get_by_role("dialog")
    expect(dialog.locator("#start")).to_contain_text("episodes now")
    dialog.locator("#f-number").press_sequentially("3")
    expect(dialog.locator("#start-number")).to_be_checked()
    expect(dialog.locator("#from-count")).to_contain_text("episode")
    dialog.get_by_role("button", name="Add and check now").click()
    expect(page.locator("#toasts")).to_contain_text("Added")
    expect(page.locator("#site-animesama .hit .btn").first).to_have_text("On your list")
    item = WatchlistItem.objects.get(user=owner)
    assert item.last_episode_downloaded == Decimal(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone")
    assert not WatchlistItem.objects.filter(user=owner).exists()


def test_a_choice_made_before_the_episodes_are_counted_is_kept(
    open_page: Opener, owner: User, providers_on: DemoSite
) -> None:
    page = open_page(f"/watchlist/add?q={a_title(providers_on)}")
    counting: list[Route] = []

    def hold(route: Route) -> None:
        counting.append(route)

    page.route(re.compile("part=start"), hold)
    page.locator("#site-animesama .hit .btn").first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("#f-number").fill("3")
    expect(dialog.locator("#from-count")).to_contain_text("episode")
    counting[0].continue_()
    expect(dialog.locator("#start")).to_contain_text("episodes now")
    expect(dialog.locator("#f-number")).to_have_value("3")
    expect(dialog.locator("#start-number")).to_be_checked()
    dialog.get_by_role("button", name="Add and check now").click()
    expect(page.locator("#toasts")).to_contain_text("Added")
    assert WatchlistItem.objects.get(user=owner).last_episode_downloaded == Decimal(2)


def test_a_broken_provider_is_named_and_the_others_answer(
    open_page: Opener, providers_on: DemoSite, screenshot: Shot
) -> None:
    providers_on.faults.challenge("/animeultime")
    try:
        page = open_page(f"/watchlist/add?q={a_title(providers_on)}", bypass_csp=True)
        expect(page.locator("#site-animesama .hit").first).to_be_visible()
        expect(page.locator("#site-animeultime")).to_contain_text("The provider blocks us")
        screenshot(page, "add-broken-provider")
        assert violations(page) == []
    finally:
        providers_on.faults.clear()


@pytest.mark.parametrize("with_script", [True, False])
def test_a_pasted_address_goes_straight_to_the_confirmation(
    open_page: Opener, owner: User, providers_on: DemoSite, *, with_script: bool
) -> None:
    slug = providers_on.series_slugs("animesama")[0]
    page = open_page("/watchlist/add", java_script_enabled=with_script)
    page.locator("#q").fill(providers_on.url_of("animesama", slug))
    page.locator("#q").press("Enter")
    page.get_by_label("From the next episode on").check()
    page.get_by_role("button", name="Add and check now").click()
    page.wait_for_url("**/watchlist/*-*-*-*-*")
    item = WatchlistItem.objects.get(user=owner)
    assert item.last_episode_downloaded is not None
    assert item.last_episode_downloaded > 0


def test_without_javascript_the_results_come_in_one_page(
    open_page: Opener, providers_on: DemoSite
) -> None:
    page = open_page(f"/watchlist/add?q={a_title(providers_on)}", java_script_enabled=False)
    page.wait_for_url("**wait=1")
    expect(page.locator(".hit").first).to_be_visible()


def test_another_sites_address_is_refused_with_examples(
    open_page: Opener, providers_on: DemoSite
) -> None:
    page = open_page("/watchlist/add/confirm?url=file:///etc/passwd", bypass_csp=True)
    expect(page.locator("h1")).to_have_text("This address cannot be followed")
    assert violations(page) == []


def test_results_fit_a_narrow_phone(open_page: Opener, providers_on: DemoSite) -> None:
    page = open_page(
        f"/watchlist/add?q={a_title(providers_on)}",
        viewport={"width": 320, "height": 700},
        has_touch=True,
    )
    page.locator(".hit").first.wait_for()
    assert sideways(page) == 0
    page.locator(".hit .btn").first.click()
    page.wait_for_selector("dialog[open] #start:not([aria-busy])")
    assert sideways(page) == 0


def test_a_search_that_nobody_had_time_for_is_begun_again_by_itself(
    open_page: Opener, providers_on: DemoSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    seats = BoundedSemaphore(1)
    monkeypatch.setattr(asking, "_seats", seats)
    seats.acquire()
    page = open_page(f"/watchlist/add?q={a_title(providers_on)}", bypass_csp=True)
    site = page.locator("#site-animesama")
    expect(site).to_contain_text("Too much is being asked just now: try again in a moment.")
    expect(site.get_by_role("link", name="Try again")).to_be_visible()
    assert violations(page) == []
    seats.release()
    expect(site.locator(".hit").first).to_be_visible(timeout=30_000)
