"""A feed whose numbers begin again with each season: start and progress are places in it."""

from __future__ import annotations

import importlib
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext

from providers.types import EpisodeList, EpisodeListing
from watchlist.models import Decision, Grab, Series, WatchlistItem
from watchlist.pages.cards import cards_of
from watchlist.selectors.episodes import episodes_of
from watchlist.selectors.watchlist_page import add_details, entries_of
from watchlist.services import deciding, items, listing, outcomes, restoring
from watchlist.services.outcomes import Answer
from watchlist.tests.factories import SeriesFactory, WatchlistItemFactory, running_check
from watchlist.tests.grabs import finish

pytestmark = pytest.mark.django_db

Places = list[tuple[int, int]]


def season(number: int, last: int, first: int = 1) -> Places:
    return [(number, episode) for episode in range(first, last + 1)]


def check(series: Series, places: Places) -> None:
    listed = [
        EpisodeListing(
            ref=f"s{season}e{number}", number=Decimal(number), season=season, position=place
        )
        for place, (season, number) in enumerate(places)
    ]
    answer = Answer(running_check(series), EpisodeList(tuple(listed)))
    listing.record(answers=[answer], around=outcomes.circumstances())
    series.refresh_from_db()


def follower(series: Series, start: int | None = None, **columns: Any) -> WatchlistItem:
    item: WatchlistItem = WatchlistItemFactory.create(series=series, **columns)
    deciding.decide_again(item=item)
    if start is not None:
        item = items.change(item=item, changes={"last_episode_downloaded": Decimal(start)})
    return item


def wanted(item: WatchlistItem, *order: str) -> Places:
    grabs = Grab.objects.filter(item=item)
    grabs = grabs.order_by(*order or ("episode__season", "episode__number"))
    rows = grabs.values_list("episode__season", "episode__number")
    return [(season, int(number)) for season, number in rows]


def place_of(item: WatchlistItem) -> tuple[int | None, float | None]:
    item.refresh_from_db()
    number = item.last_episode_downloaded
    return item.last_season_downloaded, None if number is None else float(number)


def reasons_of(item: WatchlistItem) -> dict[tuple[int, int], str]:
    item = WatchlistItem.objects.select_related("series").get(pk=item.pk)
    return {(row.season, int(row.number)): row.reason for row in episodes_of(item)}


@pytest.fixture
def series() -> Series:
    series: Series = SeriesFactory.create(provider_id="feed")
    check(series, season(1, 12))
    return series


def test_the_second_season_is_downloaded_by_who_has_the_first(series: Series) -> None:
    item = follower(series, 12)
    check(series, [*season(1, 12), (2, 1)])
    assert wanted(item) == [(2, 1)]
    assert (series.latest_season, series.latest_episode) == (2, Decimal(1))


def test_it_is_downloaded_by_who_said_a_number_before_any_episode_was_known() -> None:
    series = SeriesFactory.create(provider_id="feed")
    item = follower(series, 1)
    check(series, [(1, 1)])
    check(series, [(1, 1), (2, 1)])
    assert wanted(item) == [(2, 1)]


def test_a_number_said_before_the_first_list_belongs_to_the_last_season_that_has_it() -> None:
    series = SeriesFactory.create(provider_id="feed")
    item = follower(series, 2)
    check(series, [*season(1, 3), *season(2, 3)])
    assert (place_of(item), wanted(item)) == ((2, 2), [(2, 3)])


def test_a_whole_feed_is_queued_season_by_season_and_the_progress_goes_through(
    download_dir: Path,
) -> None:
    series = SeriesFactory.create(provider_id="feed")
    item = follower(series)
    places = [*season(1, 2), *season(2, 2)]
    check(series, places)
    assert wanted(item, "download__position") == places
    for place in places:
        finish(item, place[1], download_dir, season=place[0])
        assert place_of(item) == place


def test_the_progress_waits_for_the_first_season_and_for_what_is_listed_late(
    download_dir: Path,
) -> None:
    series = SeriesFactory.create(provider_id="feed")
    item = follower(series)
    check(series, [*season(1, 2), (2, 2)])
    finish(item, 2, download_dir, season=2)
    assert place_of(item) == (None, None)
    finish(item, 1, download_dir, season=1)
    finish(item, 2, download_dir, season=1)
    assert place_of(item) == (1, 2)
    check(series, [*season(1, 2), *season(2, 2)])
    finish(item, 1, download_dir, season=2)
    assert place_of(item) == (2, 2)


