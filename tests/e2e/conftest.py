"""A browser on the live server: Debian's Chromium, signed-in pages, console errors that fail."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

# Playwright keeps an event loop in this thread, and Django then refuses its database here.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from playwright.sync_api import Browser, BrowserContext, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from providers.demo.site import DemoSite
from providers.safe_url import EgressPolicy
from providers.types import Pace
from watchlist.services import scheduler
from watchlist.tests.factories import AdministratorFactory

# The list under the address bar is a page of its own in every window, and takes its time. Chromium
# reads the last such argument alone, so what Playwright leaves out is here, too.
LEFT_OUT = (
    "WebUIOmniboxPopup",
    "WebUIOmniboxAimPopup",
    "AimEnabled",
    "AvoidCorsURLLoaderRestartOnRedirect",
    "AvoidUnnecessaryBeforeUnloadCheckSync",
    "DestroyProfileOnBrowserClose",
    "HttpsFirstBalancedModeAutoEnable",
    "HttpsUpgrades",
    "LensOverlay",
    "MediaRouter",
    "NetworkTimeServiceQuerying",
    "OptimizationHints",
    "PaintHolding",
    "PreconnectToSearch",
    "ThirdPartyStoragePartitioning",
)
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    f"--disable-features={','.join(LEFT_OUT)}",
    # Nothing but this machine. A route in the test would do it too, but it turns the cache off.
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
]
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SCREENSHOTS = Path(django_settings.BASE_DIR) / "screenshots"
AXE_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
AXE_FINDINGS = """async options => (await axe.run(document, options)).violations.map(
  rule => `${rule.id}: ${JSON.stringify(rule.nodes.slice(0, 3).map(node => node.target))}`)"""
# Every picture that is seen is there, and so is what htmx fetches as soon as it is loaded.
SETTLED = """() => document.readyState === 'complete'
  && !document.querySelector('.htmx-request')
  && [...document.images].every(one =>
    one.complete || !one.checkVisibility() || one.getBoundingClientRect().top > innerHeight)"""
Opener = Callable[..., Page]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder drives a browser."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Debian's Chromium; without it these tests fail in CI and are left out elsewhere."""
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed, and CI must run the browser tests.")
        pytest.skip("CHROMIUM IS NOT INSTALLED: the browser tests were left out.")
    return {**browser_type_launch_args, "executable_path": chromium, "args": ARGUMENTS}


@pytest.fixture
def owner(db: None) -> User:
    """The administrator who looks at the pages."""
    return AdministratorFactory.create(username="sam")


@pytest.fixture
def healthy(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers and beat give signs of life, as on a machine that runs."""
    monkeypatch.setattr(scheduler, "BEAT_SILENCE", timedelta(minutes=10))
    scheduler.install_schedule()
    PeriodicTask.objects.filter(name=scheduler.HEARTBEAT_NAME).update(last_run_at=timezone.now())
    for name in ("checks", "downloads"):
        cache.set(f"worker:{name}", timezone.now().isoformat(), 600)


@pytest.fixture
def open_page(
    browser: Browser, live_server: LiveServer, owner: User, healthy: None
) -> Iterator[Opener]:
    """`open_page(path, **context)`: a signed-in page; any console error fails the test."""
    contexts: list[BrowserContext] = []
    troubles: list[str] = []

    def opened(path: str = "/watchlist", *, sign_in: bool = True, **options: Any) -> Page:
        chosen = {"viewport": DESKTOP, "locale": "en-GB", "reduced_motion": "reduce"} | options
        context = browser.new_context(base_url=live_server.url, **chosen)
        contexts.append(context)
        context.set_default_timeout(10_000)
        if sign_in:
            _sign_in(context, owner, live_server.url)
        page = context.new_page()
        page.on("console", lambda message: _note(troubles, message.type, message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        page.on("dialog", lambda dialog: troubles.append(f"dialog: {dialog.message}"))
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not troubles, troubles


@pytest.fixture(scope="session")
def demo_site() -> Iterator[DemoSite]:
    """Invented series in the form of every provider, on loopback."""
    with DemoSite() as site:
        yield site


@pytest.fixture
def providers_on(demo_site: DemoSite, settings: Settings) -> DemoSite:
    """The providers lead to the demo site."""
    settings.EGRESS_POLICY = EgressPolicy.parse(demo_site.allowed_hosts)
    names = ("animesama", "nekosama", "animeultime")
    settings.PROVIDER_BASE_URLS = {name: demo_site.provider_base(name) for name in names}
    settings.PROVIDER_PACE = {name: Pace(500, 20) for name in (*names, "feed")}
    return demo_site


@pytest.fixture
def screenshot() -> Callable[[Page, str], None]:
    """`screenshot(page, name)` writes a picture for people to look at."""
    SCREENSHOTS.mkdir(exist_ok=True)

    def taken(page: Page, name: str) -> None:
        page.screenshot(path=str(SCREENSHOTS / f"{name}.png"))

    return taken


def settled(page: Page) -> None:
    """Wait until a page that was just opened is all there."""
    page.wait_for_load_state("load")
    page.wait_for_function(SETTLED)


def violations(page: Page, *, rules: Sequence[str] = (), without: Sequence[str] = ()) -> list[str]:
    """What axe finds on the page; the context needs `bypass_csp=True`."""
    page.wait_for_load_state("load")  # before its style is there a button has no size
    page.evaluate("scrollTo(0, 0)")  # what the bar at the top half covers counts as too small
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    chosen = {"type": "rule", "values": rules} if rules else {"type": "tag", "values": AXE_TAGS}
    left_out = {rule: {"enabled": False} for rule in without}
    options = {"runOnly": chosen, "rules": left_out, "resultTypes": ["violations"]}
    return list(page.evaluate(AXE_FINDINGS, options))


def sideways(page: Page) -> int:
    """How many pixels the page can be scrolled sideways, once its style is there."""
    page.wait_for_load_state("load")
    return int(
        page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    )


def _sign_in(context: BrowserContext, user: User, url: str) -> None:
    client = Client()
    client.force_login(user)
    session = client.cookies[django_settings.SESSION_COOKIE_NAME].value
    context.add_cookies(
        [{"name": django_settings.SESSION_COOKIE_NAME, "value": session, "url": url}]
    )


def _note(troubles: list[str], kind: str, text: str) -> None:
    # A form that cannot be saved answers 422, and Chromium writes every such answer down.
    if kind == "error" and "status of 422" not in text:
        troubles.append(text)
