from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.utils import timezone
from pytest_django import Settings

from downloads.models import Download
from downloads.states import State
from providers import states
from providers.models import ProviderState
from watchlist.models import (
    Episode,
    Grab,
    ItemStatus,
    Notification,
    NotificationKind,
    WatchlistItem,
)
from watchlist.services import notifications
from watchlist.tests.factories import (
    AdministratorFactory,
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    NotificationFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def room_on_disk(settings: Settings) -> None:
    settings.MIN_FREE_DISK_MB = 0
    states.forget_cache()


def episodes(item: WatchlistItem, *numbers: str) -> list[Episode]:
    return [EpisodeFactory.create(series=item.series, number=Decimal(number)) for number in numbers]


def announce(item: WatchlistItem, *numbers: str) -> None:
    notifications.new_episodes(series=item.series, episodes=episodes(item, *numbers), items=[item])


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


class TestNewEpisodes:
    def test_a_follower_is_told_of_an_episode(self) -> None:
        item = WatchlistItemFactory.create()
        announce(item, "7")
        row = Notification.objects.get(user=item.user)
        assert row.kind == NotificationKind.NEW_EPISODE
        assert row.episode is not None
        assert row.facts == {"title": item.anime_title, "count": 1, "first": "7", "last": "7"}

    def test_a_whole_season_is_one_notice(self) -> None:
        item = WatchlistItemFactory.create()
        announce(item, *(str(number) for number in range(1, 25)))
        row = Notification.objects.get(user=item.user)
        assert (row.facts["count"], row.facts["first"], row.facts["last"]) == (24, "1", "24")
        assert row.episode is None

    def test_what_was_not_read_yet_is_gathered(self) -> None:
        item = WatchlistItemFactory.create()
        announce(item, "7")
        announce(item, "8", "12.5")
        row = Notification.objects.get(user=item.user)
        assert (row.facts["count"], row.facts["first"], row.facts["last"]) == (3, "7", "12.5")

    def test_what_was_read_stays_and_a_new_notice_begins(self) -> None:
        item = WatchlistItemFactory.create()
        announce(item, "7")
        notifications.mark_read(user=item.user)
        announce(item, "8")
        rows = Notification.objects.filter(user=item.user)
        assert [row.facts["first"] for row in rows] == ["8", "7"]
        assert rows.filter(closed_at=None).get().read_at is None

    def test_a_paused_series_is_not_announced(self) -> None:
        announce(WatchlistItemFactory.create(status=ItemStatus.PAUSED), "7")
        assert not Notification.objects.exists()

    def test_everybody_who_follows_it_is_told(self) -> None:
        first = WatchlistItemFactory.create()
        second = WatchlistItemFactory.create(series=first.series)
        notifications.new_episodes(
            series=first.series, episodes=episodes(first, "1"), items=[first, second]
        )
        assert Notification.objects.count() == 2


class TestDownloads:
    def failed_grab(self) -> Grab:
        grab: Grab = GrabFactory.create(download=DownloadFactory.create(failed=True))
        notifications.download_failed(download=grab.download)
        return grab

    def test_a_failure_is_told_with_its_reason(self) -> None:
        grab = self.failed_grab()
        row = Notification.objects.get(user=grab.item.user)
        assert row.kind == NotificationKind.FAILED
        assert row.facts["error"] == "Every player failed."

    def test_the_same_failure_is_told_once(self) -> None:
        grab = self.failed_grab()
        notifications.download_failed(download=grab.download)
        assert Notification.objects.count() == 1

    def test_whoever_gave_the_episode_up_is_not_told(self) -> None:
        grab = GrabFactory.create(
            download=DownloadFactory.create(failed=True), cancelled_at=timezone.now()
        )
        notifications.download_failed(download=grab.download)
        assert not Notification.objects.exists()

    def test_success_closes_the_failure(self) -> None:
        grab = self.failed_grab()
        notifications.download_finished(download=grab.download)
        assert open_causes(grab.item.user) == [f"finished:{grab.item_id}"]

    def test_a_retry_closes_the_failure(self) -> None:
        grab = self.failed_grab()
        Download.objects.filter(pk=grab.download_id).update(state=State.QUEUED)
        notifications.reconcile_stuck()
        assert open_causes(grab.item.user) == []

    def test_a_failure_stays_open_while_it_lasts(self) -> None:
        grab = self.failed_grab()
        notifications.reconcile_stuck()
        assert open_causes(grab.item.user) == [f"failed:{grab.download_id}"]

    def test_finished_episodes_of_a_series_are_gathered(self) -> None:
        item = WatchlistItemFactory.create()
        for number in ("1", "2"):
            (episode,) = episodes(item, number)
            grab = GrabFactory.create(item=item, episode=episode)
            notifications.download_finished(download=grab.download)
        row = Notification.objects.get(user=item.user)
        assert (row.kind, row.facts["count"]) == (NotificationKind.FINISHED, 2)


class TestStuck:
    def test_a_provider_that_stays_away_is_told_to_its_followers_alone(self) -> None:
        item = WatchlistItemFactory.create(series__provider_id="animesama")
        other = WatchlistItemFactory.create(series__provider_id="animeultime")
        fail("animesama", minutes=15)
        notifications.reconcile_stuck()
        assert open_causes(item.user) == ["provider:animesama"]
        assert open_causes(other.user) == []

    def test_a_short_trouble_is_not_told(self) -> None:
        item = WatchlistItemFactory.create(series__provider_id="animesama")
        fail("animesama", minutes=1)
        notifications.reconcile_stuck()
        assert open_causes(item.user) == []

    def test_what_was_told_lasts_until_the_provider_is_well(self) -> None:
        item = WatchlistItemFactory.create(series__provider_id="animesama")
        for minutes in (15, 1, -1):
            fail("animesama", minutes=minutes)
            notifications.reconcile_stuck()
        assert Notification.objects.filter(user=item.user).count() == 1
        assert open_causes(item.user) == ["provider:animesama"]

    def test_a_provider_that_is_well_again_closes_the_notice(self) -> None:
        item = WatchlistItemFactory.create(series__provider_id="animesama")
        fail("animesama", minutes=15)
        notifications.reconcile_stuck()
        states.clear_back_off("animesama")
        notifications.reconcile_stuck()
        assert open_causes(item.user) == []

    def test_a_blocking_provider_is_told_at_once(self) -> None:
        item = WatchlistItemFactory.create(series__provider_id="animesama")
        fail("animesama", minutes=1, code="blocked")
        notifications.reconcile_stuck()
        assert open_causes(item.user) == ["provider:animesama"]

    def test_a_full_disk_is_told_to_administrators_and_whoever_waits(
        self, settings: Settings
    ) -> None:
        settings.MIN_FREE_DISK_MB = 10**9
        administrator, idle = AdministratorFactory.create(), UserFactory.create()
        waiting = GrabFactory.create(
            download=DownloadFactory.create(state=State.BLOCKED, reason_code="disk_low")
        )
        notifications.reconcile_stuck()
        assert open_causes(administrator) == ["disk"]
        assert open_causes(waiting.item.user) == ["disk"]
        assert open_causes(idle) == []
        settings.MIN_FREE_DISK_MB = 0
        notifications.reconcile_stuck()
        assert open_causes(administrator) == []

    def test_a_folder_that_cannot_be_written_is_told(self) -> None:
        administrator = AdministratorFactory.create()
        DownloadFactory.create(
            state=State.BLOCKED, reason_code="folder_unwritable", reason_text="Read-only."
        )
        notifications.reconcile_stuck()
        assert Notification.objects.get(user=administrator).facts == {
            "error": "Read-only.",
            "code": "folder_unwritable",
        }

    def test_a_part_that_stopped_is_told_to_administrators_until_it_is_back(self) -> None:
        administrator, other = AdministratorFactory.create(), UserFactory.create()
        cache.set("worker:checks", "now", 60)
        cache.delete("worker:downloads")
        for _ in range(2):
            notifications.part_stopped(part="downloads")
            notifications.reconcile_stuck()
        assert open_causes(administrator) == ["part:downloads"]
        assert open_causes(other) == []
        assert Notification.objects.count() == 1
        cache.set("worker:downloads", "now", 60)
        notifications.reconcile_stuck()
        assert open_causes(administrator) == []

    def test_a_part_that_nobody_was_told_of_is_left_to_the_pages(self) -> None:
        administrator = AdministratorFactory.create()
        cache.delete("worker:checks")
        notifications.reconcile_stuck()
        assert open_causes(administrator) == []

    def test_a_second_round_changes_nothing(self) -> None:
        WatchlistItemFactory.create(series__provider_id="animesama")
        fail("animesama", minutes=15)
        notifications.reconcile_stuck()
        before = list(Notification.objects.values())
        notifications.reconcile_stuck()
        assert list(Notification.objects.values()) == before


def test_reading_marks_only_ones_own() -> None:
    mine, other = NotificationFactory.create(), NotificationFactory.create()
    assert notifications.mark_read(user=mine.user, ids=[str(mine.pk), str(other.pk)]) == 1
    other.refresh_from_db()
    assert other.read_at is None


def test_a_mark_can_be_taken_back() -> None:
    row = NotificationFactory.create(read_at=timezone.now())
    assert notifications.mark_unread(user=row.user, ids=[str(row.pk)]) == 1
    row.refresh_from_db()
    assert row.read_at is None


def test_old_notices_are_forgotten() -> None:
    NotificationFactory.create(
        created_at=timezone.now() - notifications.KEPT_FOR - timedelta(days=1)
    )
    kept = NotificationFactory.create()
    notifications.forget_old()
    assert list(Notification.objects.all()) == [kept]
