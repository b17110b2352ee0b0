"""The calendar: a month, or what comes and what came as a list."""

from __future__ import annotations

import calendar as months
import uuid
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from watchlist.decisions import plain_number
from watchlist.pages import toasts, wording
from watchlist.pages.calendar_feed import filter_query
from watchlist.pages.feedback import user_of
from watchlist.pages.icons import icon
from watchlist.selectors.calendar import Arrival, Day, Expected, calendar, languages_of
from watchlist.services.posters import url_for

AGENDA_BACK: Final = timedelta(days=7)
AGENDA_AHEAD: Final = timedelta(days=28)
VIEWS: Final = ("agenda", "month")
# More of each kind than a day of the month has room for are only counted.
SHOWN_A_DAY: Final = 4
_YEARS: Final = range(1990, 2101)


@dataclass(frozen=True, slots=True)
class Mark:
    """One series on one day, as text: a month has many, and its template computes nothing more."""

    url: str
    level: str
    icon: SafeString
    title: str
    lang: str
    poster: str  # "" in the month, which shows none
    numbers: str  # of the episodes; "" of what is expected
    line: str  # what the agenda says below the title
    label: str  # beside it in the agenda; in the month for those who do not see the icon


@dataclass(frozen=True, slots=True)
class Box:
    """One day of the month."""

    day: date
    iso: str  # 2026-11-20
    is_outside: bool  # of the month
    arrived: list[Mark]
    arrived_more: int  # that are not shown
    expected: list[Mark]
    expected_more: int


@login_required
@require_safe
def calendar_page(request: HttpRequest) -> HttpResponse:
    """A month as a grid, or an agenda around today; for htmx the month alone."""
    view = request.GET.get("view", "")
    today = timezone.localdate()
    month = _month(request.GET.get("month", ""), today)
    languages = languages_of(user_of(request))
    wished = request.GET.get("lang", "")
    lang = wished if wished in languages else ""
    context: dict[str, Any] = {
        "view": view if view in VIEWS else "",
        "today": today,
        "month": month,
        "previous": (month - timedelta(days=1)).replace(day=1),
        "next": (month + timedelta(days=31)).replace(day=1),
        "lang": lang,
        "languages": languages,
        "zone": timezone.get_current_timezone_name(),
        "subscribe": f"{reverse('calendar-subscribe')}{filter_query(lang)}",
    }
    # Without a choice both are sent, and the width of the screen decides which one is seen.
    if view != "agenda":
        context["weeks"] = _weeks(request, month, lang)
    template = "watchlist/calendar.html"
    if view == "month" and toasts.is_fragment(request):
        template = f"{template}#month"
    elif view != "month":
        context |= _agenda(request, today, lang)
    response = render(request, template, context)
    patch_vary_headers(response, ["HX-Request"])
    return response


def _month(text: str, today: date) -> date:
    """The first day of a month written 2026-11; of the present one when it is not."""
    year, _hyphen, number = text.partition("-")
    if not (year.isdecimal() and number.isdecimal()):
        return today.replace(day=1)
    if int(year) not in _YEARS or int(number) not in range(1, 13):
        return today.replace(day=1)
    return date(int(year), int(number), 1)


def _weeks(request: HttpRequest, month: date, lang: str) -> list[list[Box]]:
    weeks = months.Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    days = _days(request, weeks[0][0], weeks[-1][-1], lang)
    boxes = [_box(day, month) for day in days]
    return [boxes[start : start + 7] for start in range(0, len(boxes), 7)]


def _box(day: Day, month: date) -> Box:
    return Box(
        day=day.day,
        iso=day.day.isoformat(),
        is_outside=day.day.month != month.month,
        arrived=[_arrived(one) for one in day.arrivals[:SHOWN_A_DAY]],
        arrived_more=max(len(day.arrivals) - SHOWN_A_DAY, 0),
        expected=[_expected(one) for one in day.expected[:SHOWN_A_DAY]],
        expected_more=max(len(day.expected) - SHOWN_A_DAY, 0),
    )


def _agenda(request: HttpRequest, today: date, lang: str) -> dict[str, list[tuple[date, Any]]]:
    days = _days(request, today - AGENDA_BACK, today + AGENDA_AHEAD, lang)
    shown = {one.followed for day in days for one in day.arrivals}
    shown |= {one.followed for day in days for one in day.expected}
    posters = {one.item_id: url_for(one.item_id, one.poster_source) for one in shown}
    marked = [(day.day, _marks(day, posters)) for day in days if not day.is_empty]
    return {
        "coming": [pair for pair in marked if pair[0] >= today],
        "past": [pair for pair in reversed(marked) if pair[0] < today],
    }


def _marks(day: Day, posters: dict[uuid.UUID, str]) -> list[Mark]:
    return [
        *(_arrived(one, posters[one.followed.item_id]) for one in day.arrivals),
        *(_expected(one, posters[one.followed.item_id]) for one in day.expected),
    ]


def _arrived(arrival: Arrival, poster: str | None = None) -> Mark:
    one = arrival.followed
    count = len(arrival.numbers)
    first, last = plain_number(arrival.numbers[0]), plain_number(arrival.numbers[-1])
    numbers = first if count == 1 else f"{first}\N{EN DASH}{last}"
    words = ngettext("Episode %(numbers)s", "Episodes %(numbers)s", count)
    return Mark(
        url=f"{_list_url()}/{one.item_id}",
        level="ok" if arrival.is_complete else "new",
        icon=icon("circle-check" if arrival.is_complete else "sparkles"),
        title=one.title,
        lang=one.lang.upper(),
        poster=poster or "",
        numbers=numbers,
        line=f"{words % {'numbers': numbers}} · {arrival.at:%H:%M}",
        label=_("In the library") if arrival.is_complete else _("New"),
    )


def _expected(expected: Expected, poster: str | None = None) -> Mark:
    one, is_late = expected.followed, expected.is_late
    line = (
        _("was expected %(day)s") % {"day": wording.dated(expected.day, "j M")}
        if is_late
        else ngettext("every day so far", "every %(days)s days so far", expected.gap_days)
        % {"days": expected.gap_days}
    )
    return Mark(
        url=f"{_list_url()}/{one.item_id}",
        level="wait" if is_late else "idle",
        icon=icon("clock-alert" if is_late else "hourglass"),
        title=one.title,
        lang=one.lang.upper(),
        poster=poster or "",
        numbers="",
        line=line,
        label=_label(is_late=is_late, is_short=poster is not None),
    )


def _label(*, is_late: bool, is_short: bool) -> str:
    if is_short:
        return _("Late") if is_late else _("Expected")
    return _("late") if is_late else _("expected, a guess")


@cache
def _list_url() -> str:
    # Asking for the address of each of many marks costs more than all the rest of them.
    return reverse("watchlist")


def _days(request: HttpRequest, first: date, last: date, lang: str) -> list[Day]:
    return calendar(
        user_of(request),
        first=first,
        last=last,
        zone=timezone.get_current_timezone(),
        now=timezone.now(),
        lang=lang,
    )
