"""The user's figures of a week, a month or a year, drawn by the server."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from watchlist.pages import chart, wording
from watchlist.pages.cards import provider_name
from watchlist.pages.feedback import user_of
from watchlist.selectors.statistics import Period, statistics

_MINUS = "\N{MINUS SIGN}"
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
    drawn = chart.draw(found.bars)
    context = {
        "stats": found,
        "period": period.value,
        "is_weekly": period is Period.YEAR,
        "ended": found.done + found.failed,
        "change": _signed(found.change_ratio),
        "average": wording.size(int(found.average_size_bytes or 0)),
        "chart": drawn,
        "best_day": wording.dated(drawn.best.day, "j M") if drawn.best else "",
        "most": max([row.done for row in found.series], default=0),
        "providers": [(provider_name(row.name), row) for row in found.providers],
    }
    return render(request, "watchlist/stats.html", context)


def _signed(change_ratio: float | None) -> str | None:
    """+18 %, -5 %; None when there is nothing to compare with."""
    if change_ratio is None:
        return None
    return _("%(change)s%%") % {"change": f"{round(change_ratio * 100):+d}".replace("-", _MINUS)}
