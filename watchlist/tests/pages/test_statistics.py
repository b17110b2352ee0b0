from __future__ import annotations

import re
from datetime import date, timedelta

import pytest
from django.test import Client

from watchlist.pages.chart import BOTTOM, TOP, draw
from watchlist.selectors.statistics import Bar
from watchlist.tests.factories import (
    DownloadFactory,
    GrabFactory,
    UserFactory,
    WatchlistItemFactory,
)

DAY = date(2026, 11, 20)


def bars(*figures: tuple[int, int]) -> list[Bar]:
    return [
        Bar(DAY + timedelta(days=place), done, failed, 0)
        for place, (done, failed) in enumerate(figures)
    ]


@pytest.mark.parametrize("highest", [0, 1, 3, 4, 7, 99, 1000, 20_000])
def test_the_highest_bar_stays_within_the_drawing(highest: int) -> None:
    chart = draw(bars((highest, 0), (0, highest), (highest // 2, highest - highest // 2)))
    for column in chart.columns:
        top = min(column.done_y, column.failed_y)
        assert TOP - 0.1 <= top <= BOTTOM
        assert column.done_height >= 0
        assert column.failed_height >= 0
    assert [line.value for line in chart.lines] == sorted({line.value for line in chart.lines})


def test_what_failed_stands_on_what_was_done() -> None:
    (column,) = draw(bars((3, 1))).columns
    assert column.failed_y + column.failed_height < column.done_y


def test_only_a_few_days_are_named() -> None:
    chart = draw(bars(*[(1, 0)] * 30))
    assert 5 <= sum(column.label is not None for column in chart.columns) <= 8


def test_an_empty_period_has_no_best_day() -> None:
    assert draw(bars((0, 0), (0, 0))).best is None


@pytest.mark.django_db
@pytest.mark.parametrize(("query", "count"), [("7", 7), ("30", 30), ("365", 53), ("x", 30)])
def test_there_is_a_row_for_each_bar(client: Client, query: str, count: int) -> None:
    grab = GrabFactory.create(
        item=WatchlistItemFactory.create(), download=DownloadFactory.create(completed=True)
    )
    client.force_login(grab.item.user)
    html = client.get("/stats", {"days": query}).content.decode()
    table = html.split('id="per-day"')[1].split("</table>")[0]
    assert table.count("<tr>") == count + 1
    assert 'role="img"' in html
    assert "style=" not in html


@pytest.mark.django_db
def test_coordinates_keep_their_point_in_french(client: Client) -> None:
    grab = GrabFactory.create(
        item=WatchlistItemFactory.create(), download=DownloadFactory.create(completed=True)
    )
    client.force_login(grab.item.user)
    html = client.get("/stats", headers={"Accept-Language": "fr"}).content.decode()
    drawing = html.split('<svg class="chart"')[1].split("</svg>")[0]
    assert not re.search(r'(?:x|y|width|height)="\d+,', drawing)


@pytest.mark.django_db
def test_nothing_downloaded_is_said(client: Client) -> None:
    client.force_login(UserFactory.create())
    assert b"Nothing was downloaded in this time" in client.get("/stats").content
