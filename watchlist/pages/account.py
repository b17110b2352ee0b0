"""The user's own account: language, time zone, colours, shortcuts, password."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import PasswordChangeForm, SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse, reverse_lazy
from django.utils import translation
from django.utils.decorators import method_decorator
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from watchlist.models import Profile
from watchlist.pages.feedback import Told, answer, user_of
from watchlist.pages.panel_forms import AccountForm
from watchlist.pages.setup import zone_choices
from watchlist.services import users

UNPROCESSABLE: Final = 422


class _PasswordForm(PasswordChangeForm):
    """Django's own, without taking the focus: it is not the first form of the page."""

    revoke_access = forms.BooleanField(
        label=gettext_lazy("Revoke my API tokens and my calendar address too"),
        help_text=gettext_lazy("Off: they go on working until you revoke them yourself."),
        required=False,
        widget=forms.CheckboxInput({"role": "switch"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["old_password"].widget.attrs.pop("autofocus", None)


class _LinkForm(SetPasswordForm):  # type: ignore[type-arg]  # no subscript at run time
    """Django's own; whoever has no time zone yet gets the one that the browser fills in."""

    time_zone = forms.ChoiceField(
        label=gettext_lazy("Time zone"),
        help_text=gettext_lazy("All times are shown in it."),
        choices=zone_choices,
        initial="UTC",
        required=False,
        widget=forms.Select({"data-zone": ""}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if _profile_of(self.user).time_zone:
            del self.fields["time_zone"]


@login_required
@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """The account's two forms."""
    return _page(request)


@login_required
@require_POST
def change_account(request: HttpRequest) -> HttpResponse:
    """Take over how the pages are shown."""
    form = AccountForm(request.POST, instance=_profile_of(user_of(request)))
    if not form.is_valid():
        return _page(request, form=form, status=UNPROCESSABLE)
    profile = form.save()
    with translation.override(profile.language or translation.get_language()):
        told = Told("ok", _("Your account is saved."))
    return answer(request, told, to=reverse("settings-account"))


@login_required
@sensitive_post_parameters()
@require_POST
def change_password(request: HttpRequest) -> HttpResponse:
    """A new password; other devices are signed out, this one stays."""
    form = _PasswordForm(user_of(request), request.POST)
    if not form.is_valid():
        return _page(request, password_form=form, status=UNPROCESSABLE)
    texts = [_("Your password is changed. Other devices are signed out.")]
    with transaction.atomic():
        user = form.save()
        if form.cleaned_data["revoke_access"]:
            users.revoke_access(user=user)
            texts.append(_("Your API tokens and your calendar address are revoked."))
    update_session_auth_hash(request, user)
    return answer(request, Told("ok", " ".join(texts)), to=reverse("settings-account"))


@method_decorator(sensitive_post_parameters(), name="dispatch")
class SetPassword(PasswordResetConfirmView):
    """Where the link of an administrator leads: a new password, once.

    Whoever needs it may have lost the account to somebody, so nothing from before stays open.
    """

    template_name = "watchlist/password_set.html"
    success_url = reverse_lazy("login")
    title = gettext_lazy("Choose your password")
    form_class = _LinkForm

    def form_valid(self, form: _LinkForm) -> HttpResponse:
        """Take the password over and close what the old one opened."""
        zone = form.cleaned_data.get("time_zone")
        with transaction.atomic():
            if zone:
                Profile.objects.update_or_create(user=form.user, defaults={"time_zone": zone})
            users.revoke_access(user=form.user)
            return super().form_valid(form)


def _profile_of(user: User) -> Profile:
    return Profile.objects.filter(user=user).first() or Profile(user=user)


def _page(
    request: HttpRequest,
    *,
    form: AccountForm | None = None,
    password_form: _PasswordForm | None = None,
    status: int = 200,
) -> HttpResponse:
    user = user_of(request)
    context: dict[str, Any] = {
        "form": form or AccountForm(instance=_profile_of(user)),
        "password_form": password_form or _PasswordForm(user),
        "tab": "account",
    }
    return render(request, "watchlist/account.html", context, status=status)
