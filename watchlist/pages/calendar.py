"""The calendar: a month, or what comes and what came as a list."""

from __future__ import annotations

import calendar as months
from datetime import date, timedelta
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from watchlist.pages.feedback import user_of
from watchlist.selectors.calendar import Day, calendar, languages_of

AGENDA_BACK: Final = timedelta(days=7)
AGENDA_AHEAD: Final = timedelta(days=28)
VIEWS: Final = ("agenda", "month")
_YEARS: Final = range(1990, 2101)


@login_required
@require_safe
def calendar_page(request: HttpRequest) -> HttpResponse:
    """A month as a grid, or an agenda around today."""
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
    }
    # Without a choice both are sent, and the width of the screen decides which one is seen.
    if view != "agenda":
        context["weeks"] = _weeks(request, month, lang)
    if view != "month":
        context |= _agenda(request, today, lang)
    return render(request, "watchlist/calendar.html", context)


def _month(text: str, today: date) -> date:
    """The first day of a month written 2026-11; of the present one when it is not."""
    year, _, number = text.partition("-")
    if not (year.isdecimal() and number.isdecimal()):
        return today.replace(day=1)
    if int(year) not in _YEARS or int(number) not in range(1, 13):
        return today.replace(day=1)
    return date(int(year), int(number), 1)


def _weeks(request: HttpRequest, month: date, lang: str) -> list[list[Day]]:
    weeks = months.Calendar(firstweekday=0).monthdatescalendar(month.year, month.month)
    days = _days(request, weeks[0][0], weeks[-1][-1], lang)
    return [days[start : start + 7] for start in range(0, len(days), 7)]


def _agenda(request: HttpRequest, today: date, lang: str) -> dict[str, list[Day]]:
    days = _days(request, today - AGENDA_BACK, today + AGENDA_AHEAD, lang)
    return {
        "coming": [day for day in days if day.day >= today and not day.is_empty],
        "past": [day for day in reversed(days) if day.day < today and not day.is_empty],
    }


def _days(request: HttpRequest, first: date, last: date, lang: str) -> list[Day]:
    return calendar(
        user_of(request),
        first=first,
        last=last,
        zone=timezone.get_current_timezone(),
        now=timezone.now(),
        lang=lang,
    )
