"""A user's own downloads, seen through their grabs: nobody else's wishes ever show."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from downloads.models import Download, DownloadAttempt
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


@dataclass(frozen=True, slots=True)
class DownloadQuery:
    """Which downloads, in which order; empty fields do not filter."""

    states: tuple[str, ...] = ()
    item_id: uuid.UUID | None = None
    ordering: str = "-created_at"  # a key of ORDERINGS, with an optional leading "-"


def downloads_of(user: User, query: DownloadQuery | None = None) -> Rows[DownloadRow]:
    """The downloads this user asked for, the newest first unless said otherwise."""
    wanted = query or DownloadQuery()
    grabs = _own(user)
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
    return _latest(rows, download_id)


def find_download(user: User, download_id: uuid.UUID) -> DownloadRow | None:
    """One download of this user, else None."""
    grab = _latest(_own(user), download_id)
    return download_row(grab) if grab else None


def _latest(rows: QuerySet[Grab], download_id: uuid.UUID) -> Grab | None:
    # Following the same series again after a change of language can leave an older wish.
    return rows.filter(download_id=download_id).order_by("-created_at").first()


def tries_of(download_id: uuid.UUID) -> list[DownloadAttempt]:
    """Every source that was tried, in order."""
    return list(DownloadAttempt.objects.filter(download_id=download_id))


def state_for(grab: Grab) -> State:
    """Where the download stands for whoever made this grab."""
    state = State(grab.download.state)
    if grab.cancelled_at is not None and state is not State.COMPLETED:
        return State.CANCELLED
    return state


def download_row(grab: Grab) -> DownloadRow:
    """The view of one grab, with its item, series, episode and download already fetched."""
    download, state = grab.download, state_for(grab)
    is_moving = state not in _AWAY
    code, text = _error(download, state)
    return DownloadRow(
        id=download.pk,
        item_id=grab.item_id,
        episode_id=grab.episode_id,
        anime_title=grab.item.anime_title,
        episode_number=grab.episode.number,
        episode_title=grab.episode.title,
        season=grab.episode.season,
        provider_id=download.provider_id,
        poster_image=grab.item.poster_image or grab.item.series.poster_url,
        state=state,
        stage=download.stage if is_moving else "",
        source=download.source_label,
        wanted_quality=download.quality,
        height=download.height,
        bytes_done=download.bytes_done,
        bytes_total=download.bytes_total,
        speed_bps=download.speed_bps if is_moving else 0,
        eta_seconds=download.eta_seconds if is_moving else None,
        attempts=download.attempts,
        is_manual=grab.is_manual,
        error_code=code,
        error_text=text,
        not_before=download.not_before if is_moving else None,
        path=(download.final_path or None) if state is State.COMPLETED else None,
        size_bytes=download.final_size_bytes if state is State.COMPLETED else None,
        created_at=download.created_at,
        started_at=download.started_at,
        finished_at=grab.cancelled_at if state is State.CANCELLED else download.finished_at,
    )


def _own(user: User) -> QuerySet[Grab]:
    rows = Grab.objects.select_related("item__series", "episode", "download")
    return rows.filter(item__user_id=user.pk)


def _fetch(rows: QuerySet[Any, Any]) -> list[DownloadRow]:
    return [download_row(grab) for grab in rows]


def _in_states(states: tuple[str, ...]) -> Q:
    kept = Q(cancelled_at=None) | Q(download__state=State.COMPLETED)
    wanted = Q(kept, download__state__in=states)
    if State.CANCELLED in states:
        wanted |= Q(download__state=State.CANCELLED) | Q(~kept)
    return wanted


def _error(download: Download, state: State) -> tuple[str, str]:
    if state in _CALM_STATES or not download.reason_code:
        return "", ""
    text = download.reason_text
    if not text and download.reason_code in set(Reason):
        text = reasons.sentence(download.reason_code, {})
    return download.reason_code, text or download.reason_code
