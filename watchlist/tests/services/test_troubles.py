"""Lasting trouble is told to whom it concerns, once, until it is over."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from downloads.states import State
from providers import states
from providers.models import ProviderState
from watchlist.models import Notification
from watchlist.services import troubles
from watchlist.tests.factories import (
    AdministratorFactory,
    DownloadFactory,
    GrabFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def room_on_disk(settings: Settings) -> None:
    settings.MIN_FREE_DISK_MB = 0
    states.forget_cache()


def fail(provider_id: str, *, minutes: int, code: str = "unreachable") -> None:
    ProviderState.objects.update_or_create(
        provider_id=provider_id,
        defaults={
            "enabled": True,
            "level": 3,
            "last_error_code": code,
            "last_error_message": "No answer.",
            "retry_at": timezone.now() + timedelta(minutes=minutes),
        },
    )
    states.forget_cache()


def open_causes(user: User) -> list[str]:
    rows = Notification.objects.filter(user=user, closed_at=None)
    return sorted(rows.values_list("cause", flat=True))


def test_a_provider_that_stays_away_is_told_to_its_followers_alone() -> None:
    item = WatchlistItemFactory.create(series__provider_id="animesama")
    other = WatchlistItemFactory.create(series__provider_id="animeultime")
    fail("animesama", minutes=15)
    troubles.reconcile()
    assert open_causes(item.user) == ["provider:animesama"]
    assert open_causes(other.user) == []


def test_a_short_trouble_is_not_told() -> None:
    item = WatchlistItemFactory.create(series__provider_id="animesama")
    fail("animesama", minutes=1)
    troubles.reconcile()
    assert open_causes(item.user) == []


def test_what_was_told_lasts_until_the_provider_is_well() -> None:
    item = WatchlistItemFactory.create(series__provider_id="animesama")
    for minutes in (15, 1, -1):
        fail("animesama", minutes=minutes)
        troubles.reconcile()
    assert Notification.objects.filter(user=item.user).count() == 1
    assert open_causes(item.user) == ["provider:animesama"]


def test_a_provider_that_is_well_again_closes_the_notice() -> None:
    item = WatchlistItemFactory.create(series__provider_id="animesama")
    fail("animesama", minutes=15)
    troubles.reconcile()
    states.clear_back_off("animesama")
    troubles.reconcile()
    assert open_causes(item.user) == []


def test_a_blocking_provider_is_told_at_once() -> None:
    item = WatchlistItemFactory.create(series__provider_id="animesama")
    fail("animesama", minutes=1, code="blocked")
    troubles.reconcile()
    assert open_causes(item.user) == ["provider:animesama"]


def test_a_full_disk_is_told_to_administrators_and_whoever_waits(settings: Settings) -> None:
    settings.MIN_FREE_DISK_MB = 10**9
    administrator, idle = AdministratorFactory.create(), UserFactory.create()
    waiting = GrabFactory.create(
        download=DownloadFactory.create(state=State.BLOCKED, reason_code="disk_low")
    )
    troubles.reconcile()
    assert open_causes(administrator) == ["disk"]
    assert open_causes(waiting.item.user) == ["disk"]
    assert open_causes(idle) == []
    settings.MIN_FREE_DISK_MB = 0
    troubles.reconcile()
    assert open_causes(administrator) == []


def test_a_folder_that_cannot_be_written_is_told() -> None:
    administrator = AdministratorFactory.create()
    DownloadFactory.create(
        state=State.BLOCKED, reason_code="folder_unwritable", reason_text="Read-only."
    )
    troubles.reconcile()
    assert Notification.objects.get(user=administrator).facts == {
        "error": "Read-only.",
        "code": "folder_unwritable",
    }


def test_a_part_that_stopped_is_told_to_administrators_until_it_is_back() -> None:
    administrator, other = AdministratorFactory.create(), UserFactory.create()
    cache.set("worker:checks", "now", 60)
    cache.delete("worker:downloads")
    for _ in range(2):
        troubles.part_stopped(part="downloads")
        troubles.reconcile()
    assert open_causes(administrator) == ["part:downloads"]
    assert open_causes(other) == []
    assert Notification.objects.count() == 1
    cache.set("worker:downloads", "now", 60)
    troubles.reconcile()
    assert open_causes(administrator) == []


def test_the_broker_is_not_asked_inside_a_transaction(monkeypatch: pytest.MonkeyPatch) -> None:
    AdministratorFactory.create()
    troubles.part_stopped(part="downloads")
    outside, seen = len(connection.atomic_blocks), []

    def note(_keys: list[str]) -> dict[str, str]:
        seen.append(len(connection.atomic_blocks) - outside)
        return {}

    monkeypatch.setattr(cache, "get_many", note)
    troubles.reconcile()
    assert seen == [0]


def test_a_notice_that_is_opened_while_the_parts_are_asked_stays_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    administrator = AdministratorFactory.create()
    standing = troubles._standing_parts

    def standing_before() -> list[troubles.Trouble]:
        found = standing()
        # Another process tells of what stopped at this very moment.
        troubles.part_stopped(part="broker")
        return found

    monkeypatch.setattr(troubles, "_standing_parts", standing_before)
    troubles.reconcile()
    assert open_causes(administrator) == ["part:broker"]


def test_a_part_that_nobody_was_told_of_is_left_to_the_pages() -> None:
    administrator = AdministratorFactory.create()
    cache.delete("worker:checks")
    troubles.reconcile()
    assert open_causes(administrator) == []


def test_a_second_round_changes_nothing() -> None:
    WatchlistItemFactory.create(series__provider_id="animesama")
    fail("animesama", minutes=15)
    troubles.reconcile()
    before = list(Notification.objects.values())
    troubles.reconcile()
    assert list(Notification.objects.values()) == before
