"""The watchlist in a browser."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone
from playwright.sync_api import Page, expect

from tests.e2e.conftest import DESKTOP, PHONE, Opener, violations
from tests.e2e.scenery import Painted, furnish
from watchlist.models import Check, ItemStatus, Quality, WatchlistItem

Shot = Callable[[Page, str], None]
SCREENS = pytest.mark.parametrize(
    ("size", "scheme"),
    [(size, scheme) for size in ("desktop", "phone") for scheme in ("light", "dark")],
)

PRESSED_AT_ONCE = """id => new MutationObserver((_, watch) => {
  const button = document.getElementById(id);
  if (!button) return;
  watch.disconnect();
  button.click();
}).observe(document.getElementById('modal-body'), {childList: true})"""


def screen(size: str, scheme: str) -> dict[str, object]:
    viewport = PHONE if size == "phone" else DESKTOP
    return {"viewport": viewport, "has_touch": size == "phone", "color_scheme": scheme}


def of_kind(things: list[Painted], kind: str) -> WatchlistItem:
    return next(one.item for one in things if one.kind == kind)


def pick(page: Page, place: int) -> None:
    """Tick a card's box, which shows in select mode alone; by keyboard, the poster lies below."""
    page.wait_for_url("**select=1**")  # and until its style is there
    box = page.locator(".pick input").nth(place)
    box.wait_for()
    box.press("Space")
    expect(box).to_be_checked()


@SCREENS
def test_axe_finds_nothing_in_grid_list_dialog_and_select_mode(
    open_page: Opener, owner: User, screenshot: Shot, size: str, scheme: str
) -> None:
    furnish(owner, 30)
    page = open_page(bypass_csp=True, **screen(size, scheme))
    page.wait_for_load_state("networkidle")
    screenshot(page, f"watchlist-{size}-{scheme}")
    found = {"grid": violations(page)}
    opener = page.locator(".more" if size == "phone" else ".quick a").nth(2)
    opener.hover(force=True)  # on a wide screen it shows only then
    opener.click()
    page.wait_for_selector("dialog[open] form")
    screenshot(page, f"dialog-{size}-{scheme}")
    found["dialog"] = violations(page)
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Select").click()
    pick(page, 1)
    found["select"] = violations(page)
    screenshot(page, f"select-{size}-{scheme}")
    page.get_by_role("link", name="Done").click()
    expect(page.locator(".pick")).to_have_count(0)
    page.get_by_role("button", name="List").click()
    page.wait_for_selector(".table")
    screenshot(page, f"list-{size}-{scheme}")
    found["list"] = violations(page)
    assert {name: problems for name, problems in found.items() if problems} == {}


def test_the_empty_list_says_what_to_do_next(open_page: Opener, screenshot: Shot) -> None:
    page = open_page(bypass_csp=True)
    screenshot(page, "watchlist-empty")
    assert violations(page) == []
    page.get_by_role("link", name="Add your first series").click()
    expect(page).to_have_url("/watchlist/add")


