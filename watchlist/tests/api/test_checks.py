"""A check from its caller's view."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from watchlist.models import CheckStatus
from watchlist.tests.factories import (
    CheckFactory,
    EpisodeFactory,
    GrabFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


def test_a_check_shows_what_it_brought_its_caller(
    api: APIClient, other_api: APIClient, owner: User, other: User
) -> None:
    item = WatchlistItemFactory.create(user=owner)
    theirs = WatchlistItemFactory.create(user=other, series=item.series)
    check = CheckFactory.create(series=item.series, is_unchanged=False, new_count=1)
    episode = EpisodeFactory.create(
        series=item.series, number=Decimal("7.5"), title="Seven and a half", found_by=check
    )
    EpisodeFactory.create(series=item.series)
    grab = GrabFactory.create(item=item, episode=episode)
    body = api.get(f"/api/checks/{check.pk}").json()
    assert body["item_id"] == str(item.pk)
    assert body["status"] == "succeeded"
    assert body["new_episodes"] == [
        {"number": 7.5, "title": "Seven and a half", "url": episode.url}
    ]
    assert body["downloads"] == [str(grab.download_id)]
    assert body["error"] is None
    assert body["finished_at"].endswith("Z")
    seen_by_other = other_api.get(f"/api/checks/{check.pk}").json()
    assert seen_by_other["item_id"] == str(theirs.pk)
    assert seen_by_other["downloads"] == []


def test_a_failed_check_says_why(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    check = CheckFactory.create(
        series=item.series,
        status=CheckStatus.FAILED,
        error_code="layout_changed",
        error_text="The page has changed.",
    )
    body = api.get(f"/api/checks/{check.pk}").json()
    assert body["status"] == "failed"
    assert body["error"] == {"code": "layout_changed", "message": "The page has changed."}


def test_a_check_of_a_series_one_does_not_follow_is_not_found(api: APIClient, other: User) -> None:
    item = WatchlistItemFactory.create(user=other)
    check = CheckFactory.create(series=item.series)
    assert api.get(f"/api/checks/{check.pk}").status_code == 404


def test_the_checks_of_an_item_are_listed_newest_first(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    checks = [CheckFactory.create(series=item.series) for _ in range(3)]
    CheckFactory.create()
    body = api.get(f"/api/watchlist/{item.pk}/checks").json()
    assert [row["id"] for row in body["results"]] == [str(check.pk) for check in checks[::-1]]
