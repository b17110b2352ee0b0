"""One followed series: headline, facts, episodes with their reasons, settings, history."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Callable
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from downloads.queue import NotLegalNow
from providers import gateway
from providers.errors import ProviderError
from watchlist.models import Episode, Grab, Notification, NotificationKind, Series, WatchlistItem
from watchlist.pages import toasts, wording
from watchlist.pages.actions import own_item
from watchlist.pages.cards import cards_of
from watchlist.pages.episode_lines import groups_of, line_of, version_of
from watchlist.pages.feedback import user_of
from watchlist.pages.forms import ItemSettingsForm, start_of
from watchlist.pages.live import results_of
from watchlist.pages.past import history_of
from watchlist.selectors.episodes import episodes_of, find_episode
from watchlist.selectors.watchlist_page import entries_of
from watchlist.services import deciding, grabbing, notifications, scheduler
from watchlist.services.downloads import cancel_for, retry_for

TABS: Final = {
    "episodes": gettext_lazy("Episodes"),
    "settings": gettext_lazy("Settings"),
    "history": gettext_lazy("History"),
}
_AIRING: Final = {
    "airing": gettext_lazy("airing"),
    "finished": pgettext_lazy("of a series", "finished"),
    "upcoming": gettext_lazy("not out yet"),
    "unknown": gettext_lazy("unknown"),
}


@login_required
@require_safe
def series(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """The page, or for htmx its head or its episodes when they have changed since `v`."""
    item = own_item(request, item_id)
    part = request.GET.get("part", "") if toasts.is_fragment(request) else ""
    if part == "head":
        return _head_part(request, item)
    if part == "episodes":
        return _episodes_part(request, item)
    tab = request.GET.get("tab", "")
    tab = tab if tab in TABS else "episodes"
    context = _head(request, item) | {"tab": tab, "tabs": TABS.items()} | _tab(request, item, tab)
    response = render(request, "watchlist/series.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


@login_required
@require_POST
def seen(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """The user has opened the series: what arrived is no longer new."""
    item = own_item(request, item_id)
    kinds = [NotificationKind.FINISHED, NotificationKind.NEW_EPISODE]
    rows = Notification.objects.filter(item=item, kind__in=kinds, read_at=None)
    ids = [str(pk) for pk in rows.values_list("pk", flat=True)]
    notifications.mark_read(user=user_of(request), ids=ids)
    if toasts.is_fragment(request):
        return HttpResponse(status=204)
    return toasts.go(toasts.came_from(request))


@login_required
@require_POST
def act(
    request: HttpRequest, item_id: uuid.UUID, episode_id: uuid.UUID, action: str
) -> HttpResponse:
    """Download, retry, cancel, ignore or no longer ignore one episode."""
    item = own_item(request, item_id)
    episode = Episode.objects.filter(series_id=item.series_id, pk=episode_id).first()
    do = _ACTIONS.get(action)
    if episode is None or do is None:
        raise Http404
    level = toasts.OK
    try:
        text = do(item, episode)
    except NotLegalNow:
        text, level = _("That is not possible at this moment."), toasts.ERROR
    fragment = None
    if toasts.is_fragment(request):
        item.refresh_from_db()
        row = find_episode(item, episode_id)
        context = {"item": item, "line": line_of(row) if row else None}
        fragment = render(request, "watchlist/episode.html", context)
        trigger_client_event(fragment, "refresh")
    return toasts.answer(request, text, fragment=fragment, level=level)


def _download(item: WatchlistItem, episode: Episode) -> str:
    grabbing.grab_by_hand(item=item, episode=episode)
    return _("Queued for download.")


def _retry(item: WatchlistItem, episode: Episode) -> str:
    grab = Grab.objects.filter(item=item, episode=episode).first()
    if grab is None:
        return _download(item, episode)
    retry_for(grab=grab)
    return _("It is tried again.")


def _cancel(item: WatchlistItem, episode: Episode) -> str:
    grab = Grab.objects.filter(item=item, episode=episode).first()
    if grab is not None:
        cancel_for(grab=grab)
    return _("Cancelled.")


def _ignore(item: WatchlistItem, episode: Episode) -> str:
    deciding.set_ignored(item=item, episode=episode, ignored=True)
    return _("This episode is ignored.")


def _watch(item: WatchlistItem, episode: Episode) -> str:
    deciding.set_ignored(item=item, episode=episode, ignored=False)
    return _("This episode is no longer ignored.")


_ACTIONS: Final[dict[str, Callable[[WatchlistItem, Episode], str]]] = {
    "download": _download,
    "retry": _retry,
    "cancel": _cancel,
    "ignore": _ignore,
    "watch": _watch,
}


def _head(request: HttpRequest, item: WatchlistItem) -> dict[str, Any]:
    entries = entries_of(user_of(request).pk, ids=[item.pk])
    if not entries:
        raise Http404  # removed in this very moment
    card = cards_of(entries)[0]
    known: Series = item.series
    return {
        "item": item,
        "card": card,
        "entry": entries[0],
        "details": entries[0].details,
        "genres": known.genres if item.genres is None else item.genres,
        "synopsis": item.synopsis or known.synopsis,
        "airing": _AIRING.get(known.airing_status, _AIRING["unknown"]),
        "outside": _outside(known),
        "error_code": entries[0].error_code,
        "error_text": known.last_error_text,
        "head_version": hashlib.blake2b(f"{card}".encode(), digest_size=8).hexdigest(),
    }


def _head_part(request: HttpRequest, item: WatchlistItem) -> HttpResponse:
    context = _head(request, item)
    results = results_of(user_of(request), [item.series_id])
    if context["head_version"] == request.GET.get("v") and not results:
        return HttpResponse(status=204)
    response = render(request, "watchlist/series_head.html", context)
    if results:
        trigger_client_event(response, "toast", {"list": results})
    return response


def _episodes_part(request: HttpRequest, item: WatchlistItem) -> HttpResponse:
    context = {"item": item} | _episodes(request, item)
    if context["version"] == request.GET.get("v"):
        return HttpResponse(status=204)
    return render(request, "watchlist/episodes.html", context)


def _tab(request: HttpRequest, item: WatchlistItem, tab: str) -> dict[str, Any]:
    if tab == "history":
        return {"events": history_of(user_of(request), item)}
    if tab == "settings":
        initial = start_of(item)
        return {
            "form": ItemSettingsForm(instance=item, initial=initial),
            "interval_words": wording.every(scheduler.interval()),
        }
    return _episodes(request, item)


def _episodes(request: HttpRequest, item: WatchlistItem) -> dict[str, Any]:
    rows = list(episodes_of(item))
    show_all = request.GET.get("all") == "1"
    return {
        "groups": groups_of(rows, show_all=show_all),
        "version": version_of(rows),
        "show_all": show_all,
    }


def _outside(known: Series) -> str:
    """The provider's own page, for people to open."""
    try:
        address = gateway.url_of(known.provider_id, known.ref)
    except ProviderError:
        return ""
    return address if address.startswith(("http://", "https://")) else ""
