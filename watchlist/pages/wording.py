"""Moments, spans, sizes and errors in words, in the active language and time zone."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from django.utils import formats, timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext, pgettext, pgettext_lazy

_MINUTE: Final = 60
_HOUR: Final = 3600
_DAY: Final = 86_400
_KILO: Final = 1000
_MEGA: Final = 1_000_000
_WEEK_DAYS: Final = 6
_GIGA_STEP: Final = 3
_THREE_DIGITS: Final = 100
_UNITS: Final = (
    gettext_noop("B"),
    gettext_noop("KB"),
    gettext_noop("MB"),
    gettext_noop("GB"),
    gettext_noop("TB"),
)
# Django's short months have a capital and no full stop in every language.
_STYLES: Final = {
    "j M": pgettext_lazy("date format", "j M"),
    "j M Y": pgettext_lazy("date format", "j M Y"),
    "D": pgettext_lazy("date format", "D"),
}


def about(subject: str, what: str) -> str:
    """Two texts with a colon between them, with the space before it that the language wants."""
    return _("%(subject)s: %(what)s") % {"subject": subject, "what": what}


def moment(at: datetime) -> str:
    """As few words as it needs: "17:02", "yesterday 17:02", "Fri 17:02", "3 Nov", "3 Nov 2024"."""
    local = timezone.localtime(at)
    today = timezone.localdate()
    days = (local.date() - today).days
    clock = formats.time_format(local, "H:i")
    if days == 0:
        return clock
    if days == -1:
        return _("yesterday %(clock)s") % {"clock": clock}
    if days == 1:
        return _("tomorrow %(clock)s") % {"clock": clock}
    if abs(days) <= _WEEK_DAYS:
        return f"{dated(local, 'D')} {clock}"
    return day(at)


def day(at: datetime) -> str:
    """A day: "today", "tomorrow", "yesterday", "3 Nov", "3 Nov 2024"."""
    local = timezone.localtime(at)
    today = timezone.localdate()
    near = {0: _("today"), 1: _("tomorrow"), -1: _("yesterday")}.get((local.date() - today).days)
    if near is not None:
        return near
    return dated(local, "j M" if local.year == today.year else "j M Y")


def dated(day: date, style: str) -> str:
    """A day as the language writes it; `style` is a date format of Django's in English."""
    wanted = str(_STYLES.get(style, style))
    if day.day == 1:
        # In French the first of a month, and only that one, is an ordinal number.
        wanted = wanted.replace("j", pgettext("date format", "j"))
    return formats.date_format(day, wanted)


def ago(at: datetime) -> str:
    """How long ago: "just now", "5 min ago", "3 h ago", "3 days ago"."""
    seconds = (timezone.now() - at).total_seconds()
    if seconds < _MINUTE:
        return _("just now")
    if seconds < _HOUR:
        return _("%(count)d min ago") % {"count": seconds // _MINUTE}
    if seconds < _DAY:
        return _("%(count)d h ago") % {"count": seconds // _HOUR}
    count = int(seconds // _DAY)
    return ngettext("%(count)d day ago", "%(count)d days ago", count) % {"count": count}


def left(seconds: int) -> str:
    """How long it will still take: "40 s left", "3 min left", "2 h left"."""
    if seconds < _MINUTE:
        return _("%(count)d s left") % {"count": max(1, seconds)}
    if seconds < _HOUR:
        return _("%(count)d min left") % {"count": round(seconds / _MINUTE)}
    return _("%(count)d h left") % {"count": round(seconds / _HOUR)}


def every(span: timedelta) -> str:
    """How often: "every 30 s", "every 6 h", "every 2 days"."""
    seconds = round(span.total_seconds())
    if seconds % _DAY == 0:
        count = seconds // _DAY
        return ngettext("every day", "every %(count)d days", count) % {"count": count}
    if seconds % _HOUR == 0:
        return _("every %(count)d h") % {"count": seconds // _HOUR}
    if seconds % _MINUTE == 0:
        return _("every %(count)d min") % {"count": seconds // _MINUTE}
    return _("every %(count)d s") % {"count": seconds}


def percent(done: int, total: int) -> str:
    """62 %, with the space that the language wants."""
    share = min(100, done * 100 // total) if total else 0
    return _("%(share)d%%") % {"share": share}


def size(count: int) -> str:
    """Bytes in the units that file managers show: 345 MB, 1.4 GB."""
    step = 0
    value = float(count)
    while value >= _KILO and step < len(_UNITS) - 1:
        value /= _KILO
        step += 1
    digits = 1 if step >= _GIGA_STEP and value < _THREE_DIGITS else 0
    return f"{formats.number_format(round(value, digits), digits)} {_(_UNITS[step])}"


def speed(bytes_a_second: float) -> str:
    """How fast: "2.1 MB/s"."""
    megabytes = bytes_a_second / _MEGA
    if megabytes < 1:
        return _("%(size)s/s") % {"size": size(int(bytes_a_second))}
    return _("%(figure)s MB/s") % {"figure": formats.number_format(round(megabytes, 1), 1)}


def duration(seconds: float) -> str:
    """How long: 45 s, 11 min, 3 h 20 min or 2 d 4 h."""
    whole = int(seconds)
    if whole < _MINUTE:
        return _("%(seconds)s s") % {"seconds": whole}
    if whole < _HOUR:
        return _("%(minutes)s min") % {"minutes": round(whole / _MINUTE)}
    if whole < _DAY:
        minutes = whole % _HOUR // _MINUTE
        text = _("%(hours)s h %(minutes)s min") if minutes else _("%(hours)s h")
        return text % {"hours": whole // _HOUR, "minutes": minutes}
    hours = whole % _DAY // _HOUR
    text = _("%(days)s d %(hours)s h") if hours else _("%(days)s d")
    return text % {"days": whole // _DAY, "hours": hours}
