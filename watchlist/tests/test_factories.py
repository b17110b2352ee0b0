"""The factories make rows that the database accepts and that fit together."""

from __future__ import annotations

from typing import Any

import pytest
from factory.django import DjangoModelFactory

from downloads.states import State
from watchlist.tests import factories

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "factory",
    [
        factories.UserFactory,
        factories.AdministratorFactory,
        factories.ProfileFactory,
        factories.SeriesFactory,
        factories.WatchlistItemFactory,
        factories.CheckFactory,
        factories.EpisodeFactory,
        factories.DownloadFactory,
        factories.DownloadEventFactory,
        factories.DownloadAttemptFactory,
        factories.GrabFactory,
        factories.DecisionFactory,
        factories.NotificationFactory,
    ],
)
def test_two_rows_of_each_kind_can_be_made(factory: type[DjangoModelFactory[Any]]) -> None:
    first, second = factory.create_batch(2)
    assert first.pk != second.pk


def test_a_grab_is_for_an_episode_of_its_items_series() -> None:
    grab = factories.GrabFactory.create()
    assert grab.episode.series_id == grab.item.series_id


def test_a_completed_grab_is_settled() -> None:
    grab = factories.GrabFactory.create(download=factories.DownloadFactory.create(completed=True))
    assert grab.download.state == State.COMPLETED
    assert grab.completed_at is not None


def test_a_token_can_be_made_for_a_user() -> None:
    assert factories.token_for(factories.UserFactory.create()).startswith("tsz_")
