"""The accounts, for administrators: make one, change its role, keep it out, give a new password."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from watchlist.pages.feedback import Told, administrator_required, answer, user_of
from watchlist.pages.panel_forms import NewUserForm
from watchlist.services import users as accounts

UNPROCESSABLE: Final = 422


@administrator_required
@require_safe
def users(request: HttpRequest) -> HttpResponse:
    """Every account."""
    return _page(request, NewUserForm())


@administrator_required
@never_cache
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Make an account and show the link with which its owner sets a password."""
    form = NewUserForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=UNPROCESSABLE)
    user = accounts.create_user(
        username=form.cleaned_data["username"],
        is_administrator=form.cleaned_data["is_administrator"],
    )
    return _with_link(request, user)


@administrator_required
@never_cache
@require_POST
def reset(request: HttpRequest, user_id: int) -> HttpResponse:
    """Show a link with which this user sets a new password, once."""
    return _with_link(request, get_object_or_404(User, pk=user_id))


@administrator_required
@require_POST
def act(request: HttpRequest, user_id: int, action: str) -> HttpResponse:
    """Change a role, or let somebody in or keep them out."""
    user = get_object_or_404(User, pk=user_id)
    try:
        told = Told("ok", _change(user, action, user_of(request)) % {"name": user.username})
    except accounts.NotAllowed as error:
        told = Told("error", str(error))
    return answer(request, told, to=reverse("settings-users"))


def _change(user: User, action: str, by: User) -> str:
    if action in {"promote", "demote"}:
        accounts.change_role(user=user, is_administrator=action == "promote", by=by)
        return (
            _("%(name)s is an administrator.")
            if action == "promote"
            else _("%(name)s is no longer an administrator.")
        )
    accounts.set_active(user=user, is_active=action == "activate", by=by)
    return (
        _("%(name)s may sign in again.")
        if action == "activate"
        else _("%(name)s may no longer sign in. Their API tokens and calendar address are revoked.")
    )


def _with_link(request: HttpRequest, user: User) -> HttpResponse:
    """Shown in the answer itself and kept nowhere: whoever has the link has the account."""
    link = request.build_absolute_uri(accounts.password_link(user))
    return _page(request, NewUserForm(), link=link, link_user=user)


def _page(
    request: HttpRequest, form: NewUserForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    rows = User.objects.annotate(followed=Count("watchlist")).order_by("-is_active", "username")
    context = {
        "accounts": rows,
        "form": form,
        "tab": "users",
        "link_lasts": accounts.LINK_LASTS,
        **extra,
    }
    return render(request, "watchlist/users.html", context, status=status)
