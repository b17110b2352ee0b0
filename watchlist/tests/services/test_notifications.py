"""What users are told of: new episodes, what finished, what failed."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from downloads.models import Download
from downloads.states import State
from watchlist import tasks
from watchlist.models import (
    Episode,
    Grab,
    ItemStatus,
    Notification,
    NotificationKind,
    WatchlistItem,
)
from watchlist.services import notifications
from watchlist.services.downloads import cancel_for
from watchlist.tests.factories import (
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    NotificationFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db


def episodes(item: WatchlistItem, *numbers: str) -> list[Episode]:
    return [EpisodeFactory.create(series=item.series, number=Decimal(number)) for number in numbers]


def announce(item: WatchlistItem, *numbers: str) -> None:
    notifications.new_episodes(series=item.series, episodes=episodes(item, *numbers), items=[item])


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

    def untold_grab(self) -> Grab:
        """A failure of a moment ago, of which no signal told."""
        yesterday = timezone.now() - timedelta(days=1)
        download = DownloadFactory.create(failed=True)
        grab: Grab = GrabFactory.create(download=download, created_at=yesterday)
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

    def test_a_failure_whose_signal_was_lost_is_told_once(self) -> None:
        grab = self.untold_grab()
        for _ in range(2):
            tasks.tick_repair()
        assert open_causes(grab.item.user) == [f"failed:{grab.download_id}"]
        assert notifications.tell_missed_failures() == 0

    def test_a_second_failure_whose_signal_was_lost_is_told_too(self) -> None:
        grab = self.untold_grab()
        solved = {"closed_at": timezone.now(), "created_at": grab.created_at}
        notifications.download_failed(download=grab.download)
        Notification.objects.update(**solved)
        assert notifications.tell_missed_failures() == 1
        assert open_causes(grab.item.user) == [f"failed:{grab.download_id}"]

    def test_who_joins_a_failed_download_is_not_told_of_what_was_before(self) -> None:
        GrabFactory.create(download=DownloadFactory.create(failed=True))
        assert notifications.tell_missed_failures() == 0

    def test_a_failure_of_long_ago_is_no_news(self) -> None:
        self.untold_grab()
        long_ago = timezone.now() - notifications.TOLD_WITHIN - timedelta(minutes=1)
        Download.objects.update(finished_at=long_ago)
        Grab.objects.update(created_at=long_ago)
        assert notifications.tell_missed_failures() == 0

    def test_a_retry_closes_the_failure(self) -> None:
        grab = self.failed_grab()
        Download.objects.filter(pk=grab.download_id).update(state=State.QUEUED)
        notifications.close_solved_failures()
        assert open_causes(grab.item.user) == []

    def test_giving_the_episode_up_closes_the_failure_for_who_gave_it_up(self) -> None:
        grab = self.failed_grab()
        other = GrabFactory.create(episode=grab.episode, download=grab.download)
        notifications.download_failed(download=grab.download)
        cancel_for(grab=grab)
        notifications.close_solved_failures()
        assert open_causes(grab.item.user) == []
        assert open_causes(other.item.user) == [f"failed:{grab.download_id}"]

    def test_a_failure_stays_open_while_it_lasts(self) -> None:
        grab = self.failed_grab()
        notifications.close_solved_failures()
        assert open_causes(grab.item.user) == [f"failed:{grab.download_id}"]

    def test_finished_episodes_of_a_series_are_gathered(self) -> None:
        item = WatchlistItemFactory.create()
        for number in ("1", "2"):
            (episode,) = episodes(item, number)
            grab = GrabFactory.create(item=item, episode=episode)
            notifications.download_finished(download=grab.download)
        row = Notification.objects.get(user=item.user)
        assert (row.kind, row.facts["count"]) == (NotificationKind.FINISHED, 2)


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
