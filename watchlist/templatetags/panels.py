"""How providers do, shares, speeds and spans of time, for the pages that show figures."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Final

from django import template
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from watchlist.pages import wording

register = template.Library()

_HEALTH: Final = {
    "ok": (gettext_noop("Answers"), "circle-check", "ok"),
    "degraded": (gettext_noop("Recovering"), "activity", "wait"),
    "backing_off": (gettext_noop("Left alone for a while"), "clock-alert", "wait"),
    "blocked": (gettext_noop("Blocks us"), "ban", "error"),
    "off": (gettext_noop("Off"), "power", "idle"),
    "unknown": (gettext_noop("Not asked yet"), "circle-question-mark", "idle"),
}


@register.simple_tag
def stamp() -> str:
    """The present moment for a poll: seconds since 1970, with a fraction."""
    return f"{time.time():.3f}"


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
    """Bytes a second as 2.1 MB/s; "" when unknown."""
    return "" if value is None else wording.speed(value)


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
    """Seconds, or a span of time, as 45 s, 11 min, 3 h 20 min or 2 d 4 h; "" when unknown."""
    if value is None:
        return ""
    return wording.duration(value.total_seconds() if isinstance(value, timedelta) else value)
