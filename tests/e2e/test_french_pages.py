"""The pages in French: no English sentence is left."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import polib
import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from playwright.sync_api import Page

from tests.e2e.conftest import PHONE, Opener, settled, sideways
from tests.e2e.scenery import furnish
from tests.e2e.test_watchlist_page import of_kind
from watchlist.models import Profile

Shot = Callable[[Page, str], None]
CATALOGUE = Path(django_settings.BASE_DIR) / "locale" / "fr" / "LC_MESSAGES" / "django.po"
PAGES = (
    "/watchlist",
    "/watchlist?select=1",
    "/watchlist/add",
    "/more",
    "/setup/ready",
    "/downloads",
    "/calendar",
    "/stats",
    "/notifications",
    "/settings",
    "/settings/providers",
    "/settings/users",
    "/settings/account",
    "/settings/tokens",
    "/settings/about",
)

# Parts of an open dialog or a toast that stick out of it.
TOO_WIDE = """() => [...document.querySelectorAll('dialog[open], .toast')].flatMap(box =>
  [...box.querySelectorAll('*')]
    .filter(one => one.checkVisibility() && !one.closest('.vh')
      && one.getBoundingClientRect().right > box.getBoundingClientRect().right + 1)
    .map(one => one.outerHTML.slice(0, 100)))"""


def english_lines() -> frozenset[str]:
    """What stands in the sources and reads otherwise in French; short words may be both."""
    return frozenset(
        entry.msgid.strip()
        for entry in polib.pofile(str(CATALOGUE))
        if entry.msgstr != entry.msgid and "%" not in entry.msgid and len(entry.msgid) > 3
    )


def lines_of(page: Page) -> set[str]:
    text = page.locator("body").inner_text()
    hidden = page.locator(".vh").all_text_contents()
    return {part.strip() for line in [*text.splitlines(), *hidden] for part in line.split("·")}


@pytest.fixture
def french(owner: User) -> User:
    Profile.objects.create(user=owner, language="fr", time_zone="Europe/Paris")
    return owner


@pytest.mark.parametrize("address", PAGES)
def test_no_english_is_left(open_page: Opener, french: User, address: str) -> None:
    furnish(french, 9, posters=False)
    page = open_page(address)
    settled(page)
    assert page.locator("html").get_attribute("lang") == "fr"
    assert lines_of(page) & english_lines() == set()


@pytest.mark.parametrize("tab", ["episodes", "settings", "history"])
def test_no_english_is_left_on_a_series(open_page: Opener, french: User, tab: str) -> None:
    things = furnish(french, 9, posters=False)
    page = open_page(f"/watchlist/{of_kind(things, 'downloading').pk}?tab={tab}")
    assert lines_of(page) & english_lines() == set()


def test_the_first_visit_speaks_french_to_a_french_browser(
    open_page: Opener, owner: User, screenshot: Shot
) -> None:
    owner.delete()
    page = open_page("/", sign_in=False, locale="fr-FR", viewport=PHONE)
    assert page.locator("h1").inner_text() == "Bienvenue dans Tsuzuku"
    assert lines_of(page) & english_lines() == set()
    screenshot(page, "setup-french")


def test_dialogs_and_toasts_fit_a_narrow_phone(open_page: Opener, french: User) -> None:
    item = of_kind(furnish(french, 9), "current")
    page = open_page(viewport={"width": 320, "height": 700}, has_touch=True)
    page.locator(f"#m{item.pk}").click()
    page.wait_for_selector("dialog[open] form")
    page.wait_for_load_state("networkidle")
    assert page.evaluate(TOO_WIDE) == []
    page.get_by_role("dialog").get_by_role("button", name="Enregistrer").click()
    page.wait_for_selector(".toast button")
    assert page.evaluate(TOO_WIDE) == []


def test_long_words_do_not_make_a_narrow_phone_scroll(
    open_page: Opener, french: User, screenshot: Shot
) -> None:
    furnish(french, 9)
    page = open_page(viewport={"width": 320, "height": 700}, has_touch=True)
    assert sideways(page) == 0
    page.set_viewport_size({"width": 1280, "height": 900})
    screenshot(page, "watchlist-french")
    clock = page.locator(".beat").inner_text()
    assert re.search(r"Prochaine vérification", clock)
