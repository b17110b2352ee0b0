"""Downloads in words, posters, speeds and spans of time, for the pages that show figures."""

from __future__ import annotations

import re
import time
from datetime import timedelta
from typing import Final

from django import template
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from downloads.states import State
from watchlist.pages import wording
from watchlist.selectors.downloads import DownloadRow
from watchlist.services.posters import url_for

register = template.Library()

_STATES: Final = {
    State.QUEUED: (gettext_noop("Queued"), "hourglass", "idle"),
    State.RESOLVING: (gettext_noop("Choosing a source"), "search", "busy"),
    State.DOWNLOADING: (gettext_noop("Downloading"), "download", "busy"),
    State.IMPORTING: (gettext_noop("Moving into the library"), "folder", "busy"),
    State.COMPLETED: (gettext_noop("In the library"), "circle-check", "ok"),
    State.PAUSED: (gettext_noop("Paused"), "pause", "idle"),
    State.BLOCKED: (gettext_noop("Waiting"), "clock-alert", "wait"),
    State.FAILED: (gettext_noop("Failed"), "triangle-alert", "error"),
    State.CANCELLED: (gettext_noop("Cancelled"), "ban", "idle"),
}
_NUMBER_ONLY: Final = re.compile(
    r"(?:episode|épisode|ep\.?|e|#)?\s*\d{0,6}(?:\.\d+)?", re.IGNORECASE
)
# The engine's own words for what it does within "downloading".
_STAGES: Final = {
    "connecting": gettext_noop("Connecting"),
    "joining": gettext_noop("Joining"),
    "checking": gettext_noop("Checking"),
    "moving": gettext_noop("Moving into the library"),
}
_HEALTH: Final = {
    "ok": (gettext_noop("Answers"), "circle-check", "ok"),
    "degraded": (gettext_noop("Recovering"), "activity", "wait"),
    "backing_off": (gettext_noop("Left alone for a while"), "clock-alert", "wait"),
    "blocked": (gettext_noop("Blocks us"), "ban", "error"),
    "off": (gettext_noop("Off"), "power", "idle"),
    "unknown": (gettext_noop("Not asked yet"), "circle-question-mark", "idle"),
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_MEGABYTE: Final = 1_000_000


@register.simple_tag
def stamp() -> str:
    """The present moment for a poll: seconds since 1970, with a fraction."""
    return f"{time.time():.3f}"


@register.simple_tag
def poster(followed_id: object, address: str) -> str:
    """Our own address of a poster."""
    return url_for(followed_id, address)


@register.filter
def own_title(title: str) -> str:
    """An episode's title; "" when it only repeats the number."""
    return "" if _NUMBER_ONLY.fullmatch(title.strip()) else title


@register.filter
def stage_label(row: DownloadRow) -> str:
    """One word for where a download stands."""
    return _(_STAGES.get(row.stage) or _STATES[row.state][0])


@register.filter
def stage_icon(row: DownloadRow) -> str:
    """The symbol that goes with the word."""
    return _STATES[row.state][1]


@register.filter
def look(row: DownloadRow) -> str:
    """The colour that goes with the word."""
    return _STATES[row.state][2]


@register.filter
def every(span: timedelta) -> str:
    """How often: every 6 h."""
    return wording.every(span)


@register.filter
def health_label(health: str) -> str:
    """One word for how a provider does."""
    return _(_HEALTH[health][0])


@register.filter
def health_icon(health: str) -> str:
    """The symbol that goes with the word."""
    return _HEALTH[health][1]


@register.filter
def health_look(health: str) -> str:
    """The colour that goes with the word."""
    return _HEALTH[health][2]


@register.filter
def speed(value: float | None) -> str:
    """Bytes a second as 2.1 MB/s."""
    if value is None:
        return ""
    megabytes = value / _MEGABYTE
    if megabytes < 1:
        return _("%(size)s/s") % {"size": wording.size(int(value))}
    return _("%(figure)s MB/s") % {"figure": formats.number_format(round(megabytes, 1), 1)}


@register.filter
def percent_of(part: float | None, whole: float | None) -> str:
    """62 %, as the language writes it; "" when there is nothing to compare with."""
    return "" if part is None or not whole else wording.percent(int(part), int(whole))


@register.filter
def share(part: float | None, whole: float | None) -> str:
    """How much of the whole this is, as a whole number for an attribute; "" when unknown."""
    if part is None or not whole:
        return ""
    return str(min(100, int(part * 100 / whole)))


@register.filter
def duration(value: float | timedelta | None) -> str:
    """Seconds, or a span of time, as 45 s, 11 min, 3 h 20 min or 2 d 4 h."""
    if value is None:
        return ""
    seconds = int(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds < _MINUTE:
        return _("%(seconds)s s") % {"seconds": seconds}
    if seconds < _HOUR:
        return _("%(minutes)s min") % {"minutes": round(seconds / _MINUTE)}
    if seconds < _DAY:
        minutes = seconds % _HOUR // _MINUTE
        text = _("%(hours)s h %(minutes)s min") if minutes else _("%(hours)s h")
        return text % {"hours": seconds // _HOUR, "minutes": minutes}
    hours = seconds % _DAY // _HOUR
    text = _("%(days)s d %(hours)s h") if hours else _("%(days)s d")
    return text % {"days": seconds // _DAY, "hours": hours}
