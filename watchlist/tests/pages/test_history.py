"""The history of a followed series, as its page tells it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone, translation

from watchlist.models import CheckTrigger
from watchlist.pages.past import history_of
from watchlist.tests.factories import CheckFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


def test_checks_that_found_nothing_are_one_line_until_something_happens() -> None:
    now = timezone.now()
    item = WatchlistItemFactory.create(created_at=now - timedelta(days=1))
    for hours in range(5):
        at = now - timedelta(hours=hours)
        failed = {"status": "failed", "error_code": "unreachable"} if hours == 3 else {}
        CheckFactory.create(series=item.series, created_at=at, finished_at=at, **failed)
    lines = [(event.level, bool(event.details)) for event in history_of(item.user, item)]
    assert lines == [("idle", True), ("error", True), ("idle", False)]


def test_a_check_is_something_that_happened_in_french_too() -> None:
    item = WatchlistItemFactory.create()
    CheckFactory.create(series=item.series)
    CheckFactory.create(series=item.series, trigger=CheckTrigger.MANUAL, asked_by=item.user)
    with translation.override("fr"):
        texts = [event.text for event in history_of(item.user, item)]
    assert texts == [
        "Vérification à la main\u202f: rien de nouveau",
        "Vérification\u202f: rien de nouveau",
    ]
