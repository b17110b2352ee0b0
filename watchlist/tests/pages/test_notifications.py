from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from watchlist.models import Notification, NotificationKind
from watchlist.pages import frame
from watchlist.tests.factories import AdministratorFactory, NotificationFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client: Client) -> User:
    made: User = UserFactory.create()
    client.force_login(made)
    return made


def told(user: User, **columns: object) -> Notification:
    facts = {"title": "Glass Harbour", "count": 1, "first": "7", "last": "7"}
    made: Notification = NotificationFactory.create(user=user, **{"facts": facts, **columns})
    return made


def test_each_kind_is_a_sentence(client: Client, user: User) -> None:
    told(user)
    told(user, facts={"title": "Paper Lantern", "count": 3, "first": "1", "last": "3"})
    told(user, kind=NotificationKind.FINISHED)
    told(user, kind=NotificationKind.FAILED, facts={"title": "A", "first": "2", "error": "Broken."})
    told(user, kind=NotificationKind.STUCK, cause="disk", facts={})
    told(user, kind=NotificationKind.STUCK, cause="folder", facts={"error": "Read-only."})
    told(user, kind=NotificationKind.STUCK, cause="provider:x", facts={"provider": "X"})
    html = client.get("/notifications").content.decode()
    for text in (
        "New: episode 7 of Glass Harbour",
        "3 new episodes of Paper Lantern (1 to 3)",
        "Episode 7 of Glass Harbour is in the library",
        "Episode 2 of A could not be downloaded",
        "Broken.",
        "The disk of the library is nearly full",
        "The library folder cannot be written",
        "X does not answer as it should",
    ):
        assert text in html


def test_facts_of_an_older_version_do_not_break_the_page(client: Client, user: User) -> None:
    told(user, facts={})
    assert client.get("/notifications").status_code == 200


def test_a_solved_trouble_says_so(client: Client, user: User) -> None:
    told(user, kind=NotificationKind.STUCK, cause="disk", closed_at=timezone.now())
    assert b"Solved" in client.get("/notifications").content


def test_filters(client: Client, user: User) -> None:
    told(user)
    told(user, kind=NotificationKind.FAILED, read_at=timezone.now())
    assert client.get("/notifications?kind=failed").content.count(b'class="mark"') == 1
    assert client.get("/notifications?unread=1").content.count(b'class="mark"') == 1
    assert client.get("/notifications?kind=nonsense&page=99").content.count(b'class="mark"') == 2


def test_one_or_all_are_marked_as_read(client: Client, user: User) -> None:
    first, second = told(user), told(user)
    other = NotificationFactory.create()
    client.post("/notifications/read", {"id": [str(first.pk), "nonsense", str(other.pk)]})
    unread = Notification.objects.filter(read_at=None)
    assert set(unread) == {second, other}
    client.post("/notifications/read")
    assert set(unread.all()) == {other}


def test_a_bad_id_marks_nothing(client: Client, user: User) -> None:
    told(user)
    client.post("/notifications/read", {"id": "nonsense"})
    assert Notification.objects.filter(read_at=None).count() == 1


def test_the_way_back_stays_on_the_page(client: Client, user: User) -> None:
    response = client.post("/notifications/read", {"back": "kind=failed\r\nX-Bad: 1"})
    assert response.status_code == 303
    assert response["Location"].startswith("/notifications?kind=failed")
    assert "X-Bad" not in response.headers


def test_nobody_elses_are_shown(client: Client, user: User) -> None:
    NotificationFactory.create(facts={"title": "Secret"})
    assert b"Secret" not in client.get("/notifications").content


def test_news_are_told_once(client: Client, user: User) -> None:
    since = (timezone.now() - timedelta(seconds=5)).timestamp()
    row = told(user)
    response = client.get("/notifications/news", {"since": str(since)})
    toasts = json.loads(response["HX-Trigger"])["toast"]["list"]
    assert [toast["id"] for toast in toasts] == [str(row.pk)]
    later = timezone.now().timestamp()
    assert client.get("/notifications/news", {"since": str(later)}).status_code == 204


@pytest.mark.parametrize("since", ["", "x", "nan", "inf", "-1e99", "1e300"])
def test_a_moment_that_is_none_tells_nothing(client: Client, user: User, since: str) -> None:
    told(user)
    response = client.get("/notifications/news", {"since": str(since)})
    assert response.status_code == 200
    assert "HX-Trigger" not in response


def test_failures_are_told_as_errors(client: Client, user: User) -> None:
    told(user, kind=NotificationKind.FAILED)
    response = client.get("/notifications/news", {"since": "1.0"})
    assert json.loads(response["HX-Trigger"])["toast"]["list"][0]["level"] == "error"


def test_a_dead_worker_is_in_the_inbox_once_and_leads_to_the_scheduler(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(AdministratorFactory.create())
    monkeypatch.setattr(frame, "STARTING_SECONDS", -1)
    for _ in range(2):
        client.get("/pulse")
    (notice,) = Notification.objects.all()
    assert (notice.kind, notice.cause) == (NotificationKind.STUCK, "part:workers")
    html = client.get("/notifications").content.decode()
    assert "Every worker stopped" in html
    assert "/settings#scheduler" in html


def test_while_the_program_starts_nothing_is_told(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.force_login(AdministratorFactory.create())
    monkeypatch.setattr(frame, "STARTING_SECONDS", float("inf"))
    client.get("/pulse")
    assert not Notification.objects.exists()
