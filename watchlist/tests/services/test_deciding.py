"""What the automatic rule takes, and what a change of mind takes back."""

from __future__ import annotations

from decimal import Decimal

import pytest

from downloads.models import Download
from downloads.states import State
from watchlist.decisions import Reason
from watchlist.models import Decision, ItemStatus, Series, WatchlistItem
from watchlist.services import deciding, items
from watchlist.services.downloads import pause_for
from watchlist.services.preferences import change_settings
from watchlist.tests.factories import WatchlistItemFactory
from watchlist.tests.grabs import waiting

pytestmark = pytest.mark.django_db


def test_everything_is_queued_for_a_new_item_without_a_start_point(item: WatchlistItem) -> None:
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_the_reason_of_each_decision_is_kept(series: Series) -> None:
    item = WatchlistItemFactory.create(series=series, last_episode_downloaded=Decimal(4))
    deciding.decide_again(item=item)
    codes = Decision.objects.filter(item=item).order_by("episode__number")
    assert list(codes.values_list("code", flat=True)) == [
        *[Reason.BELOW_START] * 4,
        Reason.WANTED,
    ]


def test_an_episode_taken_back_from_ignored_is_queued_again(item: WatchlistItem) -> None:
    second = item.series.episodes.get(number=2)
    deciding.set_ignored(item=item, episode=second, ignored=True)
    deciding.set_ignored(item=item, episode=second, ignored=False)
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_pausing_withdraws_what_waits_and_resuming_queues_it_again(item: WatchlistItem) -> None:
    items.set_status(item=item, status=ItemStatus.PAUSED)
    assert waiting(item) == []
    assert not Download.objects.filter(state=State.QUEUED).exists()
    items.set_status(item=item, status=ItemStatus.ACTIVE)
    assert waiting(item) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize(
    ("there", "back"),
    [
        ({"status": ItemStatus.PAUSED}, {"status": ItemStatus.ACTIVE}),
        ({"auto_download": False}, {"auto_download": True}),
    ],
)
def test_a_download_that_was_paused_by_hand_stays_paused(
    item: WatchlistItem, there: dict[str, object], back: dict[str, object]
) -> None:
    pause_for(grab=item.grabs.get(episode__number=2), may_hold_up_others=False)
    items.change(item=item, changes=there)
    items.change(item=item, changes=back)
    assert item.grabs.get(episode__number=2).download.state == State.PAUSED
    assert waiting(item) == [1, 3, 4, 5]


def test_another_quality_replaces_a_download_that_was_paused_by_hand(item: WatchlistItem) -> None:
    pause_for(grab=item.grabs.get(episode__number=2), may_hold_up_others=False)
    items.change(item=item, changes={"quality_preference": "480p"})
    assert item.grabs.get(episode__number=2).download.quality == "480p"


def test_raising_the_start_point_withdraws_what_was_paused_by_hand(item: WatchlistItem) -> None:
    pause_for(grab=item.grabs.get(episode__number=2), may_hold_up_others=False)
    items.change(item=item, changes={"last_episode_downloaded": Decimal(3)})
    assert not item.grabs.filter(episode__number=2).exists()


def test_raising_the_start_point_withdraws_what_lies_below(item: WatchlistItem) -> None:
    items.change(item=item, changes={"last_episode_downloaded": Decimal(3)})
    assert waiting(item) == [4, 5]


def test_another_quality_replaces_the_waiting_downloads(item: WatchlistItem) -> None:
    items.change(item=item, changes={"quality_preference": "480p"})
    states = Download.objects.values_list("quality", "state").distinct()
    assert set(states) == {("auto", State.CANCELLED), ("480p", State.QUEUED)}


def test_another_quality_replaces_a_failed_download(item: WatchlistItem) -> None:
    Download.objects.update(state=State.FAILED)
    items.change(item=item, changes={"quality_preference": "480p"})
    assert waiting(item) == [1, 2, 3, 4, 5]
    assert {grab.download.quality for grab in item.grabs.all()} == {"480p"}


def test_a_failed_download_stays_failed_when_nothing_is_wished_anew(item: WatchlistItem) -> None:
    Download.objects.update(state=State.FAILED)
    items.change(item=item, changes={"anime_title": "Another"})
    deciding.decide_again(item=item)
    assert waiting(item) == []


def test_one_tick_decides_for_more_than_one_batch(
    series: Series, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deciding, "MARKED_AT_ONCE", 2)
    WatchlistItemFactory.create_batch(5, series=series, needs_decision=True)
    assert deciding.decide_marked() == 5


def test_a_change_that_says_nothing_new_writes_nothing(item: WatchlistItem) -> None:
    before = Download.objects.get(grabs__item=item, grabs__episode__number=1).events.count()
    items.change(item=item, changes={"quality_preference": "auto", "status": "active"})
    after = Download.objects.get(grabs__item=item, grabs__episode__number=1).events.count()
    assert before == after


def test_switching_it_off_for_everybody_withdraws_and_on_again_queues(
    item: WatchlistItem,
) -> None:
    change_settings(changes={"auto_download_enabled": False})
    deciding.decide_marked()
    assert waiting(item) == []
    change_settings(changes={"auto_download_enabled": True})
    deciding.decide_marked()
    assert waiting(item) == [1, 2, 3, 4, 5]


def test_a_series_paused_while_the_tick_is_at_another_one_stays_paused(
    item: WatchlistItem, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = WatchlistItemFactory.create(series=item.series)
    WatchlistItem.objects.update(needs_decision=True)
    decide = deciding.decide_again

    def pause_the_rest(*, item: WatchlistItem) -> None:
        monkeypatch.setattr(deciding, "decide_again", decide)
        decide(item=item)
        for rest in WatchlistItem.objects.exclude(pk=item.pk):
            items.set_status(item=rest, status=ItemStatus.PAUSED)

    monkeypatch.setattr(deciding, "decide_again", pause_the_rest)
    deciding.decide_marked()
    assert sorted([waiting(item), waiting(other)]) == [[], [1, 2, 3, 4, 5]]


def test_who_ignores_an_episode_does_not_bring_back_an_older_setting(item: WatchlistItem) -> None:
    as_read_before = WatchlistItem.objects.get(pk=item.pk)
    items.change(item=item, changes={"auto_download": False})
    second = item.series.episodes.get(number=2)
    deciding.set_ignored(item=as_read_before, episode=second, ignored=True)
    assert waiting(item) == []
