"""The inbox and the news in a browser."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect

from tests.e2e.conftest import Opener, violations
from watchlist.models import Notification, NotificationKind
from watchlist.tests.factories import NotificationFactory

pytestmark = pytest.mark.django_db(transaction=True)
TICK = "htmx.trigger(document.body, 'tick')"
FACTS = {"title": "Glass Harbour", "count": 1, "first": "7", "last": "7"}


def told(user: User, kind: NotificationKind, **columns: Any) -> Notification:
    made: Notification = NotificationFactory.create(
        user=user, kind=kind, **{"facts": FACTS, **columns}
    )
    return made


@pytest.fixture
def full_inbox(owner: User) -> None:
    """One notice of each kind, one solved, one read, over three days."""
    now = timezone.now()
    told(owner, NotificationKind.NEW_EPISODE)
    told(owner, NotificationKind.FINISHED, read_at=now)
    told(owner, NotificationKind.FAILED, facts=FACTS | {"error": "x" * 300})
    stuck = {"cause": "disk", "facts": {}, "created_at": now - timedelta(days=1)}
    told(owner, NotificationKind.STUCK, **stuck)
    told(owner, NotificationKind.STUCK, **stuck | {"closed_at": now, "cause": "folder"})


@pytest.mark.usefixtures("full_inbox")
@pytest.mark.parametrize("script", [True, False])
def test_notices_are_read_one_by_one_and_all(open_page: Opener, script: bool) -> None:  # noqa: FBT001 -- a parameter
    page = open_page("/notifications", java_script_enabled=script)
    unread = page.locator(".chips").get_by_role("link", name="Unread")
    expect(unread).to_contain_text("4")
    page.get_by_role("button", name="Mark as read").first.click()
    expect(unread).to_contain_text("3")
    page.get_by_role("button", name="Mark all as read").click()
    expect(page.get_by_role("button", name="Mark as read")).to_have_count(0)


def test_an_empty_inbox_says_what_comes_here(open_page: Opener) -> None:
    page = open_page("/notifications", bypass_csp=True)
    expect(page.get_by_text("Nothing has happened yet")).to_be_visible()
    assert violations(page) == []


def test_what_happens_while_one_looks_is_a_toast_and_counts_at_the_bell(
    open_page: Opener, owner: User
) -> None:
    page = open_page("/downloads")
    told(owner, NotificationKind.FINISHED)
    page.evaluate(TICK)
    expect(page.locator("#toasts")).to_contain_text("Episode 7 of Glass Harbour is in the library")
    expect(page.locator("#bell")).to_contain_text("1")
    page.evaluate(TICK)
    page.wait_for_load_state("networkidle")
    expect(page.locator("#toasts .toast")).to_have_count(1)
