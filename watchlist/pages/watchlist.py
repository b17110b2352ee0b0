"""The watchlist: grid or list, chips, search, sort, and what is done to one card."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from watchlist.middleware import reader_on
from watchlist.models import ListView, Profile, Quality
from watchlist.pages import toasts
from watchlist.pages.cards import LOOKS, cards_of, html_of, provider_name
from watchlist.selectors.watchlist_order import SORTS, Wanted, arrange
from watchlist.selectors.watchlist_page import Entry, entries_of

PAGE_SIZE: Final = 60
MAX_SEARCH: Final = 100
_SORT_NAMES: Final = {
    "attention": gettext_lazy("Needs attention"),
    "next": gettext_lazy("Next episode"),
    "title": gettext_lazy("Title"),
    "added": gettext_lazy("Newest first"),
    "progress": gettext_lazy("Progress"),
}


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter by status."""

    key: str
    label: str
    icon: str
    level: str
    count: int
    query: str
    is_chosen: bool


@login_required
@require_safe
def watchlist(request: HttpRequest) -> HttpResponse:
    """The page; for htmx the results alone, or the next cards when a page is asked for."""
    response = render_list(request, request.GET)
    patch_vary_headers(response, ["HX-Request"])
    return response


def render_list(request: HttpRequest, query: QueryDict) -> HttpResponse:
    """The list as `query` filters it: the whole page, or the part that htmx asked for."""
    entries = entries_of(_user_id(request))
    template = "watchlist/watchlist.html"
    if not toasts.is_fragment(request):
        return render(request, template, _results(request, entries, query))
    if query.get("part") == "chips":
        return render(request, f"{template}#chips", _counts(entries, wanted_of(query)))
    part = "page" if query.get("page") else "results"
    return render(request, f"{template}#{part}", _results(request, entries, query))


def wanted_of(query: QueryDict) -> Wanted:
    """What the address asks for; what makes no sense is left out."""
    headline = query.get("status", "")
    sort = query.get("sort", "")
    return Wanted(
        headline=headline if headline in LOOKS else "",
        search=query.get("q", "")[:MAX_SEARCH].strip(),
        provider_id=query.get("provider", "")[:MAX_SEARCH],
        sort=sort if sort in SORTS else SORTS[0],
    )


def query_of(wanted: Wanted, **changes: str) -> str:
    """The address's query for a filter, without what is the default anyway."""
    chosen = {
        "status": wanted.headline,
        "q": wanted.search,
        "provider": wanted.provider_id,
        "sort": "" if wanted.sort == SORTS[0] else wanted.sort,
    } | changes
    return urlencode({name: value for name, value in chosen.items() if value})


def card_response(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """One card or row anew, in the form that the reader's list has."""
    cards = cards_of(entries_of(_user_id(request), ids=[item_id]))
    if not cards:
        raise Http404
    language = get_language() or ""
    return HttpResponse(html_of(cards[0], template=card_template_for(request), language=language))


def _results(request: HttpRequest, entries: list[Entry], query: QueryDict) -> dict[str, Any]:
    wanted = wanted_of(query)
    chosen = arrange(entries, wanted)
    paginator = Paginator(chosen, PAGE_SIZE)
    page = paginator.get_page(query.get("page"))
    shown = list(page.object_list)
    picking = {"select": "1"} if query.get("select") == "1" else {}
    next_page = str(page.next_page_number()) if page.has_next() else ""
    return {
        "cards": cards_of(shown),
        "first_page": page.number == 1,
        "total": paginator.count,
        "next_query": query_of(wanted, page=next_page, **picking) if next_page else "",
        "is_empty": not entries,
        "wanted": wanted,
        "sorts": _SORT_NAMES.items(),
        "providers": _providers(entries),
        "view": _view(request),
        "card_template": card_template_for(request),
        "picking": query.get("select") == "1",
        "qualities": Quality.choices,
    } | _counts(entries, wanted)


def _counts(entries: list[Entry], wanted: Wanted) -> dict[str, Any]:
    searched = arrange(entries, Wanted(search=wanted.search, provider_id=wanted.provider_id))
    return {"chips": _chips(searched, wanted), "query": query_of(wanted)}


def _chips(entries: list[Entry], wanted: Wanted) -> list[Chip]:
    counts = Counter(entry.headline for entry in entries)
    every = Chip(
        key="",
        label=_("All"),
        icon="",
        level="idle",
        count=len(entries),
        query=query_of(wanted, status=""),
        is_chosen=not wanted.headline,
    )
    return [every] + [
        Chip(
            key=headline.value,
            label=_(look.label),
            icon=look.icon,
            level=look.level,
            count=counts[headline],
            query=query_of(wanted, status=headline.value),
            is_chosen=wanted.headline == headline,
        )
        for headline, look in LOOKS.items()
        if counts[headline] or wanted.headline == headline
    ]


def _providers(entries: list[Entry]) -> list[tuple[str, str]]:
    found = sorted({entry.provider_id for entry in entries})
    return [(provider_id, provider_name(provider_id)) for provider_id in found]


def _view(request: HttpRequest) -> str:
    reader = reader_on(request)
    return reader.list_view if reader else ListView.GRID.value


def card_template_for(request: HttpRequest) -> str:
    """How the reader's list writes one series."""
    return "watchlist/row.html" if _view(request) == ListView.LIST else "watchlist/card.html"


@login_required
@require_POST
def set_view(request: HttpRequest) -> HttpResponse:
    """Grid or list, kept for this user."""
    view = request.POST.get("view", "")
    if view in ListView.values:
        Profile.objects.update_or_create(user=request.user, defaults={"list_view": view})
    return toasts.go(toasts.came_from(request))


def _user_id(request: HttpRequest) -> int:
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    return request.user.pk
