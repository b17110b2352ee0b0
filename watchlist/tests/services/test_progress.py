"""Progress follows what is in the library, and everybody who waited is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from threading import Barrier

import pytest
from django.db import connection

from downloads.models import Download
from downloads.signals import download_completed
from downloads.states import State
from watchlist.decisions import EpisodeState
from watchlist.models import (
    Episode,
    Grab,
    Notification,
    NotificationKind,
    Series,
    WatchlistItem,
)
from watchlist.selectors.episodes import find_episode
from watchlist.services import deciding, progress
from watchlist.services.downloads import cancel_for
from watchlist.tests.factories import EpisodeFactory, WatchlistItemFactory
from watchlist.tests.grabs import finish, waiting

pytestmark = pytest.mark.django_db


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
    deciding.decide_again(item=item)
    for number in (1, 2, 3, 4, 5, 7):
        finish(item, number, download_dir)
    assert item.last_episode_downloaded == 5
    late = EpisodeFactory.create(series=series, number=Decimal(6))
    deciding.decide_again(item=item)
    assert waiting(item) == [6]
    finish(item, late.number, download_dir)
    assert item.last_episode_downloaded == 7


@pytest.mark.parametrize("number", ["5.5", "6", "1089"])
def test_a_half_number_or_another_way_of_counting_is_no_gap(
    item: WatchlistItem, series: Series, download_dir: Path, number: str
) -> None:
    EpisodeFactory.create(series=series, number=Decimal(number))
    deciding.decide_again(item=item)
    for had in (1, 2, 3, 4, 5, Decimal(number)):
        finish(item, had, download_dir)
    assert item.last_episode_downloaded == Decimal(number)


def test_progress_agrees_with_the_state_for_who_gave_up_what_another_had_finished(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    other = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=other)
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
    deciding.set_ignored(item=item, episode=second, ignored=True)
    finish(item, 1, download_dir)
    assert waiting(item) == [3, 4, 5]
    assert item.last_episode_downloaded == 2


@pytest.mark.parametrize("number", ["3", "3.5"])
def test_an_episode_that_the_site_took_down_holds_nothing_up_once_it_cannot_come(
    item: WatchlistItem, series: Series, download_dir: Path, number: str
) -> None:
    gone = Decimal(number)
    Episode.objects.get_or_create(series=series, number=gone, defaults={"ref": "gone"})
    deciding.decide_again(item=item)
    Episode.objects.filter(series=series, number=gone).update(is_listed=False)
    others = [n for n in range(1, 6) if n != gone]
    for had in others[:-1]:
        finish(item, had, download_dir)
    assert item.last_episode_downloaded == max(n for n in others if n < gone)
    download = Download.objects.filter(grabs__item=item, grabs__episode__number=gone)
    download.update(state=State.FAILED)
    finish(item, others[-1], download_dir)
    assert item.last_episode_downloaded == 5


def test_an_episode_that_is_still_listed_is_waited_for_when_its_download_failed(
    item: WatchlistItem, download_dir: Path
) -> None:
    third = Download.objects.filter(grabs__item=item, grabs__episode__number=3)
    third.update(state=State.FAILED)
    for had in (1, 2, 4):
        finish(item, had, download_dir)
    assert item.last_episode_downloaded == 2


def test_a_completion_whose_signal_was_lost_is_repaired(item: WatchlistItem) -> None:
    first = Download.objects.get(grabs__item=item, grabs__episode__number=1)
    Download.objects.filter(pk=first.pk).update(state=State.COMPLETED)
    assert progress.settle_missed() == 1
    item.refresh_from_db()
    assert item.last_episode_downloaded == 1


def lose_the_signal_of(item: WatchlistItem, number: int) -> Download:
    """The worker was killed after the commit, before anybody heard of it."""
    download = Download.objects.get(grabs__item=item, grabs__episode__number=number)
    Download.objects.filter(pk=download.pk).update(state=State.COMPLETED)
    return download


def finished_count(item: WatchlistItem) -> int:
    notice = Notification.objects.get(item=item, kind=NotificationKind.FINISHED, closed_at=None)
    return int(notice.facts["count"])


def test_a_completion_whose_signal_was_lost_is_told(item: WatchlistItem) -> None:
    lose_the_signal_of(item, 1)
    progress.settle_missed()
    assert finished_count(item) == 1


def test_a_completion_is_told_once_when_the_tick_comes_before_the_signal(
    item: WatchlistItem,
) -> None:
    download = lose_the_signal_of(item, 1)
    progress.settle_missed()
    download_completed.send(sender=Download, download_id=download.pk)
    assert finished_count(item) == 1


@pytest.mark.django_db(transaction=True)
def test_episodes_that_are_finished_at_the_same_moment_are_all_counted(
    item: WatchlistItem,
) -> None:
    downloads = [lose_the_signal_of(item, number) for number in (1, 2, 3)]
    start = Barrier(len(downloads))

    def tell(download: Download) -> None:
        try:
            connection.ensure_connection()
            start.wait()
            download_completed.send(sender=Download, download_id=download.pk)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(downloads)) as pool:
        list(pool.map(tell, downloads))
    item.refresh_from_db()
    assert finished_count(item) == 3
    assert item.last_episode_downloaded == 3
