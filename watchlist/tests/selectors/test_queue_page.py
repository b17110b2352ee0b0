from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from downloads.states import State
from watchlist.models import Grab, WatchlistItem
from watchlist.selectors.queue_page import neighbour, queue_page
from watchlist.tests.factories import (
    DownloadAttemptFactory,
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def item() -> WatchlistItem:
    return WatchlistItemFactory.create()


def wish(item: WatchlistItem, **download: Any) -> Grab:
    return GrabFactory.create(
        item=item,
        episode=EpisodeFactory.create(series=item.series),
        download=DownloadFactory.create(**download),
    )


def user_of(item: WatchlistItem) -> User:
    return User.objects.get(pk=item.user_id)


def test_each_download_stands_in_its_section(item: WatchlistItem) -> None:
    running, waiting = wish(item, running=True), wish(item)
    failed, done = wish(item, failed=True), wish(item, completed=True)
    page = queue_page(user_of(item))
    assert [row.id for row in page.now] == [running.download_id]
    assert [entry.row.id for entry in page.queue] == [waiting.download_id]
    assert [entry.row.id for entry in page.failed] == [failed.download_id]
    assert [row.id for row in page.done] == [done.download_id]


def test_the_queue_is_in_its_order(item: WatchlistItem) -> None:
    low = wish(item, priority=0, position=1)
    high = wish(item, priority=10, position=9)
    later = wish(item, priority=0, position=5)
    page = queue_page(user_of(item))
    assert [entry.row.id for entry in page.queue] == [
        high.download_id,
        low.download_id,
        later.download_id,
    ]
    assert [(entry.place, entry.is_last) for entry in page.queue] == [
        (1, False),
        (2, False),
        (3, True),
    ]


def test_what_waits_says_why(item: WatchlistItem) -> None:
    wish(item, state=State.PAUSED)
    (entry,) = queue_page(user_of(item)).queue
    assert entry.reason == "Paused by hand."


def test_a_failure_shows_every_player_that_was_tried(item: WatchlistItem) -> None:
    failed = wish(item, failed=True)
    for label in ("sibnet", "vidmoly"):
        DownloadAttemptFactory.create(download=failed.download, source_label=label)
    (entry,) = queue_page(user_of(item)).failed
    assert [attempt.source_label for attempt in entry.tries] == ["sibnet", "vidmoly"]


def test_what_was_given_up_is_shown_as_cancelled_though_others_go_on(item: WatchlistItem) -> None:
    grab = wish(item, running=True)
    Grab.objects.filter(pk=grab.pk).update(cancelled_at=timezone.now())
    page = queue_page(user_of(item))
    assert page.now == []
    assert [row.state for row in page.done] == [State.CANCELLED]


def test_sizes_add_up(item: WatchlistItem) -> None:
    wish(item, running=True, bytes_done=300, bytes_total=1000)
    wish(item, bytes_done=0, bytes_total=500)
    assert queue_page(user_of(item)).left_bytes == 1200
    assert not queue_page(user_of(item)).has_unknown_sizes
    wish(item)
    assert queue_page(user_of(item)).has_unknown_sizes


def test_others_are_counted_and_not_shown(item: WatchlistItem) -> None:
    wish(WatchlistItemFactory.create())
    page = queue_page(user_of(item))
    assert (page.queue, page.others_count) == ([], 1)


def test_old_downloads_are_not_shown(item: WatchlistItem) -> None:
    long_ago = timezone.now() - timedelta(days=30)
    grab = wish(item, completed=True, finished_at=long_ago)
    Grab.objects.filter(pk=grab.pk).update(completed_at=long_ago)
    assert queue_page(user_of(item)).done == []


def test_a_section_changes_its_version_with_what_it_shows(item: WatchlistItem) -> None:
    grab = wish(item, running=True)
    before = queue_page(user_of(item)).versions
    assert queue_page(user_of(item)).versions == before
    grab.download.bytes_done += 1
    grab.download.save()
    after = queue_page(user_of(item)).versions
    assert after["now"] != before["now"]
    assert (after["failed"], after["done"]) == (before["failed"], before["done"])


def test_neighbours_in_the_own_queue(item: WatchlistItem) -> None:
    first, second = (wish(item, position=place) for place in (1, 3))
    wish(WatchlistItemFactory.create(), position=2)
    user = user_of(item)
    assert neighbour(user, second.download, step=-1) == first.download
    assert neighbour(user, first.download, step=1) == second.download
    assert neighbour(user, first.download, step=-1) is None
    assert neighbour(user, second.download, step=1) is None


def test_the_number_of_queries_does_not_grow(
    item: WatchlistItem, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(4):
        wish(item, running=True)
        wish(item)
        wish(item, failed=True)
        wish(item, completed=True)
    user = user_of(item)
    with django_assert_max_num_queries(7):
        queue_page(user)


def test_somebody_without_downloads_sees_an_empty_page() -> None:
    page = queue_page(UserFactory.create())
    assert (page.now, page.queue, page.failed, page.done, page.left_bytes) == ([], [], [], [], 0)
