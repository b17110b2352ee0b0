"""One word back after an action: a toast for htmx, a message and a 303 for a plain form."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django_htmx.http import trigger_client_event

OK, ERROR = "ok", "error"


def is_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page."""
    details = getattr(request, "htmx", None)
    if not details:
        return False
    return not (details.boosted or details.history_restore_request)


def add_toast(
    response: HttpResponse, text: str, *, level: str = OK, undo: str = "", key: str = ""
) -> HttpResponse:
    """Let the page show `text`; `undo` is an address to post to, a `key` is shown only once."""
    toast: dict[str, Any] = {"level": level, "text": text}
    toast |= {"undo": undo} if undo else {}
    toast |= {"id": key} if key else {}
    trigger_client_event(response, "toast", toast)
    return response


def answer(
    request: HttpRequest,
    text: str,
    *,
    fragment: HttpResponse | None = None,
    level: str = OK,
    undo: str = "",
    to: str = "",
) -> HttpResponse:
    """Say what was done: with a toast on `fragment` (204 when None), or by going back (303).

    Args:
        request: the POST that was answered.
        text: one sentence.
        fragment: what htmx swaps in.
        level: OK or ERROR.
        undo: an address that takes it back when posted to.
        to: where a plain form goes; else the page it came from.
    """
    if is_fragment(request):
        return add_toast(fragment or HttpResponse(status=204), text, level=level, undo=undo)
    add = messages.error if level == ERROR else messages.success
    add(request, text, extra_tags=undo)
    return go(to or came_from(request))


def go(to: str) -> HttpResponse:
    """303 to an address: the browser asks for it with GET, so that reloading repeats nothing."""
    response = HttpResponseRedirect(to)
    response.status_code = 303
    return response


def came_from(request: HttpRequest) -> str:
    """The page of ours on which the form stood."""
    for address in (request.POST.get("next", ""), request.headers.get("Referer", "")):
        is_ours = url_has_allowed_host_and_scheme(
            address, {request.get_host()}, require_https=request.is_secure()
        )
        if is_ours and urlsplit(address).path.startswith("/"):
            return address
    return reverse("watchlist")
