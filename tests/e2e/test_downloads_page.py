"""The downloads page in a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect

from downloads.models import Download
from downloads.states import State
from tests.e2e.conftest import Opener
from watchlist.models import Grab, WatchlistItem
from watchlist.tests.factories import (
    DownloadAttemptFactory,
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db(transaction=True)
TICK = "htmx.trigger(document.body, 'tick')"


@pytest.fixture
def item(owner: User) -> WatchlistItem:
    made: WatchlistItem = WatchlistItemFactory.create(
        user=owner, anime_title="Glass Harbour", series__poster_url=""
    )
    return made


def wish(item: WatchlistItem, **download: Any) -> Grab:
    made: Grab = GrabFactory.create(
        item=item,
        episode=EpisodeFactory.create(series=item.series, title=""),
        download=DownloadFactory.create(**download),
    )
    return made


def busy(item: WatchlistItem) -> None:
    """Something in every section."""
    wish(item, running=True, bytes_done=214_000_000, bytes_total=345_000_000)
    wish(item, running=True, bytes_done=88_000_000, bytes_total=None, stage="joining")
    wish(item, priority=10)
    wish(item, state=State.PAUSED)
    wish(item, state=State.BLOCKED, reason_code="disk_low")
    wish(item, not_before=timezone.now() + timedelta(minutes=20), reason_text="No answer.")
    failed = wish(item, failed=True, reason_text="sibnet: " + "very-long-" * 30)
    for label in ("sibnet", "vidmoly"):
        DownloadAttemptFactory.create(download=failed.download, source_label=label)
    wish(item, failed=True, reason_code="protected")
    wish(item, completed=True)
    wish(item, state=State.CANCELLED)


def of(page: Page, section: str) -> Any:
    return page.locator(f"#{section}")


def test_progress_moves_while_one_looks(open_page: Opener, item: WatchlistItem) -> None:
    grab = wish(item, running=True, bytes_done=100, bytes_total=1000)
    page = open_page("/downloads")
    expect(of(page, "now")).to_contain_text("10%")
    Download.objects.filter(pk=grab.download_id).update(bytes_done=620)
    page.evaluate(TICK)
    expect(of(page, "now")).to_contain_text("62%")


def test_an_open_list_of_attempts_stays_open_while_others_move(
    open_page: Opener, item: WatchlistItem
) -> None:
    grab = wish(item, running=True, bytes_done=100, bytes_total=1000)
    DownloadAttemptFactory.create(
        download=wish(item, failed=True).download, error_text="No answer."
    )
    page = open_page("/downloads")
    page.locator("#failed summary").click()
    Download.objects.filter(pk=grab.download_id).update(bytes_done=620)
    page.evaluate(TICK)
    expect(of(page, "now")).to_contain_text("62%")
    expect(page.get_by_text("No answer.")).to_be_visible()


def test_pausing_keeps_the_focus_on_the_button(open_page: Opener, item: WatchlistItem) -> None:
    grab = wish(item)
    page = open_page("/downloads")
    page.get_by_role("button", name="Pause").focus()
    page.keyboard.press("Enter")
    resume = page.get_by_role("button", name="Resume")
    expect(resume).to_be_focused()
    # Until htmx has taken the new button over, it is a plain form's button.
    page.wait_for_function("document.activeElement['htmx-internal-data']?.initHash")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Pause")).to_be_focused()
    assert Download.objects.get(pk=grab.download_id).state == State.QUEUED


def test_cancelling_can_be_undone_from_the_toast(open_page: Opener, item: WatchlistItem) -> None:
    grab = wish(item)
    page = open_page("/downloads")
    page.get_by_role("button", name="Cancel").click()
    expect(of(page, "done")).to_contain_text("Cancelled")
    expect(page.get_by_role("button", name="Bring back")).to_be_focused()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(of(page, "queue")).to_contain_text("Glass Harbour")
    assert Download.objects.get(pk=grab.download_id).state == State.QUEUED


def test_the_queue_is_reordered_by_keyboard(open_page: Opener, item: WatchlistItem) -> None:
    grabs = [wish(item, position=place) for place in (1, 2, 3)]
    page = open_page("/downloads")
    up = page.get_by_role("button", name="Up").last
    up.focus()
    page.keyboard.press("Enter")
    third = f"d{grabs[2].download_id}"
    expect(page.locator("#queue li").nth(1).locator("a").first).to_have_id(third)
    expect(page.locator(f"#u{grabs[2].download_id.hex}")).to_be_focused()


def test_all_failed_ones_are_retried(open_page: Opener, item: WatchlistItem) -> None:
    for _ in range(2):
        wish(item, failed=True)
    page = open_page("/downloads")
    page.get_by_role("button", name="Retry all").click()
    expect(of(page, "failed")).to_contain_text("Nothing has failed.")
    expect(page.locator("#toasts")).to_contain_text("2 downloads are tried again.")


def test_everything_works_without_script(open_page: Opener, item: WatchlistItem) -> None:
    grab = wish(item)
    page = open_page("/downloads", java_script_enabled=False)
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#toasts")).to_contain_text("Paused")
    expect(page.get_by_role("button", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(of(page, "queue")).to_contain_text("Glass Harbour")
    assert Download.objects.get(pk=grab.download_id).state == State.QUEUED
