"""What the first view may weigh and ask, with two hundred series on the list."""

from __future__ import annotations

import gzip
from pathlib import Path

import brotli
import django_htmx
import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.e2e.scenery import furnish
from watchlist.models import WatchlistItem
from watchlist.tests.factories import AdministratorFactory

SERIES = 200
FIRST_VIEW_BYTES = 60_000
STYLE_BYTES = 8_000
SCRIPT_BYTES = 20_000
PAGE_QUERIES = 8

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner() -> User:
    owner = AdministratorFactory.create()
    furnish(owner, SERIES, posters=False)
    return owner


@pytest.fixture
def browser(owner: User) -> Client:
    client = Client()
    client.force_login(owner)
    return client


def weight(*files: Path) -> int:
    """Bytes over the wire, as the server sends finished files."""
    return sum(len(brotli.compress(file.read_bytes())) for file in files)


def static(*names: str) -> list[Path]:
    return [Path(settings.BASE_DIR) / "static" / name for name in names]


def htmx() -> Path:
    package = Path(django_htmx.__file__).parent
    return package / "static" / "django_htmx" / "htmx-2.min.js"


def test_the_first_view_is_light(browser: Client) -> None:
    page = browser.get("/watchlist", headers={"Accept-Encoding": "gzip"})
    assert page.headers["Content-Encoding"] == "gzip"
    style, script = weight(*static("app.css")), weight(*static("app.js"), htmx())
    pictures = weight(*static("icons.svg", "icon.svg"))
    assert style <= STYLE_BYTES
    assert script <= SCRIPT_BYTES
    assert len(page.content) + style + script + pictures <= FIRST_VIEW_BYTES
    assert gzip.decompress(page.content).count(b'class="card"') == 60


@pytest.mark.parametrize("address", ["/watchlist", "/watchlist?page=2", "/watchlist?sort=progress"])
def test_the_list_asks_the_database_a_few_times(browser: Client, address: str) -> None:
    browser.get("/watchlist")
    with CaptureQueriesContext(
        connection,
    ) as asked:
        browser.get(address)
    assert len(asked) <= PAGE_QUERIES, [query["sql"][:120] for query in asked]


def test_one_card_costs_the_same_however_long_the_list_is(browser: Client, owner: User) -> None:
    item = WatchlistItem.objects.filter(user=owner).first()
    assert item is not None
    browser.get("/watchlist")
    with CaptureQueriesContext(connection) as asked:
        browser.get(f"/watchlist/cards?id={item.pk}", headers={"HX-Request": "true"})
    assert len(asked) <= PAGE_QUERIES, [query["sql"][:120] for query in asked]
