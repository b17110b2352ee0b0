"""What a provider's answer does to what is known: new episodes, never a loss."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from downloads.models import Download
from providers.types import AiringStatus, EpisodeList, EpisodeListing, PageValidator, SeriesDetails
from watchlist.decisions import Reason
from watchlist.models import (
    Check,
    CheckStatus,
    Grab,
    Notification,
    Preferences,
    Series,
    WatchlistItem,
)
from watchlist.selectors.episodes import find_episode
from watchlist.services import deciding, items, listing, outcomes
from watchlist.services.outcomes import Answer
from watchlist.tests.factories import (
    SeriesFactory,
    UserFactory,
    WatchlistItemFactory,
    running_check,
)
from watchlist.tests.grabs import waiting

pytestmark = pytest.mark.django_db


def entry(
    number: str, *, ref: str = "", position: int = 0, special: bool = False
) -> EpisodeListing:
    return EpisodeListing(
        ref=ref or f"s1|Episode {number}",
        number=Decimal(number),
        season=0 if special else 1,
        position=position,
        is_special=special,
    )


def entries(*numbers: str) -> list[EpisodeListing]:
    return [entry(number, position=place) for place, number in enumerate(numbers)]


def record(series: Series, listed: Sequence[EpisodeListing]) -> Check:
    check = running_check(series)
    found = EpisodeList(
        episodes=tuple(listed),
        validators={"episodes": PageValidator(etag='"1"')},
        airing_status=AiringStatus.AIRING,
    )
    listing.record(answers=[Answer(check, found)], around=outcomes.circumstances())
    check.refresh_from_db()
    return check


def known(series: Series) -> list[str]:
    return [f"{e.number.normalize():f}" for e in series.episodes.order_by("number")]


def test_the_first_list_makes_every_episode_known() -> None:
    series = SeriesFactory.create()
    check = record(series, entries("1", "2", "2.5"))
    series.refresh_from_db()
    assert check.status == CheckStatus.SUCCEEDED
    assert known(series) == ["1", "2", "2.5"]
    assert (series.episodes_known, series.latest_episode) == (3, Decimal("2.5"))


def test_a_list_with_nothing_new_adds_nothing() -> None:
    series = SeriesFactory.create()
    record(series, entries("1", "2"))
    check = record(series, entries("1", "2"))
    assert check.new_count == 0
    assert series.episodes.count() == 2


def test_a_special_inserted_before_keeps_every_identity() -> None:
    series = SeriesFactory.create()
    record(series, entries("1", "2"))
    ids = dict(series.episodes.values_list("ref", "id"))
    special = entry("1", ref="s1|SP 1", special=True)
    record(series, [special, *entries("1", "2")])
    after = dict(series.episodes.values_list("ref", "id"))
    assert {ref: after[ref] for ref in ids} == ids
    assert len(after) == 3


def test_an_episode_whose_reference_was_renamed_is_the_same_episode() -> None:
    series = SeriesFactory.create()
    record(series, entries("1", "2"))
    ids = set(series.episodes.values_list("id", flat=True))
    record(series, [entry("1", ref="new-1"), entry("2", ref="new-2", position=1)])
    assert set(series.episodes.values_list("id", flat=True)) == ids
    assert set(series.episodes.values_list("ref", flat=True)) == {"new-1", "new-2"}


def test_an_empty_list_is_a_failed_check_that_changes_nothing() -> None:
    series = SeriesFactory.create()
    record(series, entries("1", "2", "3"))
    check = record(series, [])
    series.refresh_from_db()
    assert (check.status, check.error_code) == (CheckStatus.FAILED, "suspect_list")
    assert known(series) == ["1", "2", "3"]
    assert series.episodes_known == 3
    assert "no episodes" in series.last_error_text


def test_a_much_shorter_list_is_a_failed_check_that_changes_nothing() -> None:
    series = SeriesFactory.create()
    record(series, entries(*map(str, range(1, 13))))
    check = record(series, entries("1", "2"))
    assert check.error_code == "suspect_list"
    assert series.episodes.filter(is_listed=True).count() == 12


def test_one_episode_gone_from_a_long_list_is_kept_but_no_longer_listed() -> None:
    series = SeriesFactory.create()
    record(series, entries(*map(str, range(1, 13))))
    check = record(series, entries(*map(str, range(1, 12))))
    assert check.status == CheckStatus.SUCCEEDED
    assert series.episodes.count() == 12
    assert not series.episodes.get(number=12).is_listed


def test_a_shorter_list_is_believed_after_three_days_of_the_same_answer() -> None:
    series = SeriesFactory.create()
    record(series, entries(*map(str, range(1, 13))))
    for _ in range(2):
        record(series, entries("1", "2"))
    Series.objects.update(suspect_since=timezone.now() - timedelta(hours=73))
    check = record(series, entries("1", "2"))
    assert check.status == CheckStatus.SUCCEEDED
    assert series.episodes.count() == 12
    assert series.episodes.filter(is_listed=True).count() == 2


def test_a_success_clears_the_trouble_of_before() -> None:
    series = SeriesFactory.create(
        failures=3, last_error_code="unreachable", last_error_text="Down."
    )
    record(series, entries("1"))
    series.refresh_from_db()
    assert (series.failures, series.last_error_code, series.last_error_text) == (0, "", "")


def test_a_check_of_a_paused_series_does_not_put_it_back_on_the_schedule() -> None:
    series = SeriesFactory.create(next_check_at=None)
    record(series, entries("1"))
    series.refresh_from_db()
    assert series.next_check_at is None


def test_a_worker_that_lost_its_check_writes_nothing() -> None:
    series = SeriesFactory.create()
    check = running_check(series)
    Check.objects.filter(pk=check.pk).update(owner="another worker")
    answer = Answer(check, EpisodeList(episodes=tuple(entries("1"))))
    listing.record(answers=[answer], around=outcomes.circumstances())
    assert not series.episodes.exists()


def test_a_list_that_cannot_be_stored_is_a_failed_check_and_takes_no_other_with_it() -> None:
    good, bad = SeriesFactory.create(), SeriesFactory.create()
    impossible = EpisodeListing(ref="x", number=Decimal(10) ** 12, season=-1, position=0)
    answers = [
        Answer(running_check(good), EpisodeList(episodes=tuple(entries("1", "2")))),
        Answer(running_check(bad), EpisodeList(episodes=(impossible,))),
    ]
    listing.record(answers=answers, around=outcomes.circumstances())
    assert known(good) == ["1", "2"]
    assert known(bad) == []
    failed = Check.objects.get(series=bad)
    assert (failed.status, failed.error_code) == (CheckStatus.FAILED, "provider_error")


def test_followers_are_told_of_an_episode_only_while_the_setting_is_on() -> None:
    item = WatchlistItemFactory.create()
    record(item.series, entries("1"))
    record(item.series, entries("1", "2"))
    assert not Notification.objects.exists()
    Preferences.objects.update_or_create(pk=1, defaults={"notify_on_new_episodes": True})
    record(item.series, entries("1", "2", "3"))
    assert Notification.objects.get(user=item.user).facts["last"] == "3"


def test_every_follower_gets_a_grab_and_they_share_one_download() -> None:
    series = SeriesFactory.create()
    for _ in range(3):
        WatchlistItemFactory.create(series=series, user=UserFactory.create())
    record(series, entries("1", "2"))
    assert Grab.objects.count() == 6
    assert Download.objects.count() == 2


def test_a_follower_who_was_deactivated_gets_nothing_and_is_told_nothing() -> None:
    gone = WatchlistItemFactory.create(user__is_active=False)
    stays = WatchlistItemFactory.create(series=gone.series)
    record(gone.series, entries("1"))
    Preferences.objects.update_or_create(pk=1, defaults={"notify_on_new_episodes": True})
    record(gone.series, entries("1", "2"))
    assert (waiting(gone), waiting(stays)) == ([], [1, 2])
    assert Notification.objects.get().user == stays.user


def test_details_replace_a_guessed_title_everywhere() -> None:
    series = SeriesFactory.create(title="Glass harbour", is_title_guessed=True)
    item = WatchlistItemFactory.create(series=series, is_title_guessed=True)
    details = SeriesDetails(series_ref=series.ref, url="", title="Glass Harbour!", lang="vostfr")
    found = EpisodeList(episodes=tuple(entries("1")))
    listing.record(
        answers=[Answer(running_check(series), found, details)], around=outcomes.circumstances()
    )
    item.refresh_from_db()
    assert item.anime_title == "Glass Harbour!"


class TestAnyList(TestCase):
    """Whatever a site answers, nothing that was known is lost."""

    @settings(max_examples=40, deadline=None)
    @given(st.lists(st.lists(st.integers(1, 30), unique=True, max_size=30), min_size=1, max_size=5))
    def test_no_answer_ever_takes_an_episode_or_a_download_away(
        self, answers: list[list[int]]
    ) -> None:
        series = SeriesFactory.create()
        WatchlistItemFactory.create(series=series)
        episodes: set[uuid.UUID] = set()
        grabs: set[int] = set()
        for answer in answers:
            record(series, entries(*map(str, answer)))
            now_known = set(series.episodes.values_list("id", flat=True))
            now_grabbed = set(Grab.objects.filter(item__series=series).values_list("id", flat=True))
            assert episodes <= now_known
            assert grabs <= now_grabbed
            assert WatchlistItem.objects.filter(series=series).count() == 1
            episodes, grabs = now_known, now_grabbed


class TestAnEpisodeThatReturns:
    """The site took it down for an hour."""

    def test_it_is_queued_for_whoever_wants_it_meanwhile(self) -> None:
        item = WatchlistItemFactory.create(auto_download=False)
        record(item.series, entries("1", "2", "3", "4", "5"))
        record(item.series, entries("1", "2", "3", "4"))
        items.change(item=item, changes={"auto_download": True})
        assert waiting(item) == [1, 2, 3, 4]
        item.refresh_from_db()
        gone = find_episode(item, item.series.episodes.get(number=5).pk)
        assert gone is not None
        assert gone.reason_code == Reason.NOT_LISTED
        record(item.series, entries("1", "2", "3", "4", "5"))
        deciding.decide_marked()
        assert waiting(item) == [1, 2, 3, 4, 5]

    def test_nobody_is_decided_for_again_while_the_list_stays_as_it_was(self) -> None:
        item = WatchlistItemFactory.create()
        for listed in (entries("1", "2"), entries("1"), entries("1")):
            record(item.series, listed)
        item.refresh_from_db()
        assert not item.needs_decision
