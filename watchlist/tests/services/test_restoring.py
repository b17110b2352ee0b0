"""Undoing a removal: everything is as it was."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest

from downloads.models import Download
from downloads.states import State
from watchlist.models import Grab, ItemStatus, Series, WatchlistItem
from watchlist.selectors.episodes import episodes_of
from watchlist.selectors.stats import stats_of
from watchlist.services import deciding, grabbing, items, restoring
from watchlist.services.downloads import cancel_for, pause_for, resume_for
from watchlist.tests.factories import WatchlistItemFactory
from watchlist.tests.grabs import finish, waiting

pytestmark = pytest.mark.django_db


def remove(item: WatchlistItem) -> str:
    """What the session keeps of a removed item."""
    (memory,) = restoring.memories_of([item])
    items.unfollow(item=item)
    return json.dumps(memory)


def undo(removed: WatchlistItem, memory: str) -> WatchlistItem:
    item = restoring.restore(user=removed.user, memory=json.loads(memory))
    assert item is not None
    return item


def shown(item: WatchlistItem) -> list[tuple[Decimal, str, str]]:
    return [(row.number, str(row.state), row.reason_code) for row in episodes_of(item)]


def grab_of(item: WatchlistItem, number: int) -> Grab:
    return Grab.objects.select_related("download").get(item=item, episode__number=number)


def pause(item: WatchlistItem, number: int) -> None:
    pause_for(grab=grab_of(item, number), may_hold_up_others=False)


def test_what_is_in_the_library_is_had_again(item: WatchlistItem, download_dir: Path) -> None:
    for number in (1, 2, 4):
        finish(item, number, download_dir)
    before, since = shown(item), grab_of(item, 1).completed_at
    item = undo(item, remove(item))
    assert shown(item) == before
    assert grab_of(item, 1).completed_at == since
    assert stats_of(item.user).episodes_downloaded == 3
    assert item.last_episode_downloaded == 2


def test_what_was_cancelled_stays_cancelled(item: WatchlistItem) -> None:
    cancel_for(grab=grab_of(item, 2))
    before = shown(item)
    item = undo(item, remove(item))
    assert shown(item) == before
    assert grab_of(item, 2).download.state == State.CANCELLED


@pytest.mark.parametrize("state", [State.QUEUED, State.PAUSED])
def test_what_was_asked_for_by_hand_is_asked_for_again(series: Series, state: State) -> None:
    item = WatchlistItemFactory.create(series=series, auto_download=False)
    deciding.decide_again(item=item)
    grabbing.grab_by_hand(item=item, episode=series.episodes.get(number=3))
    if state is State.PAUSED:
        pause(item, 3)
    before = shown(item)
    item = undo(item, remove(item))
    assert shown(item) == before
    assert (grab_of(item, 3).is_manual, grab_of(item, 3).download.state) == (True, state)


def test_what_was_asked_for_by_hand_and_then_ignored_stays_ignored(series: Series) -> None:
    item = WatchlistItemFactory.create(series=series)
    third = series.episodes.get(number=3)
    download = grabbing.grab_by_hand(item=item, episode=third)
    Download.objects.filter(pk=download.pk).update(state=State.DOWNLOADING)
    deciding.set_ignored(item=item, episode=third, ignored=True)
    item = undo(item, remove(item))
    assert grab_of(item, 3).is_manual
    assert item.decisions.get(episode=third).is_ignored


@pytest.mark.parametrize("status", [ItemStatus.ACTIVE, ItemStatus.PAUSED])
def test_what_was_paused_stays_paused(item: WatchlistItem, status: ItemStatus) -> None:
    pause(item, 2)
    items.set_status(item=item, status=status)
    item = undo(item, remove(WatchlistItem.objects.get(pk=item.pk)))
    items.set_status(item=item, status=ItemStatus.ACTIVE)
    assert grab_of(item, 2).download.state == State.PAUSED
    assert waiting(item) == [1, 3, 4, 5]


def test_what_others_let_go_on_meanwhile_is_not_paused_again(
    item: WatchlistItem, series: Series
) -> None:
    pause(item, 2)
    other = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=other)
    memory = remove(item)
    resume_for(grab=grab_of(other, 2), may_hold_up_others=False)
    item = undo(item, memory)
    assert waiting(item) == waiting(other) == [1, 2, 3, 4, 5]


def test_what_was_finished_meanwhile_for_others_is_had(
    item: WatchlistItem, series: Series, download_dir: Path
) -> None:
    grabbing.grab_by_hand(item=item, episode=series.episodes.get(number=1))
    other = WatchlistItemFactory.create(series=series)
    deciding.decide_again(item=other)
    memory = remove(item)
    finish(other, 1, download_dir)
    item = undo(item, memory)
    item.refresh_from_db()
    assert item.last_episode_downloaded == 1
