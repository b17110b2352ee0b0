"""The user's API tokens: made, shown once, revoked."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from watchlist.pages.feedback import Told, answer, user_of
from watchlist.pages.panel_forms import TokenForm
from watchlist.services import tokens as keys

UNPROCESSABLE: Final = 422


@login_required
@require_safe
def tokens(request: HttpRequest) -> HttpResponse:
    """The tokens there are, and a form for another."""
    return _page(request, TokenForm())


@login_required
@never_cache
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """Make a token and show it in the answer itself: it cannot be had again."""
    form = TokenForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=UNPROCESSABLE)
    row, text = keys.create_token(
        user=user_of(request), name=form.cleaned_data["name"], days=form.cleaned_data["days"]
    )
    return _page(request, TokenForm(), token=text, token_name=row.name)


@login_required
@require_POST
def revoke(request: HttpRequest, handle: str) -> HttpResponse:
    """End a token at once."""
    if not keys.revoke_token(user=user_of(request), handle=handle):
        raise Http404
    told = Told("ok", _("The token is revoked: it no longer opens anything."))
    return answer(request, told, to=reverse("settings-tokens"))


def _page(
    request: HttpRequest, form: TokenForm, *, status: int = 200, **extra: Any
) -> HttpResponse:
    rows = [(row, keys.handle_of(row)) for row in keys.tokens_of(user_of(request))]
    context = {"form": form, "rows": rows, "tab": "tokens", "now": timezone.now(), **extra}
    return render(request, "watchlist/tokens.html", context, status=status)
