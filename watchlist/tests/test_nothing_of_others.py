"""Two users, one series: neither learns from it that, when or how the other follows it."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from watchlist.models import Check, CheckStatus, CheckTrigger, WatchlistItem
from watchlist.pages.past import history_of
from watchlist.services import due
from watchlist.tests.factories import CheckFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def mine() -> WatchlistItem:
    """Followed for a day."""
    made: WatchlistItem = WatchlistItemFactory.create(created_at=timezone.now() - timedelta(days=1))
    return made


@pytest.fixture
def theirs(mine: WatchlistItem) -> WatchlistItem:
    """The same series, followed a minute ago."""
    made: WatchlistItem = WatchlistItemFactory.create(
        series=mine.series, created_at=timezone.now() - timedelta(minutes=1)
    )
    return made


def checks_for(item: WatchlistItem) -> dict[str, str]:
    """What the API lists: the trigger of each check by its id."""
    rows = signed_in(item.user).get(f"/api/watchlist/{item.pk}/checks").json()["results"]
    return {row["id"]: row["trigger"] for row in rows}


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def ended(check: Check) -> str:
    Check.objects.filter(pk=check.pk).update(
        status=CheckStatus.SUCCEEDED, finished_at=timezone.now()
    )
    return str(check.pk)


def toasts_for(item: WatchlistItem) -> list[str]:
    """The ids of the checks that this user's open list tells of."""
    answer = signed_in(item.user).get(f"/watchlist/cards?id={item.pk}", headers={"HX-Request": "1"})
    told = json.loads(answer.headers.get("HX-Trigger", "{}")).get("toast", {"list": []})
    return [one["id"] for one in told["list"]]


def test_a_newcomer_sees_no_check_of_before(mine: WatchlistItem, theirs: WatchlistItem) -> None:
    before = theirs.created_at - timedelta(minutes=5)
    old = CheckFactory.create(series=mine.series, created_at=before, finished_at=before)
    joined = CheckFactory.create(series=mine.series, created_at=before)
    assert set(checks_for(theirs)) == {str(joined.pk)}
    assert set(checks_for(mine)) == {str(old.pk), str(joined.pk)}
    assert (len(history_of(theirs.user, theirs)), len(history_of(mine.user, mine))) == (1, 1)


def test_only_who_asked_is_told_of_a_check_by_hand(
    mine: WatchlistItem, theirs: WatchlistItem
) -> None:
    check = due.request_check(mine.series, trigger=CheckTrigger.MANUAL, by=mine.user)
    assert due.request_checks([mine.series_id], by=theirs.user) == [check]
    pk = ended(check)
    assert (checks_for(mine), checks_for(theirs)) == ({pk: "manual"}, {pk: "scheduled"})
    assert (toasts_for(mine), toasts_for(theirs)) == ([pk], [])
    assert "by hand" in history_of(mine.user, mine)[0].text
    assert "by hand" not in history_of(theirs.user, theirs)[0].text


@pytest.mark.parametrize("path", ["/watchlist/{pk}/check", "/watchlist/check-all"])
def test_who_asks_on_a_page_is_told(mine: WatchlistItem, theirs: WatchlistItem, path: str) -> None:
    signed_in(theirs.user).post(path.format(pk=theirs.pk))
    pk = ended(Check.objects.get())
    assert (toasts_for(mine), toasts_for(theirs)) == ([], [pk])


def test_whoever_joins_a_scheduled_check_is_told(
    mine: WatchlistItem, theirs: WatchlistItem
) -> None:
    scheduled = CheckFactory.create(series=mine.series, status=CheckStatus.QUEUED, finished_at=None)
    due.request_check(mine.series, trigger=CheckTrigger.MANUAL, by=mine.user)
    pk = ended(scheduled)
    assert (toasts_for(mine), toasts_for(theirs)) == ([pk], [])


def test_a_check_outlives_the_account_that_asked(mine: WatchlistItem) -> None:
    check = due.request_check(mine.series, trigger=CheckTrigger.MANUAL, by=mine.user)
    mine.user.delete()
    check.refresh_from_db()
    assert check.asked_by is None
