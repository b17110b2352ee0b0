"""Adding: one box to search every provider at once, or to paste an address into."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from providers import gateway
from providers.errors import ProviderError
from providers.gateway import ProviderDescription
from providers.types import SeriesMatch
from watchlist import faults
from watchlist.models import WatchlistItem
from watchlist.pages import toasts
from watchlist.pages.cards import initials_of, provider_name
from watchlist.pages.feedback import user_of
from watchlist.pages.forms import MAX_URL
from watchlist.selectors.items import followed_refs
from watchlist.services import asking, posters

MAX_QUERY: Final = 100
OWN_SHOWN: Final = 6
_ADDRESS = re.compile(r"(?:https?:/{1,2}|www\.)\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One series that a provider offers."""

    key: str
    title: str
    others: str
    lang: str
    synopsis: str
    genres: str
    poster: str
    initials: str
    confirm_query: str
    item_id: Any
    part_id: Any  # a season of it that is followed


@dataclass(frozen=True, slots=True)
class Followed:
    """What the user follows, to mark it among the results."""

    refs: dict[tuple[str, str, str], Any]  # by provider, reference and language
    titles: list[tuple[str, str, Any]]  # provider, title in small letters, item


@dataclass(slots=True)
class Site:
    """What one provider answered, or that it is still being asked."""

    id: str
    name: str
    is_waiting: bool = False
    is_busy: bool = False  # it was not asked, and is once more in a moment
    hits: list[Hit] = field(default_factory=list)
    error: str = ""
    details: str = ""


@login_required
@require_safe
def add(request: HttpRequest) -> HttpResponse:
    """One box for both: a title is searched, an address goes straight to the confirmation."""
    given = [request.GET.get(name, "").strip() for name in ("q", "url", "text", "title")]
    query = next((text for text in given if text), "")
    address = _ADDRESS.search(query)
    if address:
        url = address[0] if address[0].lower().startswith("http") else f"https://{address[0]}"
        return redirect(f"{reverse('add-confirm')}?{urlencode({'url': url[:MAX_URL]})}")
    query = query[:MAX_QUERY]
    known = gateway.describe()
    context: dict[str, Any] = {
        "query": query,
        "providers": known,
        "own": _own_matches(user_of(request), query) if query else [],
    }
    searched = [one for one in known if one.enabled and one.searchable]
    if query and request.GET.get("wait"):
        context["sites"] = _all_sites(user_of(request), query, searched)
    elif query:
        context["sites"] = [Site(one.id, one.name, is_waiting=True) for one in searched]
    return render(request, "watchlist/add.html", context)


@login_required
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What one provider answers; the page asks for each of them by itself."""
    query = request.GET.get("q", "")[:MAX_QUERY].strip()
    provider_id = request.GET.get("provider", "")
    if not toasts.is_fragment(request):
        return redirect(f"{reverse('add')}?{urlencode({'q': query, 'wait': 1})}")
    try:
        outcome = asking.search(query, provider_id=provider_id)
    except ProviderError as error:
        site = _failed(provider_id, error)
    else:
        error_found = outcome.errors.get(provider_id)
        matches = [hit for _provider, hit in outcome.matches]
        site = (
            _failed(provider_id, error_found)
            if error_found
            else _found(provider_id, matches, _followed_by(user_of(request)))
        )
    return render(request, "watchlist/site.html", {"site": site, "query": query})


def _followed_by(user: User) -> Followed:
    rows = WatchlistItem.objects.filter(user=user)
    columns = rows.values_list("series__provider_id", "series__title", "id")
    return Followed(
        followed_refs(user), [(provider, title.casefold(), pk) for provider, title, pk in columns]
    )


def _own_matches(user: User, query: str) -> list[WatchlistItem]:
    """What the user follows already and may have been looking for."""
    rows = WatchlistItem.objects.filter(user=user, anime_title__icontains=query)
    return list(rows.order_by("anime_title")[:OWN_SHOWN])


def _all_sites(user: User, query: str, searched: list[ProviderDescription]) -> list[Site]:
    try:
        outcome = asking.search(query)
    except asking.Busy as error:
        return [_failed(one.id, error) for one in searched]
    followed = _followed_by(user)
    by_provider: dict[str, list[SeriesMatch]] = {}
    for provider_id, hit in outcome.matches:
        by_provider.setdefault(provider_id, []).append(hit)
    return [
        _failed(one.id, outcome.errors[one.id])
        if one.id in outcome.errors
        else _found(one.id, by_provider.get(one.id, []), followed)
        for one in searched
    ]


def _found(provider_id: str, matches: list[SeriesMatch], followed: Followed) -> Site:
    hits = _hits(provider_id, matches, followed)
    return Site(provider_id, provider_name(provider_id), hits=hits)


def _failed(provider_id: str, error: ProviderError) -> Site:
    return Site(
        provider_id,
        provider_name(provider_id),
        is_busy=isinstance(error, asking.Busy),
        error=faults.short(error.code),
        details=str(error),
    )


def _hits(provider_id: str, matches: list[SeriesMatch], followed: Followed) -> list[Hit]:
    return [
        Hit(
            key=f"{provider_id}-{place}",
            title=hit.title,
            others=" · ".join(hit.other_titles[:3]),
            lang=hit.lang.upper(),
            synopsis=hit.synopsis,
            genres=", ".join(hit.genres[:4]),
            poster=posters.preview_url(hit.poster_url),
            initials=initials_of(hit.title),
            confirm_query=urlencode(
                {
                    "provider": provider_id,
                    "url": hit.url,
                    "lang": hit.lang,
                    "hit": f"{provider_id}-{place}",
                }
            ),
            item_id=followed.refs.get((provider_id, hit.series_ref, hit.lang)),
            part_id=_followed_part(provider_id, hit.title, followed),
        )
        for place, hit in enumerate(matches)
    ]


def _followed_part(provider_id: str, title: str, followed: Followed) -> Any:
    """A hit may name a whole work; a season of it bears the same title, or one that begins so."""
    wanted = title.casefold()
    found = (
        item_id
        for provider, known, item_id in followed.titles
        if provider == provider_id and known.startswith(wanted)
    )
    return next(found, None)
