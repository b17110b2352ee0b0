"""What moves while somebody looks: the list's own poll, and the cards that changed."""

from __future__ import annotations

import hashlib
import uuid
from datetime import timedelta
from typing import Final

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe
from django_htmx.http import trigger_client_event

from watchlist import faults
from watchlist.models import Check, CheckStatus
from watchlist.pages import toasts, wording
from watchlist.pages.cards import cards_of
from watchlist.pages.feedback import user_of
from watchlist.pages.watchlist import card_template_for
from watchlist.selectors.watchlist_page import busy_state, entries_of

MAX_CARDS: Final = 60
TOLD_FOR: Final = timedelta(seconds=90)
_KEPT: Final = 60


@login_required
@require_safe
def live(request: HttpRequest) -> HttpResponse:
    """204 while nothing moves; else the names of the cards that changed since `v`."""
    state = busy_state(user_of(request).pk)
    now = {str(pk): _short(text) for pk, text in list(state.items())[:_KEPT]}
    before = _parsed(request.GET.get("v", ""))
    version = ",".join(f"{pk}:{text}" for pk, text in sorted(now.items()))
    if now == before:
        return HttpResponse(status=204)
    changed = [pk for pk in {**before, **now} if before.get(pk) != now.get(pk)]
    response = render(request, "watchlist/live.html", {"version": version})
    event = {"ids": changed[:MAX_CARDS], "url": reverse("cards")}
    # The first question of a page names nothing, and its counts are as fresh as its cards.
    if "v" in request.GET and now.keys() != before.keys():
        trigger_client_event(response, "counts")
    return trigger_client_event(response, "cards", event)


@login_required
@require_safe
def cards(request: HttpRequest) -> HttpResponse:
    """The named cards anew, each to be swapped where it stands, and what checks by hand found."""
    ids = [pk for text in request.GET.getlist("id")[:MAX_CARDS] if (pk := _uuid(text))]
    entries = entries_of(user_of(request).pk, ids=ids)
    found = {entry.id for entry in entries}
    context = {
        "gone": [pk for pk in ids if pk not in found],
        "cards": cards_of(entries),
        "card_template": card_template_for(request),
        "are_swapped": True,
    }
    response = render(request, "watchlist/cards.html", context)
    results = results_of(user_of(request), [entry.series_id for entry in entries])
    if results:
        trigger_client_event(response, "toast", {"list": results})
    return response


def results_of(user: User, series_ids: list[uuid.UUID]) -> list[dict[str, str]]:
    """Toasts for checks that this user asked for and that have just ended.

    The page shows each only once.
    """
    done = Check.objects.select_related("series").filter(
        series__in=series_ids,
        asked_by=user,
        finished_at__gt=timezone.now() - TOLD_FOR,
    )
    return [
        {
            "id": str(check.pk),
            "text": wording.about(check.series.title, outcome_of(check)),
            "level": toasts.ERROR if check.status == CheckStatus.FAILED else toasts.OK,
        }
        for check in done.order_by("finished_at")[:3]
    ]


def outcome_of(check: Check) -> str:
    """What a check brought, in a few words."""
    if check.status == CheckStatus.FAILED:
        return faults.short(check.error_code)
    if check.status != CheckStatus.SUCCEEDED:
        return _("Checking")
    if not check.new_count:
        return _("nothing new")
    return ngettext("%(n)d new episode", "%(n)d new episodes", check.new_count) % {
        "n": check.new_count
    }


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=4).hexdigest()


def _parsed(version: str) -> dict[str, str]:
    pairs = (part.partition(":") for part in version.split(",")[:_KEPT] if part)
    return {pk: text for pk, _colon, text in pairs}


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
