"""Confirming an add: what will be downloaded, the choices, and then the series is followed."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import trigger_client_event

from providers import gateway
from providers.errors import NotASeries, ProviderError
from watchlist import faults
from watchlist.models import Quality, WatchlistItem
from watchlist.pages import toasts, undo, wording
from watchlist.pages.cards import initials_of, provider_name
from watchlist.pages.feedback import user_of
from watchlist.pages.forms import MAX_URL, START_ALL, FollowForm, before
from watchlist.pages.preview import Numbers, Offer, known_offer, numbers_of, offer_of
from watchlist.selectors.items import followed_refs
from watchlist.services import items, posters, scheduler
from watchlist.services.preferences import preferences


@login_required
@require_safe
def confirm(request: HttpRequest) -> HttpResponse:
    """What would be followed, and the choices; a dialog over the results, a page by itself."""
    url = request.GET.get("url", "")[:MAX_URL].strip()
    provider_id = request.GET.get("provider", "")[:40]
    try:
        offer = offer_of(url, provider_id, request.GET.get("lang", "")[:20])
    except ProviderError as error:
        return _refused(request, url, error)
    if request.GET.get("number") is not None and toasts.is_fragment(request):
        return _count_from(request, offer)
    if request.GET.get("part") == "start":
        return render(request, "watchlist/start.html", _start_context(offer))
    initial = {
        "provider_id": offer.provider_id,
        "url": url,
        "lang": offer.found.lang,
        "start": START_ALL,
        "quality": Quality.AUTO,
        "auto_download": True,
    }
    return _confirmation(request, offer, FollowForm(initial=initial))


@login_required
@require_POST
def follow(request: HttpRequest) -> HttpResponse:
    """Follow what was confirmed; 422 with the form when something is missing."""
    form = FollowForm(request.POST)
    if not form.is_valid():
        return _again(request, form)
    try:
        item = items.follow(user=user_of(request), wish=_wish(form), found=_told(form))
    except items.AlreadyFollowed as error:
        text = _("You already follow this series.")
        return _followed(request, error.item, text, "")
    except items.NoSuchLanguage:
        form.add_error("lang", _("The provider has a page of its own for this language."))
        return _again(request, form)
    except ProviderError as error:
        form.add_error(None, faults.short(error.code))
        return _again(request, form)
    address = undo.remember(request, unfollow=[item.pk])
    text = _("Added: %(title)s. It is being checked now.") % {"title": item.anime_title}
    return _followed(request, item, text, address)


def _confirmation(
    request: HttpRequest, offer: Offer, form: FollowForm, *, status: int = 200
) -> HttpResponse:
    details = offer.found.details
    key = (offer.provider_id, offer.found.series_ref, offer.found.lang)
    interval = scheduler.interval()
    context = {
        "offer": offer,
        "details": details,
        "form": form,
        "provider": provider_name(offer.provider_id),
        "poster": posters.preview_url(details.poster_url) if details else "",
        "initials": initials_of(offer.title),
        "item_id": followed_refs(user_of(request)).get(key),
        "error": faults.short(offer.found.error.code) if offer.found.error else "",
        "every": wording.every(interval),
        "next_at": timezone.now() + interval,
        "hit": request.POST.get("hit", request.GET.get("hit", ""))[:60],
        "as_page": not toasts.is_fragment(request),
        "auto_off": not preferences().auto_download_enabled,
    }
    if context["as_page"] or form.is_bound:
        context |= _start_context(offer)
    template = "watchlist/confirm_page.html" if context["as_page"] else "watchlist/confirm.html"
    return render(request, template, context, status=status)


def _start_context(offer: Offer) -> dict[str, Any]:
    numbers = numbers_of(offer)
    if isinstance(numbers, Numbers):
        return {"offer": offer, "numbers": numbers, "is_counted": True}
    return {"offer": offer, "count_error": faults.short(numbers.code), "is_counted": True}


def _count_from(request: HttpRequest, offer: Offer) -> HttpResponse:
    numbers = numbers_of(offer)
    try:
        number = Decimal(request.GET["number"])
    except InvalidOperation:
        return HttpResponse("")
    if not isinstance(numbers, Numbers) or not number.is_finite():
        return HttpResponse("")
    count = numbers.after(before(number))
    return HttpResponse(ngettext("%(n)d episode", "%(n)d episodes", count) % {"n": count})


def _refused(request: HttpRequest, url: str, error: ProviderError) -> HttpResponse:
    examples = [one for one in gateway.describe() if one.enabled and one.example_url]
    context = {
        "url": url,
        "error": faults.short(error.code),
        "examples": examples if isinstance(error, NotASeries) else [],
        "as_page": not toasts.is_fragment(request),
    }
    template = "watchlist/refused_page.html" if context["as_page"] else "watchlist/refused.html"
    return render(request, template, context)


def _again(request: HttpRequest, form: FollowForm) -> HttpResponse:
    url, lang = form.data.get("url", "")[:MAX_URL], form.data.get("lang", "")[:20]
    try:
        offer = offer_of(url, form.data.get("provider_id", "")[:40], lang)
    except ProviderError as error:
        return _refused(request, url, error)
    return _confirmation(request, offer, form, status=422)


def _told(form: FollowForm) -> items.Found | None:
    """What the dialog has just shown, so that the provider is not asked for it again."""
    given = form.cleaned_data
    offer = known_offer(given["url"], given["provider_id"], given["lang"])
    return None if offer is None or offer.is_other_language else offer.found


def _wish(form: FollowForm) -> items.Wish:
    given = form.cleaned_data
    return items.Wish(
        anime_url=given["url"],
        provider_id=given["provider_id"],
        lang=given["lang"] or None,
        auto_download=given["auto_download"],
        quality_preference=given["quality"],
        last_episode_downloaded=form.last_episode(),
    )


def _followed(request: HttpRequest, item: WatchlistItem, text: str, address: str) -> HttpResponse:
    to = reverse("series", args=[item.pk])
    if not toasts.is_fragment(request):
        return toasts.answer(request, text, undo=address, to=to)
    context = {"item_id": item.pk, "hit": {"key": request.POST.get("hit", "")[:60]}, "oob": True}
    fragment = render(request, "watchlist/on_list.html", context)
    response = toasts.answer(request, text, fragment=fragment, undo=address)
    return trigger_client_event(response, "close-modal")
