"""Episodes in words: state, reason and what can be done, grouped by season."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from watchlist.decisions import EpisodeState, Reason, plain_number
from watchlist.pages import wording
from watchlist.pages.cards import Look
from watchlist.selectors.episodes import EpisodeRow

FIRST_SHOWN: Final = 60
_STATES: Final = {
    EpisodeState.DOWNLOADED: Look(gettext_noop("In the library"), "circle-check", "ok"),
    EpisodeState.DOWNLOADING: Look(gettext_noop("Downloading"), "download", "busy"),
    EpisodeState.QUEUED: Look(gettext_noop("Queued"), "hourglass", "idle"),
    EpisodeState.FAILED: Look(gettext_noop("Failed"), "triangle-alert", "error"),
    EpisodeState.WANTED: Look(gettext_noop("Wanted"), "inbox", "busy"),
    EpisodeState.SKIPPED: Look(gettext_noop("Skipped"), "ban", "idle"),
}
_PAUSED: Final = Look(gettext_noop("Paused"), "pause", "idle")
_ACTIONS: Final = {
    EpisodeState.DOWNLOADED: (),
    EpisodeState.DOWNLOADING: ("cancel",),
    EpisodeState.QUEUED: ("cancel",),
    EpisodeState.FAILED: ("retry", "ignore"),
    EpisodeState.WANTED: ("download", "ignore"),
    EpisodeState.SKIPPED: ("download", "ignore"),
}


@dataclass(frozen=True, slots=True)
class Button:
    """Something that can be done to an episode."""

    action: str
    label: str
    icon: str


_BUTTONS: Final = {
    "download": (gettext_noop("Download"), "download"),
    "retry": (gettext_noop("Try again"), "rotate-ccw"),
    "ignore": (gettext_noop("Ignore"), "eye-off"),
    "watch": (gettext_noop("No longer ignore"), "eye"),
    "cancel": (gettext_noop("Cancel"), "x"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One episode as the page shows it."""

    id: uuid.UUID
    key: str  # the id, as a text for names of elements
    number: str
    title: str
    label: str
    icon: str
    level: str
    reason: str
    technical: str  # in English, for whoever looks into it
    seen: str  # when it appeared
    percent: int | None  # while it is being downloaded and the size is known
    is_running: bool
    buttons: tuple[Button, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The episodes of a season, newest first; the specials are a group of their own."""

    key: str
    name: str
    lines: list[Line]
    count: int
    in_library: int


def groups_of(rows: Sequence[EpisodeRow], *, show_all: bool) -> list[Group]:
    """Newest season first, specials last; a long season shows its newest episodes."""
    ordered = sorted(
        rows, key=lambda row: (row.is_special or row.season == 0, -row.season, -row.number)
    )
    return [
        _group(key, list(members), show_all=show_all) for key, members in groupby(ordered, key=_key)
    ]


def _reason(row: EpisodeRow) -> str:
    if row.is_listed or row.reason_code == Reason.NOT_LISTED:
        return row.reason
    return f"{row.reason} {_('No longer listed there.')}"


def line_of(row: EpisodeRow) -> Line:
    """One episode in words."""
    look = _PAUSED if row.reason_code == Reason.PAUSED_BY_USER else _STATES[row.state]
    total = row.bytes_total
    is_running = row.state is EpisodeState.DOWNLOADING
    published = row.published_at or row.first_seen_at
    return Line(
        id=row.id,
        key=row.id.hex,
        number=plain_number(row.number),
        title=row.title,
        label=_(look.label),
        icon=look.icon,
        level=look.level,
        reason=_reason(row),
        technical=row.technical,
        seen=wording.day(published),
        percent=min(100, row.bytes_done * 100 // total) if is_running and total else None,
        is_running=is_running,
        buttons=tuple(
            Button(action, _(_BUTTONS[action][0]), _BUTTONS[action][1]) for action in _actions(row)
        ),
    )


def version_of(rows: Sequence[EpisodeRow]) -> str:
    """Changes whenever the list would look different."""
    text = ";".join(f"{row.id}{row.state}{row.reason_code}{row.bytes_done}" for row in rows)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _actions(row: EpisodeRow) -> tuple[str, ...]:
    actions = _ACTIONS[row.state]
    if row.is_ignored:
        return tuple("watch" if action == "ignore" else action for action in actions)
    return actions


def _key(row: EpisodeRow) -> str:
    return "specials" if row.is_special or row.season == 0 else str(row.season)


def _group(key: str, rows: list[EpisodeRow], *, show_all: bool) -> Group:
    shown = rows if show_all else rows[:FIRST_SHOWN]
    name = _("Specials") if key == "specials" else _("Season %(number)s") % {"number": key}
    return Group(
        key=key,
        name=name,
        lines=[line_of(row) for row in shown],
        count=len(rows),
        in_library=sum(row.state is EpisodeState.DOWNLOADED for row in rows),
    )
