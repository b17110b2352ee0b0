"""Whether an episode is downloaded for an item, and why: pure functions over plain facts.

`decide` is the automatic rule. `explain` says where an episode stands, grab and download included.
Both answer with a reason code and the facts that a sentence needs (`watchlist.reasons`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from downloads.states import State
from watchlist.places import is_after


class EpisodeState(StrEnum):
    """What the episode list shows."""

    DOWNLOADED = "downloaded"
    DOWNLOADING = "downloading"
    QUEUED = "queued"
    FAILED = "failed"
    WANTED = "wanted"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why; each has a sentence in `watchlist.reasons`."""

    WANTED = "wanted"
    QUEUED = "queued"
    IN_LIBRARY = "in_library"
    KEPT_IN_LIBRARY = "already_in_library"
    BELOW_START = "below_start"
    SPECIAL_BEFORE_START = "special_before_start"
    AUTO_OFF_FOR_SERIES = "auto_off_for_series"
    AUTO_OFF_FOR_EVERYBODY = "auto_off_for_everybody"
    ITEM_PAUSED = "item_paused"
    ITEM_COMPLETED = "item_completed"
    ITEM_ARCHIVED = "item_archived"
    IGNORED = "ignored"
    NOT_LISTED = "not_listed"
    RUNNING = "running"
    WAITING_FOR_SLOT = "waiting_for_slot"
    WAITING_FOR_WINDOW = "waiting_for_window"
    WAITING_AFTER_FAILURE = "waiting_after_failure"
    NO_USABLE_PLAYER = "no_usable_player"
    PROVIDER_BLOCKED = "provider_blocked"
    PROVIDER_OFF = "provider_off"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    LICENSED = "licensed"
    PROTECTED = "protected"
    DISK_LOW = "disk_low"
    FOLDER_UNWRITABLE = "folder_unwritable"
    NAME_TAKEN = "name_taken"
    PAUSED_BY_USER = "paused_by_user"
    CANCELLED_BY_USER = "cancelled_by_user"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class EpisodeFacts:
    """What matters of an episode."""

    season: int
    number: Decimal
    is_special: bool
    first_seen_at: datetime
    is_ignored: bool = False
    is_listed: bool = True  # by its provider, now


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """What the user decided for the series."""

    status: str
    auto_download: bool
    last_episode_downloaded: Decimal | None
    last_season_downloaded: int | None  # None when only one season is known
    specials_since: datetime | None
    has_seasons: bool  # whether the series has more than one


@dataclass(frozen=True, slots=True)
class GlobalFacts:
    """What the administrator decided, and how busy the queue is."""

    auto_download_enabled: bool
    include_completed: bool
    running: int = 0
    running_automatic: int = 0
    max_parallel: int = 1
    max_automatic: int = 1
    is_window_open: bool = True


@dataclass(frozen=True, slots=True)
class GrabFacts:
    """Where the download stands that this item has for the episode."""

    state: State
    reason_code: str
    reason_text: str
    not_before: datetime | None
    attempts: int
    is_automatic: bool
    is_cancelled_here: bool = False  # this user no longer wants it; others may


@dataclass(frozen=True, slots=True)
class Verdict:
    """A reason and the facts for its sentence; `accepted` says that it is to be downloaded."""

    reason: Reason
    accepted: bool = False
    facts: Mapping[str, str | int] = field(default_factory=dict)


def decide(episode: EpisodeFacts, item: ItemFacts, everybody: GlobalFacts) -> Verdict:
    """The automatic rule for an episode that this item has not grabbed yet.

    The order is that in which a person would ask: is it wanted at all, then what holds it back.
    """
    if episode.is_ignored:
        return Verdict(Reason.IGNORED)
    below = _below_start(episode, item)
    if below is not None:
        return below
    resting = _resting(item, everybody)
    if resting is not None:
        return Verdict(resting)
    if not item.auto_download:
        return Verdict(Reason.AUTO_OFF_FOR_SERIES)
    if not everybody.auto_download_enabled:
        return Verdict(Reason.AUTO_OFF_FOR_EVERYBODY)
    if not episode.is_listed:
        return Verdict(Reason.NOT_LISTED)
    return Verdict(Reason.WANTED, accepted=True)


