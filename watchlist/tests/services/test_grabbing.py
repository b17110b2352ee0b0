"""Wishes become shared downloads; progress follows what is in the library."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from downloads import claims
from downloads.models import Download
from downloads.signals import download_completed
from downloads.states import State
from watchlist.decisions import EpisodeState, Reason
from watchlist.models import Decision, Grab, ItemStatus, Series, WatchlistItem
from watchlist.selectors.episodes import find_episode
from watchlist.services import grabbing, items
from watchlist.services.downloads import cancel_for
from watchlist.services.preferences import change_settings
from watchlist.tests.factories import EpisodeFactory, SeriesFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def series() -> Series:
    series = SeriesFactory.create(title="Paper Lanterns")
    for number in range(1, 6):
        EpisodeFactory.create(series=series, number=Decimal(number))
    return series


@pytest.fixture
def item(series: Series) -> WatchlistItem:
    item = WatchlistItemFactory.create(series=series)
    grabbing.decide_again(item=item)
    return item


def finish(item: WatchlistItem, number: int | Decimal, library: Path) -> Download:
    """Put one episode into the library as a worker does."""
    download = Download.objects.get(grabs__item=item, grabs__episode__number=number)
    path = f"{download.target_folder}/{download.target_stem} [720p].mp4"
    (library / path).parent.mkdir(parents=True, exist_ok=True)
    (library / path).write_bytes(b"video")
    Download.objects.filter(pk=download.pk).update(state=State.COMPLETED, final_path=path)
    download_completed.send(sender=Download, download_id=download.pk)
    item.refresh_from_db()
    return download


def waiting(item: WatchlistItem) -> list[int]:
    grabs = Grab.objects.filter(item=item, download__state=State.QUEUED)
    return sorted(int(number) for number in grabs.values_list("episode__number", flat=True))


def test_everything_is_queued_for_a_new_item_without_a_start_point(item: WatchlistItem) -> None:
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_the_reason_of_each_decision_is_kept(series: Series) -> None:
    item = WatchlistItemFactory.create(series=series, last_episode_downloaded=Decimal(4))
    grabbing.decide_again(item=item)
    codes = Decision.objects.filter(item=item).order_by("episode__number")
    assert list(codes.values_list("code", flat=True)) == [
        *[Reason.BELOW_START] * 4,
        Reason.WANTED,
    ]


def test_two_users_with_the_same_quality_share_one_download(series: Series) -> None:
    for quality in ("auto", "auto", "720p"):
        grabbing.decide_again(
            item=WatchlistItemFactory.create(series=series, quality_preference=quality)
        )
    assert Download.objects.count() == 10


def test_a_later_follower_has_at_once_what_is_already_in_the_library(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    finish(item, 1, download_dir)
    later = WatchlistItemFactory.create(series=series)
    grabbing.decide_again(item=later)
    later.refresh_from_db()
    assert later.last_episode_downloaded == 1
    assert waiting(later) == [2, 3, 4, 5]


def test_a_file_that_was_deleted_is_fetched_again_for_a_later_follower(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    download = finish(item, 1, download_dir)
    (download_dir / Download.objects.get(pk=download.pk).final_path).unlink()
    later = WatchlistItemFactory.create(series=series)
    grabbing.decide_again(item=later)
    assert waiting(later) == [1, 2, 3, 4, 5]


def test_progress_follows_the_highest_episode_had_without_a_gap(
    item: WatchlistItem, download_dir: Path
) -> None:
    finish(item, 2, download_dir)
    assert item.last_episode_downloaded is None
    finish(item, 1, download_dir)
    assert item.last_episode_downloaded == 2
    finish(item, 5, download_dir)
    assert item.last_episode_downloaded == 2


def test_an_episode_that_the_site_lists_late_is_still_wanted(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    EpisodeFactory.create(series=series, number=Decimal(7))
    grabbing.decide_again(item=item)
    for number in (1, 2, 3, 4, 5, 7):
        finish(item, number, download_dir)
    assert item.last_episode_downloaded == 5
    late = EpisodeFactory.create(series=series, number=Decimal(6))
    grabbing.decide_again(item=item)
    assert waiting(item) == [6]
    finish(item, late.number, download_dir)
    assert item.last_episode_downloaded == 7


@pytest.mark.parametrize("number", ["5.5", "6", "1089"])
def test_a_half_number_or_another_way_of_counting_is_no_gap(
    item: WatchlistItem, series: Series, download_dir: Path, number: str
) -> None:
    EpisodeFactory.create(series=series, number=Decimal(number))
    grabbing.decide_again(item=item)
    for had in (1, 2, 3, 4, 5, Decimal(number)):
        finish(item, had, download_dir)
    assert item.last_episode_downloaded == Decimal(number)


def test_progress_agrees_with_the_state_for_who_gave_up_what_another_had_finished(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    other = WatchlistItemFactory.create(series=series)
    grabbing.decide_again(item=other)
    first = series.episodes.get(number=1)
    cancel_for(grab=Grab.objects.get(item=item, episode=first))
    given_up = find_episode(item, first.pk)
    assert given_up is not None
    assert (given_up.state, item.last_episode_downloaded) == (EpisodeState.SKIPPED, None)
    finish(other, 1, download_dir)
    for one in (item, other):
        one.refresh_from_db()
        row = find_episode(one, first.pk)
        assert row is not None
        assert row.state == EpisodeState.DOWNLOADED
        assert one.last_episode_downloaded == 1


def test_an_ignored_episode_is_no_gap(item: WatchlistItem, download_dir: Path) -> None:
    second = item.series.episodes.get(number=2)
    grabbing.set_ignored(item=item, episode=second, ignored=True)
    finish(item, 1, download_dir)
    assert waiting(item) == [3, 4, 5]
    assert item.last_episode_downloaded == 2


def test_an_episode_taken_back_from_ignored_is_queued_again(item: WatchlistItem) -> None:
    second = item.series.episodes.get(number=2)
    grabbing.set_ignored(item=item, episode=second, ignored=True)
    grabbing.set_ignored(item=item, episode=second, ignored=False)
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_pausing_withdraws_what_waits_and_resuming_queues_it_again(item: WatchlistItem) -> None:
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert waiting(item) == []
    assert not Download.objects.filter(state=State.QUEUED).exists()
    items.set_status(item=item, status=ItemStatus.ACTIVE)
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_pausing_leaves_a_running_download_alone(item: WatchlistItem) -> None:
    claim = claims.claim_next("worker")
    assert claim is not None
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert Download.objects.get(pk=claim.download_id).state == State.RESOLVING


def test_pausing_leaves_a_download_that_somebody_else_wants(
    item: WatchlistItem, series: Series
) -> None:
    grabbing.decide_again(item=WatchlistItemFactory.create(series=series))
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert Download.objects.filter(state=State.QUEUED).count() == 5


def test_raising_the_start_point_withdraws_what_lies_below(item: WatchlistItem) -> None:
    items.change(item=item, changes={"last_episode_downloaded": Decimal(3)})
    assert waiting(item) == [4, 5]


def test_another_quality_replaces_the_waiting_downloads(item: WatchlistItem) -> None:
    items.change(item=item, changes={"quality_preference": "480p"})
    states = Download.objects.values_list("quality", "state").distinct()
    assert set(states) == {("auto", State.CANCELLED), ("480p", State.QUEUED)}


def test_a_change_that_says_nothing_new_writes_nothing(item: WatchlistItem) -> None:
    before = Download.objects.get(grabs__item=item, grabs__episode__number=1).events.count()
    items.change(item=item, changes={"quality_preference": "auto", "status": "active"})
    after = Download.objects.get(grabs__item=item, grabs__episode__number=1).events.count()
    assert before == after


def test_an_episode_below_the_start_can_be_had_by_hand(series: Series) -> None:
    item = WatchlistItemFactory.create(
        series=series, last_episode_downloaded=Decimal(5), auto_download=False
    )
    grabbing.decide_again(item=item)
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


def test_switching_it_off_for_everybody_withdraws_and_on_again_queues(
    item: WatchlistItem,
) -> None:
    change_settings(changes={"auto_download_enabled": False})
    grabbing.decide_marked()
    assert waiting(item) == []
    change_settings(changes={"auto_download_enabled": True})
    grabbing.decide_marked()
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_a_completion_whose_signal_was_lost_is_repaired(item: WatchlistItem) -> None:
    first = Download.objects.get(grabs__item=item, grabs__episode__number=1)
    Download.objects.filter(pk=first.pk).update(state=State.COMPLETED)
    assert grabbing.settle_missed() == 1
    item.refresh_from_db()
    assert item.last_episode_downloaded == 1
