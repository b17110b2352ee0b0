"""What came of an action, and who may do it; for the pages of downloads and settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from watchlist.pages import toasts
from watchlist.services.users import is_administrator

View = Callable[..., HttpResponse]


@dataclass(frozen=True, slots=True)
class Told:
    """One sentence for the user."""

    level: str  # ok or error
    text: str
    undo_url: str = ""  # a POST to it takes the action back
    is_quiet: bool = False  # the page itself shows it; only a page without script needs words


def answer(
    request: HttpRequest,
    told: Told,
    *,
    to: str,
    fragment: Callable[[], HttpResponse] | None = None,
) -> HttpResponse:
    """A fragment with a toast for htmx, else a message on the page `to`."""
    if not toasts.is_fragment(request):
        return toasts.answer(request, told.text, level=told.level, undo=told.undo_url, to=to)
    made = fragment() if fragment is not None else HttpResponse(headers={"HX-Redirect": to})
    if told.is_quiet:
        return made
    return toasts.answer(request, told.text, fragment=made, level=told.level, undo=told.undo_url)


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
        if not is_administrator(user_of(request)):
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return guarded