def explain(
    episode: EpisodeFacts,
    item: ItemFacts,
    everybody: GlobalFacts,
    grab: GrabFacts | None,
    now: datetime,
) -> tuple[EpisodeState, Verdict]:
    """Where an episode stands for an item now, and why."""
    if grab is not None and grab.state is State.COMPLETED:
        return EpisodeState.DOWNLOADED, _in_library(grab)
    if grab is not None and grab.is_cancelled_here:
        return EpisodeState.SKIPPED, Verdict(Reason.CANCELLED_BY_USER)
    if grab is None or (grab.state is State.CANCELLED and grab.reason_code != "cancelled_by_user"):
        verdict = decide(episode, item, everybody)
        return (EpisodeState.WANTED if verdict.accepted else EpisodeState.SKIPPED), verdict
    if grab.state is State.CANCELLED:
        return EpisodeState.SKIPPED, Verdict(Reason.CANCELLED_BY_USER)
    if grab.state is State.FAILED:
        return EpisodeState.FAILED, Verdict(
            _FAILURE_REASONS.get(grab.reason_code, Reason.FAILED),
            facts=_error(grab) | {"attempts": grab.attempts},
        )
    if grab.state in {State.RESOLVING, State.DOWNLOADING, State.IMPORTING}:
        return EpisodeState.DOWNLOADING, Verdict(Reason.RUNNING)
    return EpisodeState.QUEUED, _waiting(grab, everybody, now)


def _in_library(grab: GrabFacts) -> Verdict:
    if grab.reason_code == Reason.KEPT_IN_LIBRARY:
        return Verdict(Reason.KEPT_IN_LIBRARY, facts=_error(grab))
    return Verdict(Reason.IN_LIBRARY)


def _below_start(episode: EpisodeFacts, item: ItemFacts) -> Verdict | None:
    start = item.last_episode_downloaded
    if episode.is_special:
        since = item.specials_since
        if since is not None and episode.first_seen_at <= since:
            return Verdict(Reason.SPECIAL_BEFORE_START)
        return None
    season = item.last_season_downloaded
    if start is None or is_after(
        episode.season, episode.number, start_season=season, start_number=start
    ):
        return None
    facts: dict[str, str | int] = {"start": plain_number(start)}
    if item.has_seasons and season is not None:
        facts["season"] = season
    return Verdict(Reason.BELOW_START, facts=facts)


def _resting(item: ItemFacts, everybody: GlobalFacts) -> Reason | None:
    if item.status == "paused":
        return Reason.ITEM_PAUSED
    if item.status == "archived":
        return Reason.ITEM_ARCHIVED
    if item.status == "completed" and not everybody.include_completed:
        return Reason.ITEM_COMPLETED
    return None


def _waiting(grab: GrabFacts, everybody: GlobalFacts, now: datetime) -> Verdict:
    if grab.state is State.PAUSED:
        return Verdict(Reason.PAUSED_BY_USER)
    if grab.state is State.BLOCKED:
        reason = _BLOCK_REASONS.get(grab.reason_code, Reason.PROVIDER_UNREACHABLE)
        return Verdict(reason, facts=_error(grab))
    if grab.not_before is not None and grab.not_before > now:
        return Verdict(
            Reason.WAITING_AFTER_FAILURE,
            facts=_error(grab) | {"until": grab.not_before.isoformat(), "attempts": grab.attempts},
        )
    if not everybody.is_window_open:
        return Verdict(Reason.WAITING_FOR_WINDOW)
    if everybody.running >= everybody.max_parallel:
        return Verdict(Reason.WAITING_FOR_SLOT, facts={"cap": everybody.max_parallel})
    if grab.is_automatic and everybody.running_automatic >= everybody.max_automatic:
        return Verdict(Reason.WAITING_FOR_SLOT, facts={"cap": everybody.max_automatic})
    return Verdict(Reason.QUEUED)


def _error(grab: GrabFacts) -> dict[str, str | int]:
    return {"code": grab.reason_code, "error": grab.reason_text}


def plain_number(number: Decimal) -> str:
    """A number as people write it: 7, 12.5."""
    return f"{number.normalize():f}"


_BLOCK_REASONS = {
    "disk_low": Reason.DISK_LOW,
    "folder_unwritable": Reason.FOLDER_UNWRITABLE,
    "folder_busy": Reason.FOLDER_UNWRITABLE,
    "blocked": Reason.PROVIDER_BLOCKED,
    "provider_disabled": Reason.PROVIDER_OFF,
}
_FAILURE_REASONS = {
    "no_usable_player": Reason.NO_USABLE_PLAYER,
    "unsupported_host": Reason.NO_USABLE_PLAYER,
    "licensed": Reason.LICENSED,
    "protected": Reason.PROTECTED,
    "name_taken": Reason.NAME_TAKEN,
}
