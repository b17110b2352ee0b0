"""A series of five episodes, and somebody who follows it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from watchlist.models import Series, WatchlistItem
from watchlist.services import deciding
from watchlist.tests.factories import EpisodeFactory, SeriesFactory, WatchlistItemFactory


@pytest.fixture
def series() -> Series:
    series = SeriesFactory.create(title="Paper Lanterns")
    for number in range(1, 6):
        EpisodeFactory.create(series=series, number=Decimal(number))
    return series


@pytest.fixture
def item(series: Series) -> WatchlistItem:
    item = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=item)
    return item
