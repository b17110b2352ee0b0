"""A user's own downloads, seen through their grabs: nobody else's wishes ever show."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple, TypeVar

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from downloads.models import DownloadAttempt
from downloads.states import State
from watchlist import reasons
from watchlist.decisions import Reason
from watchlist.models import Grab
from watchlist.selectors.rows import Rows

ORDERINGS: Final = {
    "created_at": "download__created_at",
    "finished_at": "download__finished_at",
    "position": "download__position",
}
# What a person did is not an error, and a finished download has none.
_CALM_STATES: Final = frozenset({State.COMPLETED, State.CANCELLED, State.PAUSED})
_AWAY: Final = frozenset({State.CANCELLED, State.PAUSED})
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class DownloadRow:
    """A download as one of those who want it sees it."""

    id: uuid.UUID
    item_id: uuid.UUID
    episode_id: uuid.UUID
    anime_title: str
    episode_number: Decimal
    episode_title: str
    season: int
    provider_id: str
    poster_image: str
    state: State  # `cancelled` when this user gave it up, whatever others do
    stage: str  # "" unless it runs
    source: str  # the player in use or used last, "" before the first
    wanted_quality: str
    height: int | None  # measured, in pixels; None before the file is verified
    bytes_done: int
    bytes_total: int | None
    speed_bps: int
    eta_seconds: int | None
    attempts: int
    is_manual: bool
    error_code: str  # "" when nothing is wrong
    error_text: str
    kept_text: str  # in English; "" unless the library had a file of another site that is kept
    not_before: datetime | None  # waits until then after a failure
    path: str | None  # relative to the library, once the file is there
    size_bytes: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def quality(self) -> str:
        """What the file really has, once it is known; before that what is wanted."""
        return f"{self.height}p" if self.height else self.wanted_quality


class Wish(NamedTuple):
    """A grab with what is shown of it; the columns of `WISHES`, in this order."""

    download_id: uuid.UUID
    item_id: uuid.UUID
    episode_id: uuid.UUID
    is_manual: bool
    cancelled_at: datetime | None
    anime_title: str
    own_poster: str
    series_poster: str
    item_status: str
    auto_download: bool
    last_episode_downloaded: Decimal | None
    last_season_downloaded: int | None
    has_seasons: bool
    specials_since: datetime | None
    number: Decimal
    episode_title: str
    season: int
    is_special: bool
    first_seen_at: datetime
    provider_id: str
    download_state: str
    stage: str
    source_label: str
    quality: str
    height: int | None
    bytes_done: int
    bytes_total: int | None
    speed_bps: int
    eta_seconds: int | None
    attempts: int
    is_automatic: bool
    reason_code: str
    reason_text: str
    not_before: datetime | None
    final_path: str
    final_size_bytes: int | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @property
    def state(self) -> State:
        """Where the download stands for whoever made this grab."""
        state = State(self.download_state)
        if self.cancelled_at is not None and state is not State.COMPLETED:
            return State.CANCELLED
        return state


_OF_THE_DOWNLOAD: Final = (
    *("provider_id", "state", "stage", "source_label", "quality", "height", "bytes_done"),
    *("bytes_total", "speed_bps", "eta_seconds", "attempts", "is_automatic", "reason_code"),
    *("reason_text", "not_before", "final_path", "final_size_bytes", "created_at", "started_at"),
    "finished_at",
)
# Whole rows of five tables cost twice as much, and the query is made once for all requests.
WISHES: Final[QuerySet[Grab, Any]] = Grab.objects.values_list(
    *("download_id", "item_id", "episode_id", "is_manual", "cancelled_at"),
    *("item__anime_title", "item__poster_image", "item__series__poster_url"),
    *("item__status", "item__auto_download", "item__last_episode_downloaded"),
    *("item__last_season_downloaded", "item__series__has_seasons"),
    *("item__specials_since", "episode__number", "episode__title", "episode__season"),
    *("episode__is_special", "episode__first_seen_at"),
    *(f"download__{name}" for name in _OF_THE_DOWNLOAD),
)


@dataclass(frozen=True, slots=True)
class DownloadQuery:
    """Which downloads, in which order; empty fields do not filter."""

    states: tuple[str, ...] = ()
    item_id: uuid.UUID | None = None
    ordering: str = "-created_at"  # a key of ORDERINGS, with an optional leading "-"


def downloads_of(user: User, query: DownloadQuery | None = None) -> Rows[DownloadRow]:
    """The downloads this user asked for, the newest first unless said otherwise."""
    wanted = query or DownloadQuery()
    grabs = WISHES.filter(item__user_id=user.pk)
    if wanted.item_id is not None:
        grabs = grabs.filter(item_id=wanted.item_id)
    if wanted.states:
        grabs = grabs.filter(_in_states(wanted.states))
    name = wanted.ordering.removeprefix("-")
    sign = "-" if wanted.ordering.startswith("-") else ""
    return Rows(grabs.order_by(f"{sign}{ORDERINGS[name]}", "pk"), _fetch)


def find_grab(user: User, download_id: uuid.UUID) -> Grab | None:
    """This user's wish behind a download, with the download; None when they have none."""
    rows = Grab.objects.select_related("download").filter(item__user_id=user.pk)
    return _latest(rows, download_id).first()


