"""The providers: whether they are on, where they are, how they do, and a test."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from providers import gateway
from providers.errors import EgressRefused, NotASeries, ProviderError
from watchlist import faults
from watchlist.pages.feedback import Told, administrator_required, answer
from watchlist.pages.panel_forms import ProviderForm
from watchlist.services import asking

UNPROCESSABLE: Final = 422


@login_required
@require_safe
def providers(request: HttpRequest) -> HttpResponse:
    """All providers, with their state; administrators may change them."""
    return _page(request)


@administrator_required
@require_POST
def act(request: HttpRequest, provider_id: str, action: str) -> HttpResponse:
    """Switch a provider on or off, or ask it for a sign of life."""
    provider = _provider(provider_id)
    if action == "test":
        told = _test(provider)
    else:
        gateway.set_enabled(provider_id, action == "on")
        text = _("%(provider)s is on.") if action == "on" else _("%(provider)s is off.")
        undo = reverse(
            "settings-provider-act", args=[provider_id, "off" if action == "on" else "on"]
        )
        told = Told("ok", text % {"provider": provider.name}, undo)
    return answer(
        request,
        told,
        to=reverse("settings-providers"),
        fragment=lambda: _card(request, provider_id),
    )


@administrator_required
@require_POST
def change_address(request: HttpRequest, provider_id: str) -> HttpResponse:
    """Give a provider another address, or go back to the known one."""
    provider = _provider(provider_id)
    form = ProviderForm(request.POST, prefix=provider_id)
    if form.is_valid():
        try:
            gateway.set_base_url(provider_id, form.cleaned_data["base_url"])
        except (EgressRefused, NotASeries) as error:
            form.add_error("base_url", faults.told(error))
    if not form.is_valid():
        return _page(request, bad_form=form, bad_id=provider_id, status=UNPROCESSABLE)
    told = Told("ok", _("The address of %(provider)s is saved.") % {"provider": provider.name})
    return answer(request, told, to=reverse("settings-providers"))


def _test(provider: gateway.ProviderDescription) -> Told:
    try:
        asking.test_provider(provider.id)
    except ProviderError as error:
        values = {"provider": provider.name, "error": faults.told(error)}
        return Told("error", _("%(provider)s: %(error)s") % values)
    return Told("ok", _("%(provider)s answers.") % {"provider": provider.name})


def _provider(provider_id: str) -> gateway.ProviderDescription:
    for provider in gateway.describe():
        if provider.id == provider_id:
            return provider
    raise Http404


def _card(request: HttpRequest, provider_id: str) -> HttpResponse:
    provider = _provider(provider_id)
    context = {"provider": provider, "form": _form_of(provider), "oob": True}
    return render(request, "watchlist/_provider.html", context)


def _page(
    request: HttpRequest,
    *,
    bad_form: ProviderForm | None = None,
    bad_id: str = "",
    status: int = 200,
) -> HttpResponse:
    cards = [
        (provider, bad_form if bad_form and provider.id == bad_id else _form_of(provider))
        for provider in gateway.describe()
    ]
    context = {"cards": cards, "tab": "providers"}
    return render(request, "watchlist/providers.html", context, status=status)


def _form_of(provider: gateway.ProviderDescription) -> ProviderForm:
    return ProviderForm(initial={"base_url": provider.base_url}, prefix=provider.id)
