"""Figures, times and icons as people read them, in their language."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django import template
from django.templatetags.static import static
from django.utils import formats, timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from downloads.states import State
from watchlist.decisions import Reason, plain_number
from watchlist.reasons import sentence
from watchlist.selectors.downloads import DownloadRow
from watchlist.services.posters import url_for

register = template.Library()

_THOUSAND: Final = 1000.0
_SIZES: Final = (
    gettext_noop("%(figure)s B"),
    gettext_noop("%(figure)s kB"),
    gettext_noop("%(figure)s MB"),
    gettext_noop("%(figure)s GB"),
    gettext_noop("%(figure)s TB"),
)
_SPEEDS: Final = (
    gettext_noop("%(figure)s B/s"),
    gettext_noop("%(figure)s kB/s"),
    gettext_noop("%(figure)s MB/s"),
    gettext_noop("%(figure)s GB/s"),
)
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
# The engine's own words for what it does within "downloading".
_STAGES: Final = {
    "connecting": gettext_noop("Connecting"),
    "joining": gettext_noop("Joining"),
    "checking": gettext_noop("Checking"),
    "moving": gettext_noop("Moving into the library"),
}
_FAILURES: Final = {
    "licensed": Reason.LICENSED,
    "protected": Reason.PROTECTED,
}
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_THIS_WEEK_DAYS: Final = 6


@register.simple_tag
def icon(name: str) -> SafeString:
    """One symbol of the sprite; the text beside it says the same."""
    return format_html(
        '<svg class="i" aria-hidden="true"><use href="{}#{}"/></svg>', static("icons.svg"), name
    )


@register.simple_tag
def poster(followed_id: object, address: str) -> str:
    """Our own address of a poster."""
    return url_for(followed_id, address)


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
def failure(text: str, code: str) -> str:
    """Why a download failed: our own sentence for the code, else the recorded one."""
    reason = _FAILURES.get(code)
    return sentence(reason, {"error": text}) if reason else text


@register.filter
def size(value: float | None) -> str:
    """Bytes as 352 MB; decimal units, as disks are sold."""
    return _scaled(value, _SIZES)


@register.filter
def speed(value: float | None) -> str:
    """Bytes a second as 2.1 MB/s."""
    return _scaled(value, _SPEEDS)


@register.filter
def percent(ratio: float | None) -> str:
    """From 0 to 1 as 62 %; rounded down, so that 100 % means whole."""
    if ratio is None:
        return ""
    return _("%(figure)s %%") % {"figure": int(ratio * 100)}


@register.filter
def ratio(part: float, whole: float) -> float:
    """From 0 to 1."""
    return min(1.0, part / whole) if whole else 0.0


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


@register.filter
def number(value: Decimal | None) -> str:
    """An episode's number as people write it: 7, 12.5."""
    return "" if value is None else plain_number(value)


@register.filter
def moment(value: datetime | None) -> str:
    """A moment near now: today 17:02, Fri 17:00, 3 Nov 2026."""
    if value is None:
        return ""
    local = timezone.localtime(value)
    clock = formats.time_format(local, "H:i")
    days = (local.date() - timezone.localdate()).days
    if days == 0:
        return _("today %(clock)s") % {"clock": clock}
    if days == -1:
        return _("yesterday %(clock)s") % {"clock": clock}
    if days == 1:
        return _("tomorrow %(clock)s") % {"clock": clock}
    if abs(days) <= _THIS_WEEK_DAYS:
        return f"{formats.date_format(local, 'D')} {clock}"
    return formats.date_format(local, "j M Y")


def _scaled(value: float | None, units: tuple[str, ...]) -> str:
    if value is None:
        return ""
    figure, place = float(value), 0
    while figure >= _THOUSAND and place < len(units) - 1:
        figure, place = figure / _THOUSAND, place + 1
    decimals = 1 if place and figure < 10 else 0  # noqa: PLR2004 -- two digits say enough
    return _(units[place]) % {"figure": formats.number_format(round(figure, decimals), decimals)}
