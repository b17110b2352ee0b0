"""The statistics in a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import Opener, violations
from watchlist.tests.factories import (
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def a_busy_month(owner: User) -> None:
    """Thirty days with downloads, some of which failed."""
    now = timezone.now()
    items = [
        WatchlistItemFactory.create(
            user=owner, anime_title=f"{name} Harbour", series__poster_url=""
        )
        for name in ("Glass", "Paper", "Winter", "An Extraordinarily Long Title Of A Series In The")
    ]
    for days in range(30):
        at = now - timedelta(days=days)
        for step in range(1 + days * 7 % 5):
            item = items[(days + step) % 4]
            failed = (days + step) % 6 == 5
            kind: dict[str, Any] = (
                {"failed": True} if failed else {"completed": True, "final_size_bytes": 345_000_000}
            )
            download = DownloadFactory.create(
                finished_at=at, started_at=at - timedelta(seconds=80), **kind
            )
            episode = EpisodeFactory.create(
                series=item.series, first_seen_at=at - timedelta(minutes=11)
            )
            GrabFactory.create(
                item=item,
                episode=episode,
                download=download,
                created_at=at - timedelta(minutes=11),
                completed_at=None if failed else at,
            )


@pytest.mark.usefixtures("a_busy_month")
@pytest.mark.parametrize("script", [True, False])
def test_the_period_is_chosen_and_the_table_opened(open_page: Opener, script: bool) -> None:  # noqa: FBT001 -- a parameter
    page = open_page("/stats", java_script_enabled=script)
    page.get_by_role("navigation", name="Period").get_by_role("link").first.click()
    page.locator("summary").filter(has_text="Show as table").first.click()
    expect(page.locator("details table").first.locator("tbody tr")).to_have_count(7)


def test_nothing_yet_says_what_to_expect(open_page: Opener) -> None:
    page = open_page("/stats", bypass_csp=True)
    expect(page.get_by_text("The figures appear with the first episode.")).to_be_visible()
    assert violations(page) == []
