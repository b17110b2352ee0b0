"""The user's figures of a week, a month or a year, drawn by the server."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from providers import gateway
from watchlist.pages import chart
from watchlist.pages.feedback import user_of
from watchlist.selectors.statistics import Period, statistics

PERIODS = {"7": Period.WEEK, "30": Period.MONTH, "365": Period.YEAR}


@login_required
@require_safe
def stats(request: HttpRequest) -> HttpResponse:
    """Tiles, a chart with its table, and the ranks."""
    period = PERIODS.get(request.GET.get("days", ""), Period.MONTH)
    found = statistics(
        user_of(request),
        period=period,
        zone=timezone.get_current_timezone(),
        now=timezone.now(),
    )
    names = {provider.id: provider.name for provider in gateway.describe()}
    context = {
        "stats": found,
        "period": period.value,
        "is_weekly": period is Period.YEAR,
        "chart": chart.draw(found.bars),
        "most": max([row.done for row in found.series], default=0),
        "providers": [(names.get(row.name, row.name), row) for row in found.providers],
    }
    return render(request, "watchlist/stats.html", context)
