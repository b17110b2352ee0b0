"""Subscribing to the calendar: a private address, and what calendar programs get from it."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode, urlsplit

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import condition, require_http_methods, require_safe

from watchlist.middleware import zone_of
from watchlist.models import CalendarFeed
from watchlist.pages import ical, toasts
from watchlist.pages.feedback import Told, answer, user_of
from watchlist.selectors.calendar import calendar, languages_of
from watchlist.selectors.reader import reader_of
from watchlist.services import calendar_feeds

BACK: Final = timedelta(days=30)
AHEAD: Final = timedelta(days=60)
CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
MAX_LANG: Final = 20


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def subscribe(request: HttpRequest) -> HttpResponse:
    """The address with what to do with it; a POST makes a new one, or gives it up."""
    if request.method != "POST":
        return _shown(request)
    user = user_of(request)
    if request.POST.get("do") == "give-up":
        calendar_feeds.give_up(user=user)
        told = Told("ok", _("The address is gone: nobody can fetch your calendar."))
    else:
        calendar_feeds.renew(user=user, language=translation.get_language() or "")
        told = Told("ok", _("Your calendar has a new address."))
    to = f"{reverse('calendar-subscribe')}{filter_query(_lang(request))}"
    return answer(request, told, to=to, fragment=lambda: _shown(request))


@cache_control(private=True, no_cache=True)
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """What the calendar shows, for whoever has the address: in its owner's language and zone."""
    row = calendar_feeds.find(token)
    if row is None:
        # The same for one that never was, is no longer, or belongs to a deactivated user.
        return HttpResponseNotFound("404\n", content_type="text/plain; charset=utf-8")
    reader = reader_of(row.user_id)
    zone = zone_of(reader) or timezone.get_default_timezone()
    language = reader.language or row.language
    with translation.override(language), timezone.override(zone):
        events = _events(row)
    calendar_feeds.remember(feed=row, digest=ical.digest_of(events))
    base = request.build_absolute_uri("/").rstrip("/")
    lang = request.GET.get("lang", "")[:MAX_LANG]
    state = repr((row.digest, base, lang)).encode()
    etag = f'"{hashlib.blake2b(state, digest_size=16).hexdigest()}"'

    @condition(etag_func=lambda _request: etag, last_modified_func=lambda _request: row.changed_at)
    def file(_request: HttpRequest) -> HttpResponse:
        chosen = [event for event in events if lang in {"", event.lang}]
        content = ical.written(chosen, base=base, language=language)
        named = {"Content-Disposition": 'inline; filename="tsuzuku.ics"'}
        return HttpResponse(content, content_type=CONTENT_TYPE, headers=named)

    return file(request)


def _events(row: CalendarFeed) -> list[ical.Event]:
    now, zone = timezone.now(), timezone.get_current_timezone()
    today = now.astimezone(zone).date()
    days = calendar(row.user, first=today - BACK, last=today + AHEAD, zone=zone, now=now)
    return ical.events_of(days, zone=zone, now=now)


def _shown(request: HttpRequest) -> HttpResponse:
    row = calendar_feeds.feed_of(user_of(request))
    lang = _lang(request)
    address = ""
    if row is not None:
        path = reverse("calendar-feed", args=[calendar_feeds.token_of(row)])
        address = f"{request.build_absolute_uri(path)}{filter_query(lang)}"
    context = {
        "address": address,
        # The scheme by which a device hands the address to its calendar program.
        "webcal": urlsplit(address)._replace(scheme="webcal").geturl() if address else "",
        "made_at": row.created_at if row else None,
        "lang": lang,
        "query": filter_query(lang),
    }
    part = "subscribe" if toasts.is_fragment(request) else "subscribe_page"
    return render(request, f"watchlist/{part}.html", context)


def _lang(request: HttpRequest) -> str:
    """The calendar page's filter, when it is one of the reader's languages."""
    lang = request.GET.get("lang", "")
    return lang if lang and lang in languages_of(user_of(request)) else ""


def filter_query(lang: str) -> str:
    """The calendar page's filter as the end of an address; "" for all languages."""
    return f"?{urlencode({'lang': lang})}" if lang else ""