def test_a_season_that_counts_on_from_the_one_before_is_no_gap(download_dir: Path) -> None:
    series = SeriesFactory.create(provider_id="feed")
    item = follower(series)
    check(series, [*season(1, 2), (2, 3)])
    for place in [*season(1, 2), (2, 3)]:
        finish(item, place[1], download_dir, season=place[0])
    assert place_of(item) == (2, 3)


def test_the_season_of_the_start_is_named_when_there_are_several(series: Series) -> None:
    item = follower(series, 2)
    plain = "Below the start point: you follow from after episode 2."
    assert reasons_of(item)[1, 1] == plain
    check(series, [*season(1, 12), *season(2, 3)])
    assert reasons_of(item)[1, 1] == plain[:-1] + " of season 1."
    item = items.change(item=item, changes={"last_episode_downloaded": Decimal(3)})
    assert reasons_of(item)[2, 3] == plain.replace("2.", "3 of season 2.")
    assert Decision.objects.get(item=item, episode__ref="s1e12").facts["season"] == 2


def test_the_card_counts_and_is_behind_by_season(series: Series, download_dir: Path) -> None:
    item = follower(series, 12)
    check(series, [*season(1, 12), *season(2, 2)])
    finish(item, 2, download_dir, season=2)
    entry = entries_of(item.user_id)[0]
    add_details([entry])
    assert entry.details is not None
    assert (entry.is_behind, entry.details.have, entry.known) == (True, 13, 14)
    assert cards_of([entry])[0].line == "S2 Ep 1 · waits for its turn"
    finish(item, 1, download_dir, season=2)
    entry = entries_of(item.user_id)[0]
    add_details([entry])
    assert entry.details is not None
    assert (entry.is_behind, entry.details.have) == (False, 14)


def test_a_removal_taken_back_keeps_the_season(series: Series) -> None:
    check(series, [*season(1, 12), *season(2, 12)])
    item = follower(series, auto_download=False)
    WatchlistItem.objects.filter(pk=item.pk).update(
        last_season_downloaded=1, last_episode_downloaded=Decimal(12)
    )
    item.refresh_from_db()
    memory = restoring.memories_of([item])[0]
    items.unfollow(item=item)
    again = restoring.restore(user=item.user, memory=memory)
    assert again is not None
    assert place_of(again) == (1, 12)


def test_rows_from_before_seasons_were_kept_mean_what_they_meant(series: Series) -> None:
    places = [*season(1, 12), *season(2, 3)]
    check(series, places)
    item = follower(series, auto_download=False)
    alone = SeriesFactory.create(ref="alone")
    check(alone, season(2, 4))
    Series.objects.update(latest_season=None, has_seasons=False, latest_episode=Decimal(12))
    WatchlistItem.objects.update(last_episode_downloaded=Decimal(12))
    migration = importlib.import_module("watchlist.migrations.0005_seasons")
    migration.find_latest(apps, None)
    facts = Series.objects.values_list("ref", "latest_season", "latest_episode", "has_seasons")
    assert set(facts) == {
        (series.ref, 2, Decimal(3), True),
        ("alone", 2, Decimal(12), False),
    }
    assert place_of(item) == (None, 12)
    assert reasons_of(item)[2, 3] == "Below the start point: you follow from after episode 12."


def test_the_next_new_episode_gives_such_a_row_its_season(series: Series) -> None:
    places = [*season(1, 12), *season(2, 2)]
    check(series, places)
    item = follower(series)
    Grab.objects.filter(item=item).delete()
    WatchlistItem.objects.update(
        last_episode_downloaded=Decimal(12), last_season_downloaded=None, needs_decision=False
    )
    check(series, [*places, (2, 3)])
    assert (place_of(item), wanted(item)) == ((1, 12), [(2, 3)])
    deciding.decide_marked()
    assert wanted(item) == season(2, 3)


def test_with_one_season_nothing_more_is_asked(series: Series) -> None:
    item = follower(series, auto_download=False)
    with CaptureQueriesContext(connection) as asked:
        items.change(item=item, changes={"last_episode_downloaded": Decimal(4)})
    assert not [query for query in asked if "MIN(" in query["sql"]]
    check(series, season(1, 13))
    assert place_of(item) == (1, 4)
