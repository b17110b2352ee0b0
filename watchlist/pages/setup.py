"""The first visit: the owner's account, guarded by the one-time code of the log."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable
from typing import Any, Final

from django import forms
from django.conf import settings
from django.contrib.auth import login, password_validation
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from watchlist.models import Profile
from watchlist.pages import toasts

_BACKEND: Final = "django.contrib.auth.backends.ModelBackend"
View = Callable[[HttpRequest], HttpResponse]


def zone_choices() -> list[tuple[str, str]]:
    """Every time zone that this machine knows, by the name that people know too."""
    names = sorted(name for name in zoneinfo.available_timezones() if "/" in name or name == "UTC")
    return [(name, name.replace("_", " ")) for name in names if not name.startswith("Etc/")]


class OwnerForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """The first account, and how its owner wants the pages."""

    code = forms.CharField(
        label=_("One-time code"),
        help_text=_("The program printed it where it was started, and in its log."),
        max_length=40,
        widget=forms.TextInput({"autocomplete": "one-time-code", "autocapitalize": "characters"}),
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=_("At least eight characters; a short sentence is easy to keep in mind."),
        strip=False,
        max_length=200,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )
    language = forms.ChoiceField(label=_("Language"), choices=settings.LANGUAGES)
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        choices=zone_choices,
        initial="UTC",
        widget=forms.Select({"data-zone": ""}),
    )

    class Meta:
        model = User
        fields = ("username",)
        labels = {"username": _("User name")}
        help_texts = {"username": _("Letters, digits and @ . + - _ only.")}
        widgets = {"username": forms.TextInput({"autocomplete": "username"})}

    def __init__(self, *args: Any, check_code: Callable[[str], bool], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._check_code = check_code
        self.order_fields(["code", "username", "password", "language", "time_zone"])

    def clean_code(self) -> str:
        """Only whoever reads the log may become the owner."""
        code = str(self.cleaned_data["code"])
        if not self._check_code(code):
            raise forms.ValidationError(_("This is not the code that is valid now."))
        return code

    def clean_password(self) -> str:
        """The same rules as for every other password."""
        password = str(self.cleaned_data["password"])
        password_validation.validate_password(
            password, User(username=str(self.data.get("username")))
        )
        return password


def view(check_code: Callable[[str], bool], clear_code: Callable[[], None]) -> View:
    """The page, with the two questions about the code that the project answers."""

    @never_cache
    @sensitive_post_parameters("password", "code")
    @require_http_methods(["GET", "HEAD", "POST"])
    def setup(request: HttpRequest) -> HttpResponse:
        if User.objects.exists():
            return redirect("login")
        _choose_language(request)
        form = OwnerForm(
            request.POST or None,
            check_code=check_code,
            initial={"language": translation.get_language()},
        )
        if request.method != "POST" or not form.is_valid():
            status = 422 if form.errors else 200
            context = {"form": form, "languages": settings.LANGUAGES}
            return render(request, "watchlist/setup.html", context, status=status)
        owner = _create(form.cleaned_data)
        if owner is None:
            return redirect("login")
        clear_code()
        login(request, owner, backend=_BACKEND)
        return toasts.go(reverse("preflight"))

    return setup


def _choose_language(request: HttpRequest) -> None:
    wished = request.POST.get("language") or request.GET.get("language") or ""
    if wished in dict(settings.LANGUAGES):
        translation.activate(wished)
        request.LANGUAGE_CODE = wished


def _create(wished: dict[str, Any]) -> User | None:
    """The owner; None when somebody was quicker."""
    with transaction.atomic():
        if User.objects.exists():
            return None
        owner = User.objects.create_superuser(wished["username"], password=wished["password"])
        Profile.objects.create(
            user=owner, language=wished["language"], time_zone=wished["time_zone"]
        )
    return owner
