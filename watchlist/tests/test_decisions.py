"""The automatic rule and its reasons, as pure functions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from downloads.states import State
from watchlist.decisions import (
    EpisodeFacts,
    EpisodeState,
    GlobalFacts,
    GrabFacts,
    ItemFacts,
    Reason,
    decide,
    explain,
)
from watchlist.reasons import sentence

NOW = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
EPISODE = EpisodeFacts(season=1, number=Decimal(7), is_special=False, first_seen_at=NOW)
ITEM = ItemFacts(
    status="active",
    auto_download=True,
    last_episode_downloaded=None,
    last_season_downloaded=None,
    specials_since=None,
    has_seasons=False,
)
EVERYBODY = GlobalFacts(
    auto_download_enabled=True, include_completed=False, max_parallel=3, max_automatic=2
)
GRAB = GrabFacts(
    state=State.QUEUED,
    reason_code="",
    reason_text="",
    not_before=None,
    attempts=0,
    is_automatic=True,
)


def test_an_episode_is_wanted_when_nothing_speaks_against_it() -> None:
    verdict = decide(EPISODE, ITEM, EVERYBODY)
    assert verdict.accepted
    assert verdict.reason is Reason.WANTED


@pytest.mark.parametrize(
    ("start", "wanted"), [("6", True), ("6.5", True), ("7", False), ("8", False)]
)
def test_only_episodes_above_the_start_point_are_wanted(start: str, *, wanted: bool) -> None:
    item = replace(ITEM, last_episode_downloaded=Decimal(start))
    assert decide(EPISODE, item, EVERYBODY).accepted is wanted


def test_the_start_point_is_named_in_the_reason() -> None:
    item = replace(ITEM, last_episode_downloaded=Decimal("12.500"))
    verdict = decide(EPISODE, item, EVERYBODY)
    assert verdict.reason is Reason.BELOW_START
    assert "episode 12.5" in sentence(verdict.reason, verdict.facts)


@pytest.mark.parametrize(
    ("season", "start", "wanted"),
    [(1, "7", False), (1, "6", True), (0, "9", True), (2, "1", False), (None, "6", True)],
)
def test_a_start_point_in_a_season_goes_before_every_number_of_the_next(
    season: int | None, start: str, *, wanted: bool
) -> None:
    item = replace(
        ITEM,
        last_season_downloaded=season,
        last_episode_downloaded=Decimal(start),
        has_seasons=True,
    )
    assert decide(EPISODE, item, EVERYBODY).accepted is wanted


@pytest.mark.parametrize(
    ("has_seasons", "words"), [(False, "episode 8."), (True, "episode 8 of season 1.")]
)
def test_the_season_is_named_in_the_reason_when_there_are_several(
    words: str, *, has_seasons: bool
) -> None:
    item = replace(
        ITEM,
        last_season_downloaded=1,
        last_episode_downloaded=Decimal(8),
        has_seasons=has_seasons,
    )
    verdict = decide(EPISODE, item, EVERYBODY)
    assert sentence(verdict.reason, verdict.facts).endswith(words)


def test_a_special_from_before_the_start_is_left_alone_whatever_its_number() -> None:
    special = replace(EPISODE, is_special=True, number=Decimal(99))
    item = replace(ITEM, last_episode_downloaded=Decimal(3), specials_since=NOW)
    assert decide(special, item, EVERYBODY).reason is Reason.SPECIAL_BEFORE_START


def test_a_special_that_appears_later_is_wanted_whatever_its_number() -> None:
    special = EpisodeFacts(0, Decimal(1), is_special=True, first_seen_at=NOW + timedelta(days=1))
    item = replace(ITEM, last_episode_downloaded=Decimal(3), specials_since=NOW)
    assert decide(special, item, EVERYBODY).accepted


@pytest.mark.parametrize(
    ("item", "everybody", "reason"),
    [
        (replace(ITEM, auto_download=False), EVERYBODY, Reason.AUTO_OFF_FOR_SERIES),
        (ITEM, replace(EVERYBODY, auto_download_enabled=False), Reason.AUTO_OFF_FOR_EVERYBODY),
        (replace(ITEM, status="paused"), EVERYBODY, Reason.ITEM_PAUSED),
        (replace(ITEM, status="archived"), EVERYBODY, Reason.ITEM_ARCHIVED),
        (replace(ITEM, status="completed"), EVERYBODY, Reason.ITEM_COMPLETED),
    ],
)
def test_what_holds_an_episode_back_is_the_reason(
    item: ItemFacts, everybody: GlobalFacts, reason: Reason
) -> None:
    verdict = decide(EPISODE, item, everybody)
    assert not verdict.accepted
    assert verdict.reason is reason


def test_a_completed_series_is_downloaded_when_completed_ones_are_included() -> None:
    everybody = replace(EVERYBODY, include_completed=True)
    assert decide(EPISODE, replace(ITEM, status="completed"), everybody).accepted


def test_an_ignored_episode_is_skipped_before_anything_else_is_asked() -> None:
    episode = replace(EPISODE, is_ignored=True)
    assert decide(episode, replace(ITEM, status="paused"), EVERYBODY).reason is Reason.IGNORED


def test_what_is_wanted_and_not_listed_now_is_skipped_until_it_is() -> None:
    verdict = decide(replace(EPISODE, is_listed=False), ITEM, EVERYBODY)
    assert (verdict.reason, verdict.accepted) == (Reason.NOT_LISTED, False)


def test_a_completed_download_is_in_the_library_even_after_the_user_cancelled() -> None:
    grab = replace(GRAB, state=State.COMPLETED, is_cancelled_here=True)
    state, verdict = explain(EPISODE, ITEM, EVERYBODY, grab, NOW)
    assert (state, verdict.reason) == (EpisodeState.DOWNLOADED, Reason.IN_LIBRARY)


def test_a_wish_that_this_user_gave_up_is_skipped_though_others_still_download() -> None:
    grab = replace(GRAB, state=State.DOWNLOADING, is_cancelled_here=True)
    state, verdict = explain(EPISODE, ITEM, EVERYBODY, grab, NOW)
    assert (state, verdict.reason) == (EpisodeState.SKIPPED, Reason.CANCELLED_BY_USER)


def test_a_free_slot_means_that_it_starts_next() -> None:
    state, verdict = explain(EPISODE, ITEM, EVERYBODY, GRAB, NOW)
    assert (state, verdict.reason) == (EpisodeState.QUEUED, Reason.QUEUED)


@pytest.mark.parametrize(
    ("busy", "cap"),
    [
        (replace(EVERYBODY, running=3, running_automatic=1), 3),
        (replace(EVERYBODY, running=2, running_automatic=2), 2),
    ],
)
def test_a_busy_queue_names_the_cap_it_waits_for(busy: GlobalFacts, cap: int) -> None:
    _, verdict = explain(EPISODE, ITEM, busy, GRAB, NOW)
    assert verdict.reason is Reason.WAITING_FOR_SLOT
    assert f"{cap} downloads" in sentence(verdict.reason, verdict.facts)


def test_the_automatic_cap_does_not_hold_back_what_a_person_asked_for() -> None:
    busy = replace(EVERYBODY, running=2, running_automatic=2)
    _, verdict = explain(EPISODE, ITEM, busy, replace(GRAB, is_automatic=False), NOW)
    assert verdict.reason is Reason.QUEUED


def test_after_a_failure_the_time_of_the_next_try_is_named() -> None:
    grab = replace(
        GRAB, not_before=NOW + timedelta(minutes=10), attempts=1, reason_code="connection_failed"
    )
    state, verdict = explain(EPISODE, ITEM, EVERYBODY, grab, NOW)
    assert (state, verdict.reason) == (EpisodeState.QUEUED, Reason.WAITING_AFTER_FAILURE)
    text = sentence(verdict.reason, verdict.facts)
    assert "12:10" in text
    assert "the connection to the video host failed" in text


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("disk_low", Reason.DISK_LOW),
        ("folder_unwritable", Reason.FOLDER_UNWRITABLE),
        ("blocked", Reason.PROVIDER_BLOCKED),
        ("provider_disabled", Reason.PROVIDER_OFF),
        ("backing_off", Reason.PROVIDER_UNREACHABLE),
    ],
)
def test_a_blocked_download_says_what_is_in_the_way(code: str, reason: Reason) -> None:
    grab = replace(GRAB, state=State.BLOCKED, reason_code=code)
    state, verdict = explain(EPISODE, ITEM, EVERYBODY, grab, NOW)
    assert (state, verdict.reason) == (EpisodeState.QUEUED, reason)


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("no_usable_player", Reason.NO_USABLE_PLAYER),
        ("licensed", Reason.LICENSED),
        ("protected", Reason.PROTECTED),
        ("connection_failed", Reason.FAILED),
    ],
)
def test_a_failed_download_says_why_it_failed(code: str, reason: Reason) -> None:
    grab = replace(GRAB, state=State.FAILED, reason_code=code, reason_text="It broke.")
    state, verdict = explain(EPISODE, ITEM, EVERYBODY, grab, NOW)
    assert (state, verdict.reason) == (EpisodeState.FAILED, reason)


@pytest.mark.parametrize("state", [State.RESOLVING, State.DOWNLOADING, State.IMPORTING])
def test_a_download_that_a_worker_holds_is_downloading(state: State) -> None:
    shown, _ = explain(EPISODE, ITEM, EVERYBODY, replace(GRAB, state=state), NOW)
    assert shown is EpisodeState.DOWNLOADING


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    facts: dict[str, str | int] = {
        "until": NOW.isoformat(),
        "cap": 2,
        "start": "3",
        "error": "It broke.",
    }
    text = sentence(reason, facts)
    assert text
    assert "%(" not in text
