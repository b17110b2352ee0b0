"""Downloads in words: state, figures, reason and what can be done, one line for each."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final

from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from downloads.models import DownloadAttempt
from downloads.states import State
from watchlist import faults, reasons
from watchlist.decisions import Reason, plain_number
from watchlist.pages import wording
from watchlist.pages.cards import Look
from watchlist.pages.icons import icon
from watchlist.selectors.downloads import DownloadRow
from watchlist.selectors.queue_page import Failed, Waiting
from watchlist.services.posters import url_for

_STATES: Final = {
    State.QUEUED: Look(gettext_noop("Queued"), "hourglass", "idle"),
    State.RESOLVING: Look(gettext_noop("Choosing a source"), "search", "busy"),
    State.DOWNLOADING: Look(gettext_noop("Downloading"), "download", "busy"),
    State.IMPORTING: Look(gettext_noop("Moving into the library"), "folder", "busy"),
    State.COMPLETED: Look(gettext_noop("In the library"), "circle-check", "ok"),
    State.PAUSED: Look(gettext_noop("Paused"), "pause", "idle"),
    State.BLOCKED: Look(gettext_noop("Waiting"), "clock-alert", "wait"),
    State.FAILED: Look(gettext_noop("Failed"), "triangle-alert", "error"),
    State.CANCELLED: Look(gettext_noop("Cancelled"), "ban", "idle"),
}
# The engine's own words for what it does within "downloading".
_STAGES: Final = {
    "connecting": gettext_noop("Connecting"),
    "joining": gettext_noop("Joining"),
    "checking": gettext_noop("Checking"),
    "moving": gettext_noop("Moving into the library"),
}
# Action, the letter before the button's id, label and icon. What takes the place of another
# button has its letter, so that the focus stays.
_BUTTONS: Final = {
    "first": ("f", gettext_noop("First"), "chevrons-up"),
    "up": ("u", gettext_noop("Up"), "arrow-up"),
    "down": ("w", gettext_noop("Down"), "arrow-down"),
    "pause": ("p", gettext_noop("Pause"), "pause"),
    "resume": ("p", gettext_noop("Resume"), "play"),
    "cancel": ("x", gettext_noop("Cancel"), "x"),
    "retry": ("p", gettext_noop("Retry"), "rotate-ccw"),
    "give up": ("x", gettext_noop("Give up"), "x"),
    "bring back": ("x", gettext_noop("Bring back"), "undo-2"),
}
_MEANING: Final = {"give up": "cancel", "bring back": "retry"}
_NUMBER_ONLY: Final = re.compile(
    r"(?:episode|épisode|ep\.?|e|#)?\s*\d{0,6}(?:\.\d+)?", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Button:
    """Something that can be done to a download."""

    id: str
    url: str
    label: str
    icon: SafeString


@dataclass(slots=True)
class Line:
    """One download as the page shows it: a list has many, and a template computes nothing more."""

    id: str
    key: str  # the id without hyphens, for names of elements
    level: str
    title: str
    name: str  # title and number, for those who do not see the line around a button
    poster: str
    url: str  # of the series' page
    about: str  # episode, its title and the quality
    icon: SafeString
    label: str
    buttons: list[Button]
    bar: str = ""  # what its bar is called; "" without one
    share: str = ""  # of the whole, 0 to 100; "" when the length is unknown
    percent: str = ""
    parts: list[str] = field(default_factory=list)
    why: str = ""  # it failed
    note: str = ""  # what else is to be known, and is no trouble
    path: str = ""
    tries: Sequence[DownloadAttempt] = ()
    technical: str = ""  # in English, for whoever looks into it


def running(row: DownloadRow) -> Line:
    """A download that a worker has in hand."""
    line = _line(row, () if row.state == State.IMPORTING else ("pause", "cancel"))
    line.level = "busy"
    line.bar = _("%(title)s, episode %(number)s") % {
        "title": row.anime_title,
        "number": plain_number(row.episode_number),
    }
    sizes = wording.size(row.bytes_done) if row.bytes_done else ""
    if row.bytes_total:
        line.percent = wording.percent(row.bytes_done, row.bytes_total)
        line.share = str(min(100, row.bytes_done * 100 // row.bytes_total))
        sizes = f"{wording.size(row.bytes_done)} / {wording.size(row.bytes_total)}"
    eta = row.eta_seconds
    left = "" if eta is None else _("%(time)s left") % {"time": wording.duration(eta)}
    source = _("from %(source)s") % {"source": row.source} if row.source else ""
    speed = wording.speed(row.speed_bps) if row.speed_bps else ""
    line.parts = [part for part in (sizes, speed, left, source) if part]
    return line


def waiting(entry: Waiting) -> Line:
    """A download in the queue, and why it waits."""
    row = entry.row
    upwards = ("first", "up") if entry.place > 1 else ()
    downwards = () if entry.is_last else ("down",)
    toggle = "resume" if row.state == State.PAUSED else "pause"
    line = _line(row, (*upwards, *downwards, toggle, "cancel"))
    if row.bytes_done and row.bytes_total:
        line.percent = wording.percent(row.bytes_done, row.bytes_total)
    line.parts = [entry.reason]
    return line


def failed(entry: Failed) -> Line:
    """A download that was given up, with every source that was tried."""
    line = _line(entry.row, ("retry", "give up"))
    line.why = faults.sentence(entry.row.error_code)
    line.tries = entry.tries
    line.technical = "" if entry.tries else entry.row.error_text
    return line


def ended(row: DownloadRow) -> Line:
    """A download that is in the library, or that nobody wants any more."""
    line = _line(row, ("bring back",) if row.state == State.CANCELLED else ())
    size = wording.size(row.size_bytes) if row.size_bytes else ""
    at = wording.moment(row.finished_at) if row.finished_at else ""
    line.parts = [part for part in (at, size) if part]
    line.path = row.path or ""
    if row.kept_text:
        line.note = reasons.sentence(Reason.KEPT_IN_LIBRARY, {})
        line.technical = row.kept_text
    return line


def _line(row: DownloadRow, actions: tuple[str, ...]) -> Line:
    look = _STATES[row.state]
    number = plain_number(row.episode_number)
    identity = str(row.id)
    key = identity.replace("-", "")
    return Line(
        id=identity,
        key=key,
        level=look.level,
        title=row.anime_title,
        name=f"{row.anime_title} {number}",
        poster=url_for(row.item_id, row.poster_image),
        url=f"{_list_url()}/{row.item_id}",
        about=_about(row, number),
        icon=icon(look.icon),
        label=_(_STAGES.get(row.stage) or look.label),
        buttons=[_button(action, identity, key) for action in actions],
    )


def _button(action: str, identity: str, key: str) -> Button:
    letter, label, symbol = _BUTTONS[action]
    url = f"{_downloads_url()}/{identity}/{_MEANING.get(action, action)}"
    return Button(f"{letter}{key}", url, _(label), icon(symbol))


def _about(row: DownloadRow, number: str) -> str:
    parts = [_("Episode %(number)s") % {"number": number}]
    if row.episode_title and not _NUMBER_ONLY.fullmatch(row.episode_title.strip()):
        parts.append(row.episode_title)
    if row.height or row.wanted_quality != "auto":
        parts.append(row.quality)
    return " · ".join(parts)


@cache
def _list_url() -> str:
    # Asking for the address of each of many lines costs more than all the rest of them.
    return reverse("watchlist")


@cache
def _downloads_url() -> str:
    return reverse("downloads")
