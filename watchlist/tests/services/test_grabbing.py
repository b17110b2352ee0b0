"""Wishes become shared downloads; what nobody wants any more is given up."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from downloads import claims
from downloads.models import Download
from downloads.states import State
from watchlist.models import ItemStatus, Series, WatchlistItem
from watchlist.selectors.stats import stats_of
from watchlist.services import deciding, grabbing, items
from watchlist.tests.factories import WatchlistItemFactory
from watchlist.tests.grabs import finish, waiting

pytestmark = pytest.mark.django_db


def test_two_users_with_the_same_quality_share_one_download(series: Series) -> None:
    for quality in ("auto", "auto", "720p"):
        deciding.decide_again(
            item=WatchlistItemFactory.create(series=series, quality_preference=quality)
        )
    assert Download.objects.count() == 10


def test_a_later_follower_has_at_once_what_is_already_in_the_library(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    finish(item, 1, download_dir)
    later = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=later)
    later.refresh_from_db()
    assert later.last_episode_downloaded == 1
    assert waiting(later) == [2, 3, 4, 5]


def test_a_file_that_was_deleted_is_fetched_again_for_a_later_follower(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    download = finish(item, 1, download_dir)
    (download_dir / Download.objects.get(pk=download.pk).final_path).unlink()
    later = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=later)
    assert waiting(later) == [1, 2, 3, 4, 5]


def test_who_had_a_file_that_is_gone_does_not_have_it_when_others_give_it_up(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    download = finish(item, 2, download_dir)
    (download_dir / Download.objects.get(pk=download.pk).final_path).unlink()
    later = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=later)
    items.unfollow(item=later)
    assert stats_of(item.user).episodes_downloaded == 0
    deciding.decide_marked()
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_an_episode_below_the_start_can_be_had_by_hand(series: Series) -> None:
    item = WatchlistItemFactory.create(
        series=series, last_episode_downloaded=Decimal(5), auto_download=False
    )
    deciding.decide_again(item=item)
    download = grabbing.grab_by_hand(item=item, episode=series.episodes.get(number=2))
    assert (download.state, download.is_automatic) == (State.QUEUED, False)


def test_a_download_asked_for_by_hand_survives_a_pause(item: WatchlistItem) -> None:
    grabbing.grab_by_hand(item=item, episode=item.series.episodes.get(number=2))
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert waiting(item) == [2]


def test_no_longer_following_gives_up_what_is_under_way_and_keeps_files(
    item: WatchlistItem, download_dir: Path
) -> None:
    finish(item, 1, download_dir)
    items.unfollow(item=item)
    assert not Download.objects.filter(state=State.QUEUED).exists()
    assert Download.objects.filter(state=State.COMPLETED).count() == 1
    assert list(download_dir.rglob("*.mp4"))


def test_pausing_leaves_a_download_that_somebody_else_wants(
    item: WatchlistItem, series: Series
) -> None:
    deciding.decide_again(item=WatchlistItemFactory.create(series=series))
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert Download.objects.filter(state=State.QUEUED).count() == 5


def test_pausing_leaves_a_running_download_alone(item: WatchlistItem) -> None:
    claim = claims.claim_next("worker")
    assert claim is not None
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert Download.objects.get(pk=claim.download_id).state == State.RESOLVING


def folders() -> set[str]:
    return {
        path.partition("/")[0] for path in Download.objects.values_list("target_folder", flat=True)
    }


def test_a_title_that_the_site_changes_divides_no_series_in_two(
    item: WatchlistItem, series: Series
) -> None:
    Series.objects.update(title="Paper Lanterns")
    grabbing.grab_by_hand(item=item, episode=series.episodes.get(number=2))
    Series.objects.update(title="Paper Lanterns (Saison 1)")
    items.set_status(item=item, status=ItemStatus.PAUSED)
    items.set_status(item=item, status=ItemStatus.ACTIVE)
    assert Download.objects.count() == 5
    assert folders() == {"Paper Lanterns"}


def test_a_guessed_title_does_not_name_the_folder_for_good(series: Series) -> None:
    Series.objects.update(title="paper lanterns 2", is_title_guessed=True)
    series.refresh_from_db()
    item = WatchlistItemFactory.create(series=series, auto_download=False)
    grabbing.grab_by_hand(item=item, episode=series.episodes.get(number=1))
    Series.objects.update(title="Paper Lanterns", is_title_guessed=False)
    item = WatchlistItem.objects.get(pk=item.pk)
    grabbing.grab_by_hand(item=item, episode=series.episodes.get(number=2))
    assert folders() == {"paper lanterns 2", "Paper Lanterns"}
