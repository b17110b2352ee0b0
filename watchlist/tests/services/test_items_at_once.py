"""Changing and removing many series at once: the same as one by one, at the cost of one."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from downloads.models import Download
from downloads.states import State
from watchlist.models import Decision, Grab, ItemStatus, Series, WatchlistItem
from watchlist.services import deciding, items, restoring
from watchlist.tests.factories import EpisodeFactory, UserFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


def followed(count: int, **columns: object) -> list[WatchlistItem]:
    """Items of one user, each with three episodes of its series."""
    user = UserFactory.create()
    made: list[WatchlistItem] = WatchlistItemFactory.create_batch(count, user=user, **columns)
    for item in made:
        EpisodeFactory.create_batch(3, series=item.series)
    return made


def queries_of(act: Callable[[], object]) -> int:
    with CaptureQueriesContext(connection) as asked:
        act()
    return len(asked)


def codes_of(item: WatchlistItem) -> set[str]:
    return set(Decision.objects.filter(item=item).values_list("code", flat=True))


def test_each_item_gets_its_own_changes() -> None:
    first, second, third = followed(3)
    items.change_each(
        changes={
            first.pk: {"status": ItemStatus.PAUSED},
            second.pk: {"quality_preference": "720p", "last_episode_downloaded": Decimal(2)},
        }
    )
    for item in (first, second, third):
        item.refresh_from_db()
    assert (first.status, second.quality_preference, third.status) == ("paused", "720p", "active")
    assert second.last_episode_downloaded == 2
    assert third.last_episode_downloaded is None
    assert first.updated_at > third.updated_at
    assert first.status_changed_at > third.status_changed_at
    first.series.refresh_from_db()
    assert first.series.next_check_at is None
    assert codes_of(first) == {"item_paused"}


def test_pausing_many_withdraws_what_waits_and_leaves_the_others() -> None:
    *chosen, other = followed(4)
    deciding.decide_again_for(items=[*chosen, other])
    items.change_each(changes={item.pk: {"status": ItemStatus.PAUSED} for item in chosen})
    assert set(Grab.objects.values_list("item_id", flat=True)) == {other.pk}
    assert Download.objects.filter(state=State.QUEUED).count() == 3
    assert Download.objects.filter(state=State.CANCELLED).count() == 9


def test_a_change_of_many_costs_no_more_than_one_of_a_few() -> None:
    few, many = followed(2, auto_download=False), followed(20, auto_download=False)
    for _ in range(2):  # the first time more is written
        costs = [
            queries_of(
                lambda some=some, status=status: items.change_each(  # type: ignore[misc]  # bound
                    changes={item.pk: {"status": status} for item in some}
                )
            )
            for some in (few, many)
            for status in (ItemStatus.PAUSED, ItemStatus.ACTIVE)
        ]
    assert costs[:2] == costs[2:]


def test_removing_many_costs_no_more_than_a_few_and_gives_downloads_up() -> None:
    items.unfollow_each(items=followed(1))  # the first time ever more is written
    few, many = followed(2), followed(20)
    cheap = queries_of(lambda: items.unfollow_each(items=few))
    assert queries_of(lambda: items.unfollow_each(items=many)) == cheap
    assert not WatchlistItem.objects.exists()
    waiting = followed(2)
    deciding.decide_again_for(items=waiting)
    items.unfollow_each(items=waiting)
    assert set(Download.objects.values_list("state", flat=True)) == {State.CANCELLED}


def test_what_was_decided_before_and_holds_is_not_written_again() -> None:
    (item,) = followed(1, auto_download=False)
    deciding.decide_again(item=item)
    before = list(Decision.objects.order_by("pk").values_list("pk", "decided_at"))
    deciding.decide_again(item=item)
    assert list(Decision.objects.order_by("pk").values_list("pk", "decided_at")) == before


def test_two_followers_of_a_series_are_decided_for_apart() -> None:
    (one,) = followed(1)
    other = WatchlistItemFactory.create(series=one.series, auto_download=False)
    deciding.decide_again_for(items=[one, other])
    assert codes_of(one) == {"wanted"}
    assert codes_of(other) == {"auto_off_for_series"}
    assert set(Grab.objects.values_list("item_id", flat=True)) == {one.pk}


def test_many_removed_items_come_back_with_what_was_ignored() -> None:
    removed = followed(2)
    ignored = removed[0].series.episodes.first()
    assert ignored is not None
    deciding.set_ignored(item=removed[0], episode=ignored, ignored=True)
    memories = restoring.memories_of(removed)
    user, series_ids = removed[0].user, {item.series_id for item in removed}
    items.unfollow_each(items=removed)
    for memory in memories:
        restoring.restore(user=user, memory=memory)
    assert set(Series.objects.filter(items__user=user).values_list("pk", flat=True)) == series_ids
    assert [row.episode_id for row in Decision.objects.filter(is_ignored=True)] == [ignored.pk]