def test_pause_keeps_the_focus_and_can_be_undone(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#p{item.pk}").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name=f"Resume {item.anime_title}").wait_for(state="attached")
    assert page.evaluate("document.activeElement.id") == f"p{item.pk}"
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone.").wait_for()
    item.refresh_from_db()
    assert item.status == ItemStatus.ACTIVE


@pytest.mark.parametrize("button", ["Undo", "Dismiss"])
def test_the_focus_stays_in_the_page_when_a_toast_goes(
    open_page: Opener, owner: User, button: str
) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#p{item.pk}").press("Enter")
    page.get_by_role("button", name=button).press("Enter")
    expect(page.locator(".toast", has_text="Paused")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


def test_the_focus_stays_in_the_page_when_a_card_goes(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#e{item.pk}").press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Remove").press("Enter")
    expect(page.locator(f"#s{item.pk}")).to_have_count(0)
    expect(page.locator("#main")).to_be_focused()


def test_a_button_of_the_dialog_works_in_the_instant_in_which_it_appears(
    open_page: Opener, owner: User
) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.evaluate("document.body.id = 'the-same-page'")
    page.evaluate(PRESSED_AT_ONCE, "d-remove")
    page.locator(f"#e{item.pk}").press("Enter")
    expect(page.locator(f"#s{item.pk}")).to_have_count(0)
    expect(page.locator("#the-same-page")).to_have_count(1)


def test_shortcuts_move_between_cards_and_pause(open_page: Opener, owner: User) -> None:
    furnish(owner, 9)
    page = open_page()
    page.keyboard.press("j")
    page.keyboard.press("j")
    first = page.locator(".card h2 a").nth(1)
    expect(first).to_be_focused()
    page.keyboard.press("p")
    page.locator(".toast").first.wait_for()
    assert "Paused" in page.locator(".toast").first.inner_text()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keyboard shortcuts")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()


def test_check_now_shows_that_it_runs(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#c{item.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#s{item.pk} .badge")).to_have_text("Checking")
    assert Check.objects.filter(series=item.series, status="queued").count() == 1


def test_the_result_of_a_check_arrives_by_itself(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#c{item.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator(f"#s{item.pk} .badge")).to_have_text("Checking")
    page.evaluate("htmx.trigger(document.body, 'tick')")
    expect(page.locator("#live")).to_have_attribute("hx-get", re.compile("v="))
    Check.objects.filter(series=item.series, status="queued").update(
        status="succeeded", is_unchanged=True, finished_at=timezone.now()
    )
    page.evaluate("htmx.trigger(document.body, 'tick')")
    expect(page.locator(f"#s{item.pk} .badge")).to_have_text("Up to date")
    expect(page.locator("#toasts")).to_contain_text("nothing new")


def test_a_card_that_left_the_page_while_it_was_fetched_is_dropped(
    open_page: Opener, owner: User
) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    card = page.locator(f"#s{item.pk}")
    page.evaluate(
        """([id, url]) => {
          document.addEventListener('htmx:afterRequest', event => {
            if (event.detail.pathInfo.requestPath.startsWith(url)) document.title = 'fetched';
          });
          const detail = { ids: [id], url };
          document.body.dispatchEvent(new CustomEvent('cards', { bubbles: true, detail }));
          document.getElementById(`s${id}`).remove();
        }""",
        [str(item.pk), "/watchlist/cards"],
    )
    # What htmx cannot put anywhere it writes to the console, which fails every test.
    expect(page).to_have_title("fetched")
    expect(card).to_have_count(0)


def test_the_dialog_saves_and_gives_the_focus_back(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#e{item.pk}").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Quality").select_option("720p")
    dialog.get_by_label("Download new episodes").uncheck()
    dialog.get_by_role("button", name="Save").click()
    expect(page.locator("#toasts")).to_contain_text("Saved")
    expect(dialog).to_be_hidden()
    item.refresh_from_db()
    assert (item.quality_preference, item.auto_download) == (Quality.P720, False)
    page.wait_for_load_state("networkidle")  # the card is fetched anew
    page.locator(f"#e{item.pk}").focus()
    page.keyboard.press("Enter")
    dialog.wait_for()
    page.keyboard.press("Escape")
    expect(page.locator(f"#e{item.pk}")).to_be_focused()


def test_a_mistake_stays_in_the_dialog_with_its_reason(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page()
    page.locator(f"#e{item.pk}").focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Start after episode").fill("200000")
    page.locator("#d-save").evaluate("button => { button.form.noValidate = true }")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert")).to_contain_text("could not be saved")


def test_removing_can_be_undone_with_the_same_settings(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "behind")
    page = open_page()
    page.locator(f"#e{item.pk}").focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog").get_by_role("button", name="Remove").click()
    expect(page.locator(f"#s{item.pk}")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone.").wait_for()
    again = WatchlistItem.objects.get(user=owner, series=item.series)
    assert (again.auto_download, again.last_episode_downloaded) == (
        False,
        item.last_episode_downloaded,
    )


def test_many_are_paused_at_once_and_resumed_by_undo(open_page: Opener, owner: User) -> None:
    furnish(owner, 9)
    page = open_page("/watchlist?select=1")
    for place in (0, 4):
        pick(page, place)
    expect(page.locator("#picked")).to_have_text("2 selected")
    page.get_by_role("button", name="Pause", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("2 series paused")
    assert WatchlistItem.objects.filter(user=owner, status=ItemStatus.PAUSED).count() == 3
    page.get_by_role("button", name="Undo").click()
    page.get_by_text("Undone.").wait_for()
    assert WatchlistItem.objects.filter(user=owner, status=ItemStatus.PAUSED).count() == 1


def test_filters_live_in_the_address_and_the_next_page_comes_by_itself(
    open_page: Opener, owner: User
) -> None:
    furnish(owner, 70, posters=False)
    page = open_page()
    expect(page.locator(".card")).to_have_count(60)
    page.locator("#next-page").scroll_into_view_if_needed()
    expect(page.locator(".card")).to_have_count(70)
    page.locator("#f-paused").click()
    page.wait_for_url("**/watchlist?status=paused")
    shown = page.locator(".card").count()
    assert shown == WatchlistItem.objects.filter(user=owner, status="paused").count()
    page.locator("#f-all").click()
    page.locator("#lq").fill("glass lantern")
    page.wait_for_url("**q=glass**")
    expect(page.locator(".card")).to_have_count(1)


def test_without_javascript_one_can_pause_filter_and_select(open_page: Opener, owner: User) -> None:
    item = of_kind(furnish(owner, 9), "current")
    page = open_page("/watchlist", java_script_enabled=False)
    page.locator(f"#p{item.pk}").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Paused")
    item.refresh_from_db()
    assert item.status == ItemStatus.PAUSED
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone")
    item.refresh_from_db()
    assert item.status == ItemStatus.ACTIVE
    page.get_by_role("link", name="Select").click()
    pick(page, 0)
    page.get_by_role("button", name="Auto-download off").click()
    expect(page.locator("#toasts")).to_contain_text("Auto-download off for 1 series")
    page.locator("#lq").fill("lantern")
    page.get_by_role("button", name="Apply").click()
    expect(page.locator(".card")).to_have_count(0)


def test_a_dead_worker_is_named_and_the_list_still_shows(open_page: Opener, owner: User) -> None:
    furnish(owner, 9)
    cache.delete("worker:downloads")
    page = open_page()
    expect(page.locator("#trouble")).to_contain_text("Download worker down")
    expect(page.locator(".card")).to_have_count(9)
    cache.set("worker:downloads", "now", 60)
    page.evaluate("htmx.trigger(document.body, 'tick')")
    expect(page.locator("#trouble .note")).to_have_count(0)


def test_the_theme_is_kept(open_page: Opener, owner: User) -> None:
    page = open_page()
    for theme in ("light", "dark"):
        page.locator("#theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", theme)
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
