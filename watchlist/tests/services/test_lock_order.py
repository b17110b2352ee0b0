"""Writers that meet: nobody's transaction is given up as a deadlock, and nothing falls between.

On SQLite they wait for each other from the start; PostgreSQL locks row by row.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from downloads import queue
from providers.types import EpisodeList, EpisodeListing, SeriesLocator
from watchlist.models import Check, CheckStatus, Decision, ItemStatus, Series, WatchlistItem
from watchlist.services import deciding, due, grabbing, items, listing, merging, outcomes, users
from watchlist.services.items import Found, Wish
from watchlist.services.outcomes import Answer
from watchlist.services.preferences import change_settings
from watchlist.tests.factories import (
    AdministratorFactory,
    CheckFactory,
    EpisodeFactory,
    SeriesFactory,
    UserFactory,
    WatchlistItemFactory,
    running_check,
)
from watchlist.tests.grabs import waiting
from watchlist.tests.races import meanwhile, others

SIX_HOURS = timedelta(hours=6)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _limits() -> None:
    queue.limiter()


@pytest.fixture
def item() -> WatchlistItem:
    item = WatchlistItemFactory.create()
    EpisodeFactory.create(series=item.series, ref="1", number=Decimal(1))
    deciding.decide_again(item=item)
    return item


def record(check: Check, *numbers: int) -> None:
    entries = tuple(
        EpisodeListing(ref=str(n), number=Decimal(n), season=1, position=n) for n in numbers
    )
    answer = Answer(check, episodes=EpisodeList(episodes=entries))
    listing.record(answers=[answer], around=outcomes.circumstances())
    check.refresh_from_db()


def due_series(count: int) -> list[Series]:
    """Those that are due longest come last."""
    now = timezone.now()
    return [
        SeriesFactory.create(provider_id="feed", next_check_at=now - timedelta(minutes=n))
        for n in range(count)
    ]


def series_stored_backwards() -> list[Series]:
    """Rows that a plain UPDATE meets in another order than that of their keys."""
    return [SeriesFactory.create(pk=UUID(int=n)) for n in (3, 2, 1)]


def rename(item: WatchlistItem) -> None:
    items.change(item=item, changes={"anime_title": "Mine"})


def follow(series: Series, user: User) -> WatchlistItem:
    url = f"https://anime-sama.example/catalogue/{series.ref}/"
    locator = SeriesLocator(series_ref=series.ref, lang=series.lang, url=url, title_guess="")
    found = Found(locator, series.lang, series.ref)
    return items.follow(user=user, wish=Wish(url, series.provider_id), found=found)


def test_a_check_records_while_an_item_of_its_series_is_changed(item: WatchlistItem) -> None:
    check = running_check(item.series)
    with meanwhile(merging, "merge", partial(rename, item)):
        record(check, 1, 2)
    item.refresh_from_db()
    assert (check.status, item.anime_title) == (CheckStatus.SUCCEEDED, "Mine")


def test_an_item_paused_while_a_check_records_gets_nothing_new(item: WatchlistItem) -> None:
    check = running_check(item.series)
    pause = partial(items.set_status, item=item, status=ItemStatus.PAUSED)
    with meanwhile(deciding, "decide_for_new_episodes", pause):
        record(check, 1, 2)
    assert check.status == CheckStatus.SUCCEEDED
    assert waiting(item) == []


def test_others_get_what_a_check_finds_while_somebody_stops_following(item: WatchlistItem) -> None:
    leaves = WatchlistItemFactory.create(series=item.series)
    check = running_check(item.series)
    unfollow = partial(items.unfollow, item=leaves)
    with meanwhile(deciding, "decide_for_new_episodes", unfollow):
        record(check, 1, 2)
    assert (check.status, check.new_count) == (CheckStatus.SUCCEEDED, 1)
    assert waiting(item) == [1, 2]


def test_a_series_is_followed_while_another_follower_changes_theirs(item: WatchlistItem) -> None:
    with meanwhile(deciding, "decide_again", partial(rename, item)):
        followed = follow(item.series, UserFactory.create())
    assert waiting(followed) == [1]


def test_an_episode_is_ignored_while_the_tick_decides_on_it() -> None:
    item = WatchlistItemFactory.create(auto_download=False)
    episode = EpisodeFactory.create(series=item.series)
    deciding.decide_again(item=item)
    # What was decided before no longer holds, so the tick writes the same row.
    Decision.objects.update(code="")
    WatchlistItem.objects.update(needs_decision=True)
    with meanwhile(grabbing, "withdraw", deciding.decide_marked):
        deciding.set_ignored(item=item, episode=episode, ignored=True)
    decision = Decision.objects.get()
    assert (decision.code, decision.is_ignored) == ("ignored", True)


def test_two_ask_for_checks_of_the_same_series_in_another_order() -> None:
    rows = SeriesFactory.create_batch(3)
    ids = [series.pk for series in rows]
    with others() as begin, transaction.atomic():
        # Both stop in the middle, each with what the other one wants next.
        CheckFactory.create(series=rows[1], status=CheckStatus.QUEUED)
        begin(partial(due.request_checks, ids))
        begin(partial(due.request_checks, ids[::-1]))
        transaction.set_rollback(True)
    assert Check.objects.count() == 3


def test_checks_are_asked_for_while_the_tick_claims_the_same_series() -> None:
    rows = due_series(3)
    with others() as begin, transaction.atomic():
        CheckFactory.create(series=rows[1], status=CheckStatus.QUEUED)
        begin(partial(due.request_checks, [series.pk for series in rows]))
        begin(partial(due.queue_due_checks, interval=SIX_HOURS))
        transaction.set_rollback(True)
    assert Check.objects.count() == 3


def test_watching_is_refreshed_while_checks_of_the_same_series_are_recorded() -> None:
    rows = series_stored_backwards()
    checks = [running_check(series) for series in rows]
    unchanged = partial(outcomes.record_unchanged, checks=checks, around=outcomes.circumstances())
    with others() as begin, transaction.atomic():
        Series.objects.select_for_update().get(pk=rows[1].pk)
        begin(unchanged)
        begin(partial(due.refresh_watched, [series.pk for series in rows]))
    assert not Check.objects.filter(status=CheckStatus.RUNNING).exists()


def test_the_settings_are_changed_while_somebody_changes_many_items() -> None:
    rows = [WatchlistItemFactory.create(pk=UUID(int=n)) for n in (3, 2, 1)]
    change = partial(items.change_each, changes={row.pk: {"status": "paused"} for row in rows})
    with others() as begin, transaction.atomic():
        WatchlistItem.objects.select_for_update().get(pk=rows[1].pk)
        begin(change)
        begin(partial(change_settings, changes={"auto_download_enabled": False}))
    assert not WatchlistItem.objects.exclude(status="paused").exists()


def test_interval_and_cap_are_changed_while_a_check_records(item: WatchlistItem) -> None:
    check = running_check(item.series)
    changes = {"check_interval_hours": 1, "max_concurrent_auto_downloads": 2}
    with meanwhile(listing, "lock_series", partial(change_settings, changes=changes)):
        record(check, 1, 2)
    assert check.status == CheckStatus.SUCCEEDED


def test_an_account_is_deleted_while_another_administrator_follows_a_series() -> None:
    gone, by = WatchlistItemFactory.create().user, AdministratorFactory.create()
    follows = partial(follow, SeriesFactory.create(), by)
    with meanwhile(users, "unfollow_each", follows):
        users.delete_user(user=gone, by=by)
    assert list(WatchlistItem.objects.values_list("user", flat=True)) == [by.pk]
