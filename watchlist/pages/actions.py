"""What is done to followed series from the list and their own page: one, or many at once."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import trigger_client_event

from watchlist.models import CheckTrigger, ItemStatus, Quality, WatchlistItem
from watchlist.pages import toasts, undo
from watchlist.pages.changes import cards_changed, list_changed
from watchlist.pages.feedback import user_of
from watchlist.pages.watchlist import card_response, render_list, wanted_of
from watchlist.selectors.items import due_series_of, item_of
from watchlist.selectors.watchlist_order import arrange
from watchlist.selectors.watchlist_page import entries_of
from watchlist.services import items, restoring
from watchlist.services.due import request_check, request_checks

_RESTING: Final = {"pause": ItemStatus.PAUSED, "resume": ItemStatus.ACTIVE}
MAX_AT_ONCE: Final = 2000


def own_item(request: HttpRequest, item_id: uuid.UUID) -> WatchlistItem:
    """The user's item with its series. Raises Http404, also for somebody else's."""
    item = item_of(user_of(request), item_id)
    if item is None:
        raise Http404
    return item


@login_required
@require_POST
def pause(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """Rest: no checks, no new downloads."""
    return _set_status(request, item_id, ItemStatus.PAUSED)


@login_required
@require_POST
def resume(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """Go on after a pause."""
    return _set_status(request, item_id, ItemStatus.ACTIVE)


def _set_status(request: HttpRequest, item_id: uuid.UUID, status: ItemStatus) -> HttpResponse:
    item = own_item(request, item_id)
    address = undo.remember(request, change={item.pk: {"status": item.status}})
    items.set_status(item=item, status=status)
    text = _("Paused: %(title)s") if status == ItemStatus.PAUSED else _("Resumed: %(title)s")
    return _after(request, item, text % {"title": item.anime_title}, address)


@login_required
@require_POST
def check(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """Check now; one that is running is joined."""
    item = own_item(request, item_id)
    request_check(item.series, trigger=CheckTrigger.MANUAL, by=user_of(request))
    text = _("Checking %(title)s now.") % {"title": item.anime_title}
    return _after(request, item, text, "")


@login_required
@require_POST
def check_all(request: HttpRequest) -> HttpResponse:
    """Check everything that is active, whether due or not."""
    series_ids = due_series_of(user_of(request), now=None)
    request_checks(series_ids, by=user_of(request))
    count = len(series_ids)
    text = ngettext("Checking %(n)d series now.", "Checking %(n)d series now.", count)
    response = toasts.answer(request, text % {"n": count})
    # The list's own poll names the cards that now say "Checking".
    return trigger_client_event(response, "tick")


@login_required
@require_POST
def remove(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """Stop following; files stay, and undo follows again with the same settings."""
    item = own_item(request, item_id)
    address = undo.remember(request, restore=restoring.memories_of([item]))
    items.unfollow(item=item)
    text = _("Removed: %(title)s. Its files stay in the library.") % {"title": item.anime_title}
    response = toasts.answer(request, text, undo=address, to=reverse("watchlist"))
    if not toasts.is_fragment(request):
        return response
    trigger_client_event(response, "close-modal")
    is_last = not WatchlistItem.objects.filter(user=user_of(request)).exists()
    return list_changed(response) if is_last else cards_changed(response, [item_id])


@login_required
@require_POST
def bulk(request: HttpRequest) -> HttpResponse:
    """One action on all series that were selected."""
    action = _BULK.get(request.POST.get("do", ""))
    chosen = _chosen(request)
    if action is None or not chosen:
        text = _("Choose at least one series first.")
        return _after_bulk(request, text, "", level=toasts.ERROR)
    text, address = action(request, chosen)
    return _after_bulk(request, text, address)


def _chosen(request: HttpRequest) -> list[WatchlistItem]:
    rows: QuerySet[WatchlistItem] = WatchlistItem.objects.filter(user=user_of(request))
    ids = [pk for text in request.POST.getlist("item") if (pk := _uuid(text))]
    if request.POST.get("all") == "1":
        wanted = wanted_of(QueryDict(request.POST.get("query", "")))
        ids = [entry.id for entry in arrange(entries_of(user_of(request).pk), wanted)]
    return list(rows.filter(pk__in=ids[:MAX_AT_ONCE]).select_related("series"))


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _change_all(
    request: HttpRequest, chosen: list[WatchlistItem], changes: Mapping[str, Any]
) -> str:
    before = {item.pk: {name: getattr(item, name) for name in changes} for item in chosen}
    address = undo.remember(request, change=before)
    items.change_each(changes=dict.fromkeys(before, changes))
    return address


def _rest(request: HttpRequest, chosen: list[WatchlistItem]) -> tuple[str, str]:
    status = _RESTING[request.POST["do"]]
    count = len(chosen)
    text = (
        ngettext("%(n)d series paused.", "%(n)d series paused.", count)
        if status == ItemStatus.PAUSED
        else ngettext("%(n)d series resumed.", "%(n)d series resumed.", count)
    )
    return text % {"n": count}, _change_all(request, chosen, {"status": status.value})


def _automatic(request: HttpRequest, chosen: list[WatchlistItem]) -> tuple[str, str]:
    wished = request.POST["do"] == "auto_on"
    count = len(chosen)
    text = (
        ngettext("Auto-download on for %(n)d series.", "Auto-download on for %(n)d series.", count)
        if wished
        else ngettext(
            "Auto-download off for %(n)d series.", "Auto-download off for %(n)d series.", count
        )
    )
    return text % {"n": count}, _change_all(request, chosen, {"auto_download": wished})


def _quality(request: HttpRequest, chosen: list[WatchlistItem]) -> tuple[str, str]:
    given = request.POST.get("quality", "")
    quality = Quality(given) if given in Quality.values else Quality.AUTO
    count = len(chosen)
    text = ngettext(
        "Quality of %(n)d series: %(quality)s.", "Quality of %(n)d series: %(quality)s.", count
    )
    address = _change_all(request, chosen, {"quality_preference": quality.value})
    return text % {"n": count, "quality": quality.label}, address


def _check(request: HttpRequest, chosen: list[WatchlistItem]) -> tuple[str, str]:
    request_checks([item.series_id for item in chosen], by=user_of(request))
    count = len(chosen)
    text = ngettext("Checking %(n)d series now.", "Checking %(n)d series now.", count)
    return text % {"n": count}, ""


def _remove(request: HttpRequest, chosen: list[WatchlistItem]) -> tuple[str, str]:
    address = undo.remember(request, restore=restoring.memories_of(chosen))
    items.unfollow_each(items=chosen)
    count = len(chosen)
    text = ngettext(
        "%(n)d series removed. Its files stay.", "%(n)d series removed. Their files stay.", count
    )
    return text % {"n": count}, address


_BULK: Final[dict[str, Callable[[HttpRequest, list[WatchlistItem]], tuple[str, str]]]] = {
    "pause": _rest,
    "resume": _rest,
    "check": _check,
    "auto_on": _automatic,
    "auto_off": _automatic,
    "quality": _quality,
    "remove": _remove,
}


def _after(request: HttpRequest, item: WatchlistItem, text: str, address: str) -> HttpResponse:
    if not toasts.is_fragment(request):
        return toasts.answer(request, text, undo=address)
    if request.headers.get("HX-Target") == f"s{item.pk}":
        card = trigger_client_event(card_response(request, item.pk), "counts")
        return toasts.answer(request, text, fragment=card, undo=address)
    response = toasts.answer(request, text, undo=address)
    trigger_client_event(response, "close-modal")
    return cards_changed(response, [item.pk])


def _after_bulk(
    request: HttpRequest, text: str, address: str, *, level: str = toasts.OK
) -> HttpResponse:
    fragment = None
    if toasts.is_fragment(request):
        query = QueryDict(request.POST.get("query", ""), mutable=True)
        query["select"] = "1"
        fragment = render_list(request, query)
    return toasts.answer(request, text, fragment=fragment, undo=address, level=level)
