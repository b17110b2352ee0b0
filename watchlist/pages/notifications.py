"""The inbox: what happened, by day; and the news that a page shows while somebody looks at it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from watchlist.models import NotificationKind
from watchlist.pages.feedback import Told, answer, user_of
from watchlist.selectors import inbox
from watchlist.services import notifications as notices

PER_PAGE = 50
MAX_BACK = 500
LEVELS = {"error": "error", "wait": "error"}


@login_required
@require_safe
def notifications(request: HttpRequest) -> HttpResponse:
    """The notices, the newest first, with filters."""
    user = user_of(request)
    kind = request.GET.get("kind", "")
    kind = kind if kind in NotificationKind.values else ""
    unread_only = request.GET.get("unread") == "1"
    rows = inbox.notices_of(user, kind=kind, unread_only=unread_only)
    pages: Paginator[inbox.Notice] = Paginator(cast("Any", rows), PER_PAGE)
    page = pages.get_page(request.GET.get("page"))
    context = {
        "page": page,
        "days": [
            (day, list(group))
            for day, group in groupby(page, lambda row: timezone.localdate(row.created_at))
        ],
        "today": timezone.localdate(),
        "query": request.GET.urlencode(),
        "kind": kind,
        "unread_only": unread_only,
        "unread": inbox.unread_count(user),
        "kinds": NotificationKind.choices,
    }
    return render(request, "watchlist/notifications.html", context)


@login_required
@require_POST
def mark_read(request: HttpRequest) -> HttpResponse:
    """Mark the named notices as read, all when none is named."""
    ids = request.POST.getlist("id")
    count = notices.mark_read(user=user_of(request), ids=_valid(ids) if ids else None)
    text = ngettext("%(count)s notice marked as read.", "%(count)s notices marked as read.", count)
    told = Told("ok", text % {"count": count} if count else _("There was nothing unread."))
    return answer(request, told, to=_back(request))


@login_required
@require_safe
def news(request: HttpRequest) -> HttpResponse:
    """What came since the moment that the page names, as toasts; 204 when nothing did."""
    user = user_of(request)
    since = _moment(request.GET.get("since", ""))
    found = inbox.since(user, since) if since else []
    if since and not found:
        return HttpResponse(status=204)
    response = render(request, "watchlist/_news.html")
    if found:
        toasts = [
            {"id": str(row.id), "level": LEVELS.get(row.look, "ok"), "text": row.text}
            for row in found
        ]
        response["HX-Trigger"] = json.dumps({"toast": {"list": toasts}})
    return response


def _moment(text: str) -> datetime | None:
    """The moment in the page's own words: seconds since 1970, with a fraction."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _valid(ids: list[str]) -> list[str]:
    valid = []
    for text in ids:
        try:
            valid.append(str(UUID(text)))
        except ValueError:
            continue
    return valid


def _back(request: HttpRequest) -> str:
    # Read and written anew, so that it is a query and nothing else when it becomes a header.
    query = QueryDict(request.POST.get("back", "")[:MAX_BACK]).urlencode()
    return f"{reverse('notifications')}?{query}" if query else reverse("notifications")
