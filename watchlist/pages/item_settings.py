"""The settings of one series: a dialog over the list, a page of its own without script."""

from __future__ import annotations

import uuid

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods
from django_htmx.http import trigger_client_event

from watchlist.models import WatchlistItem
from watchlist.pages import toasts, undo, wording
from watchlist.pages.actions import own_item
from watchlist.pages.cards import provider_name
from watchlist.pages.changes import cards_changed
from watchlist.pages.forms import ItemSettingsForm, start_of
from watchlist.services import items, scheduler


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def item_settings(request: HttpRequest, item_id: uuid.UUID) -> HttpResponse:
    """Show the form, or save it; 422 with the form when it cannot be saved."""
    item = own_item(request, item_id)
    before = {
        "anime_title": item.anime_title,
        "auto_download": item.auto_download,
        "quality_preference": item.quality_preference,
        "status": item.status,
        "last_episode_downloaded": item.last_episode_downloaded,
        "last_season_downloaded": item.last_season_downloaded,
    }
    initial = start_of(item)
    form = ItemSettingsForm(request.POST or None, instance=item, initial=initial)
    if request.method != "POST" or not form.is_valid():
        return _shown(request, item, form)
    wished = form.changes()
    item.refresh_from_db()
    address = undo.remember(request, change={item.pk: before})
    saved = items.change(item=item, changes=wished)
    text = _("Saved: %(title)s") % {"title": saved.anime_title}
    response = toasts.answer(request, text, undo=address)
    if toasts.is_fragment(request):
        trigger_client_event(response, "close-modal")
        cards_changed(response, [item.pk])
    return response


def _shown(request: HttpRequest, item: WatchlistItem, form: ItemSettingsForm) -> HttpResponse:
    template = (
        "watchlist/settings_dialog.html"
        if toasts.is_fragment(request)
        else "watchlist/settings_page.html"
    )
    context = {
        "item": item,
        "form": form,
        "title": form.initial.get("anime_title", item.anime_title),
        "provider": provider_name(item.series.provider_id),
        "interval_words": wording.every(scheduler.interval()),
        "is_paused": form.initial.get("status", item.status) == "paused",
    }
    return render(request, template, context, status=422 if form.errors else 200)
