"""What holds for every page: accessible in each dress, never too wide, all of it by keyboard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests.e2e.conftest import DESKTOP, PHONE, Opener, settled, sideways, violations
from tests.e2e.scenery import lived_in
from watchlist.models import ListView, Profile, WatchlistItem

# Each goes over all pages, which takes its time on a small machine.
pytestmark = pytest.mark.timeout(600)
Shot = Callable[[Page, str], None]
Visit = Callable[[Page, str], Iterator[str]]
PAGES = {
    "watchlist": "/watchlist",
    "watchlist-select": "/watchlist?select=1",
    "watchlist-nothing": "/watchlist?q=nothing+like+it",
    "list": "/watchlist?sort=title",
    "add": "/watchlist/add",
    "series-episodes": "/watchlist/{failed}",
    "series-settings": "/watchlist/{failed}?tab=settings",
    "series-history": "/watchlist/{failed}?tab=history",
    "downloads": "/downloads",
    "calendar": "/calendar",
    "calendar-month": "/calendar?view=month",
    "calendar-agenda": "/calendar?view=agenda",
    "calendar-subscribe": "/calendar/subscribe",
    "stats": "/stats",
    "notifications": "/notifications",
    "settings-general": "/settings",
    "settings-providers": "/settings/providers",
    "settings-users": "/settings/users",
    "settings-account": "/settings/account",
    "settings-tokens": "/settings/tokens",
    "settings-about": "/settings/about",
    "more": "/more",
    "ready": "/setup/ready",
    "error": "/nowhere",
}
TABLET_WIDTH = 640
SIZES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": DESKTOP},
    "phone": {"viewport": PHONE, "has_touch": True},
}
# The two themes differ in nothing else, and two languages in all but them.
COLOUR_RULES = ("color-contrast", "link-in-text-block")
# Colours fade from one theme to the other, and one that is half way there tells nothing.
COLOURS_ARRIVED = """document.getAnimations()
  .filter(one => one instanceof CSSTransition).forEach(one => one.finish())"""
# What covers what at the top of a page, and what is cut off there.
COLLISIONS = """() => {
  const parts = [...document.querySelectorAll('.top > *, .tools > *, .nav > a > span')]
    .filter(one => one.checkVisibility() && !one.matches('.tools'))
    .map(one => [one.id || one.className || one.textContent, one.getBoundingClientRect()]);
  const found = [];
  for (const [name, a] of parts) for (const [other, b] of parts)
    if (name < other && a.left < b.right - 1 && b.left < a.right - 1
        && a.top < b.bottom - 1 && b.top < a.bottom - 1) found.push([name, other]);
  return found;
}"""
# The element that has the focus, when it shows that it has.
FOCUSED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return null;
  one.dataset.reached = '';
  const seen = [one, one.closest('.sw, label') ?? one, one.nextElementSibling ?? one].some(part =>
    [null, '::after'].some(of => parseFloat(getComputedStyle(part, of).outlineWidth) >= 1
      && getComputedStyle(part, of).outlineStyle !== 'none'));
  return seen ? 'seen' : one.outerHTML.slice(0, 120);
}"""
NOT_REACHED = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary')]
  .filter(one => !one.disabled && one.checkVisibility({ visibilityProperty: true })
    && one.type !== 'hidden' && one.type !== 'radio' && one.tabIndex >= 0
    && !('reached' in one.dataset))
  .map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def visit(owner: User, providers_on: object) -> Visit:
    """`visit(page, language)` goes to one page after the other and yields their names.

    The server has been in use for months.
    """
    failed = lived_in(owner)
    profile = Profile.objects.create(user=owner, time_zone="Europe/Paris")

    def visited(page: Page, language: str) -> Iterator[str]:
        profile.language = language
        for name, path in PAGES.items():
            profile.list_view = ListView.LIST if name == "list" else ListView.GRID
            profile.save()
            if name == "error":
                # Any browser writes a line for an answer 404; the page is looked at as it is.
                page.set_content(page.request.get(path).text())
            else:
                page.goto(path.format(failed=failed.pk))
            settled(page)
            yield name

    return visited


def wear(page: Page, scheme: Literal["light", "dark"]) -> None:
    """Change the theme, at once."""
    page.emulate_media(color_scheme=scheme)
    page.evaluate(COLOURS_ARRIVED)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("size", SIZES)
def test_axe_finds_nothing_on_any_page(
    open_page: Opener, visit: Visit, screenshot: Shot, language: str, size: str
) -> None:
    page = open_page(bypass_csp=True, **SIZES[size])
    found = {}
    for name in visit(page, language):
        screenshot(page, f"{name}-{size}-light-{language}")
        for summary in page.locator("main details:not([open]) > summary").all():
            if summary.is_visible():
                summary.click()
        found[name] = violations(page, without=COLOUR_RULES if language == "fr" else ())
        wear(page, "dark")
        screenshot(page, f"{name}-{size}-dark-{language}")
        if language == "en":
            found[name] += violations(page, rules=COLOUR_RULES)
        wear(page, "light")
    assert {name: problems for name, problems in found.items() if problems} == {}


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("widths", [(320, 390), (768, 1280)])
def test_no_page_is_too_wide_and_nothing_covers_the_frame(
    open_page: Opener, visit: Visit, language: str, widths: tuple[int, ...]
) -> None:
    WatchlistItem.objects.update(anime_title="An Extraordinarily Long Title " * 3)
    page = open_page(has_touch=max(widths) < TABLET_WIDTH)
    found = {}
    for name in visit(page, language):
        for width in widths:
            page.set_viewport_size({"width": width, "height": 800})
            found[name, width] = sideways(page), page.evaluate(COLLISIONS)
    assert {name: wrong for name, wrong in found.items() if wrong != (0, [])} == {}


def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    open_page: Opener, visit: Visit
) -> None:
    page = open_page()
    # A card that is fetched anew would have to be reached once more.
    page.route("**/watchlist/live*", lambda route: route.fulfill(status=204))
    found = {}
    for name in visit(page, "en"):
        unseen = set()
        for _ in range(400):
            page.keyboard.press("Tab")
            where = page.evaluate(FOCUSED)
            if where is None:
                break
            unseen |= {where} - {"seen"}
        missed = page.evaluate(NOT_REACHED)
        if unseen or missed:
            found[name] = (sorted(unseen)[:3], missed[:3])
    assert found == {}