def find_download(user: User, download_id: uuid.UUID) -> DownloadRow | None:
    """One download of this user, else None."""
    wish = _latest(WISHES.filter(item__user_id=user.pk), download_id).first()
    return download_row(Wish._make(wish)) if wish else None


def _latest(rows: QuerySet[Grab, Row], download_id: uuid.UUID) -> QuerySet[Grab, Row]:
    # Following the same series again after a change of language can leave an older wish.
    return rows.filter(download_id=download_id).order_by("-created_at")


def tries_of(download_id: uuid.UUID) -> list[DownloadAttempt]:
    """Every source that was tried, in order."""
    return list(DownloadAttempt.objects.filter(download_id=download_id))


def download_row(wish: Wish) -> DownloadRow:
    """What is shown of one wish."""
    state = wish.state
    is_moving = state not in _AWAY
    code, text = _error(wish, state)
    return DownloadRow(
        id=wish.download_id,
        item_id=wish.item_id,
        episode_id=wish.episode_id,
        anime_title=wish.anime_title,
        episode_number=wish.number,
        episode_title=wish.episode_title,
        season=wish.season,
        provider_id=wish.provider_id,
        poster_image=wish.own_poster or wish.series_poster,
        state=state,
        stage=wish.stage if is_moving else "",
        source=wish.source_label,
        wanted_quality=wish.quality,
        height=wish.height,
        bytes_done=wish.bytes_done,
        bytes_total=wish.bytes_total,
        speed_bps=wish.speed_bps if is_moving else 0,
        eta_seconds=wish.eta_seconds if is_moving else None,
        attempts=wish.attempts,
        is_manual=wish.is_manual,
        error_code=code,
        error_text=text,
        kept_text=_kept(wish, state),
        not_before=wish.not_before if is_moving else None,
        path=(wish.final_path or None) if state is State.COMPLETED else None,
        size_bytes=wish.final_size_bytes if state is State.COMPLETED else None,
        created_at=wish.created_at,
        started_at=wish.started_at,
        finished_at=wish.cancelled_at if state is State.CANCELLED else wish.finished_at,
    )


def _fetch(rows: QuerySet[Any, Any]) -> list[DownloadRow]:
    return [download_row(Wish._make(row)) for row in rows]


def _in_states(states: tuple[str, ...]) -> Q:
    kept = Q(cancelled_at=None) | Q(download__state=State.COMPLETED)
    wanted = Q(kept, download__state__in=states)
    if State.CANCELLED in states:
        wanted |= Q(download__state=State.CANCELLED) | Q(~kept)
    return wanted


def _kept(wish: Wish, state: State) -> str:
    is_kept = state is State.COMPLETED and wish.reason_code == Reason.KEPT_IN_LIBRARY
    return wish.reason_text if is_kept else ""


def _error(wish: Wish, state: State) -> tuple[str, str]:
    if state in _CALM_STATES or not wish.reason_code:
        return "", ""
    text = wish.reason_text
    if not text and wish.reason_code in set(Reason):
        text = reasons.sentence(wish.reason_code, {})
    return wish.reason_code, text or wish.reason_code
