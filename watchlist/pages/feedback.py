"""How a page says what came of an action: a toast with htmx, a message and a redirect without."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence for the user."""

    level: str  # ok or error
    text: str
    undo_url: str = ""  # a POST to it takes the action back
    is_quiet: bool = False  # the page itself shows it; only a page without script needs words


class SeeOther(HttpResponseRedirect):
    """After a POST the page is fetched anew (RFC 9110 section 15.4.4)."""

    status_code = 303


def answer(
    request: HttpRequest,
    told: Told,
    *,
    to: str,
    fragment: Callable[[], HttpResponse] | None = None,
) -> HttpResponse:
    """A fragment with a toast for htmx, else a message on the page `to`."""
    if is_htmx(request) and fragment is not None:
        return with_toast(fragment(), told)
    add = messages.error if told.level == "error" else messages.success
    add(request, told.text, extra_tags=f"undo:{told.undo_url}" if told.undo_url else "")
    if is_htmx(request):
        return HttpResponse(headers={"HX-Redirect": to})
    return SeeOther(to)


def with_toast(response: HttpResponse, told: Told) -> HttpResponse:
    """The same answer, and the page's script shows a toast."""
    if not told.is_quiet:
        toast: dict[str, Any] = {"level": told.level, "text": told.text}
        if told.undo_url:
            toast["undo"] = told.undo_url
        response["HX-Trigger"] = json.dumps({"toast": toast})
    return response


def is_htmx(request: HttpRequest) -> bool:
    """Whether the page's script asks, and not a form without it."""
    return bool(getattr(request, "htmx", False))


def user_of(request: HttpRequest) -> User:
    """The signed-in user; the view is behind `login_required`."""
    user = request.user
    if not isinstance(user, User):
        raise PermissionDenied
    return user


def administrator_required(view: View) -> View:
    """Signed in and allowed to change what holds for everybody; else the login, or 403."""

    @wraps(view)
    @login_required
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not user_of(request).is_staff:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
