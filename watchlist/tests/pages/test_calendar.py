from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from watchlist.models import WatchlistItem
from watchlist.tests.factories import EpisodeFactory, ProfileFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def item(client: Client) -> WatchlistItem:
    made: WatchlistItem = WatchlistItemFactory.create(anime_title="Glass Harbour")
    client.force_login(made.user)
    now = timezone.now()
    for step in range(4):
        EpisodeFactory.create(
            series=made.series,
            number=Decimal(4 - step),
            first_seen_at=now - timedelta(days=7 * step + 2),
        )
    return made


@pytest.mark.usefixtures("item")
def test_a_phone_sees_the_agenda_and_a_desktop_the_month(client: Client) -> None:
    html = client.get("/calendar").content.decode()
    assert 'class="month wide-only"' in html
    assert 'class="agenda narrow-only"' in html


@pytest.mark.usefixtures("item")
def test_a_choice_shows_one_alone(client: Client) -> None:
    month = client.get("/calendar?view=month").content.decode()
    assert 'class="month"' in month
    assert "agenda" not in month.split("</nav>")[-1]
    agenda = client.get("/calendar?view=agenda").content.decode()
    assert 'class="agenda"' in agenda
    assert "<table" not in agenda


@pytest.mark.usefixtures("item")
def test_a_guess_is_called_a_guess(client: Client) -> None:
    html = client.get("/calendar?view=agenda").content.decode()
    assert "Expected" in html
    assert "every 7 days so far" in html
    assert "a guess by the rhythm so far" in html


def test_the_time_zone_is_named(client: Client, item: WatchlistItem) -> None:
    ProfileFactory.create(user=item.user, time_zone="Asia/Tokyo")
    assert "Asia/Tokyo" in client.get("/calendar").content.decode()


@pytest.mark.usefixtures("item")
@pytest.mark.parametrize(
    "query",
    ["month=2026-02", "month=1990-01", "month=2100-12", "month=9999-99", "month=x", "month=-",
     "month=2026-13", "month=²-¹", "view=nonsense", "lang=%0a", "lang=" + "x" * 500],
)  # fmt: skip
def test_any_address_gives_a_page(client: Client, query: str) -> None:
    assert client.get(f"/calendar?{query}").status_code == 200


@pytest.mark.usefixtures("item")
def test_the_page_needs_few_queries(
    client: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(14):
        client.get("/calendar")
