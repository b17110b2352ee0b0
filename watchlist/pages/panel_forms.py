"""The forms of the settings pages; what is valid in shape goes to a service."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final
from zoneinfo import available_timezones

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.contrib.auth.validators import UnicodeUsernameValidator
from django.utils.translation import gettext_lazy as _

from downloads.models import Limiter
from watchlist.models import Profile
from watchlist.services.preferences import CAP, INTERVAL_HOURS
from watchlist.services.tokens import LIFETIMES_DAYS

BYTES_PER_MEGABYTE: Final = 1_000_000
_SWITCH: Final = {"role": "switch"}
# What the zone database has for machines, not for people.
_ODD_ZONES: Final = ("Etc/", "SystemV/", "US/", "posix/", "right/")


def _switch(label: Any, help_text: Any) -> forms.BooleanField:
    widget = forms.CheckboxInput(attrs=dict(_SWITCH))
    return forms.BooleanField(label=label, help_text=help_text, required=False, widget=widget)


class GlobalForm(forms.Form):
    """The settings of the contract."""

    auto_download_enabled = _switch(
        _("Download new episodes automatically"),
        _("Off: new episodes are listed, and nothing is downloaded by itself for anybody."),
    )
    notify_on_new_episodes = _switch(
        _("Announce new episodes"),
        _("A notice in the page for everybody who follows the series."),
    )
    include_completed_anime = _switch(
        _("Check completed series too"),
        _("For series that people marked as completed and that may still go on."),
    )
    check_interval_hours = forms.IntegerField(
        label=_("Hours between two checks"),
        min_value=INTERVAL_HOURS[0],
        max_value=INTERVAL_HOURS[1],
        help_text=_("From 1 to 168. Checks are spread, so that a site is never asked all at once."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    max_concurrent_auto_downloads = forms.IntegerField(
        label=_("Automatic downloads at a time"),
        min_value=CAP[0],
        max_value=CAP[1],
        help_text=_("From 1 to 16. What you start by hand does not count."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )


class LimitsForm(forms.Form):
    """How fast and at which hours downloads may run."""

    speed_limit = forms.DecimalField(
        label=_("Speed limit in MB/s"),
        required=False,
        min_value=Decimal("0.05"),
        max_value=Decimal(100_000),
        max_digits=9,
        decimal_places=2,
        help_text=_("For all downloads together. Empty: as fast as it goes."),
        widget=forms.NumberInput(attrs={"inputmode": "decimal", "step": "0.05"}),
    )
    window_start = forms.TimeField(
        label=_("Only from"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    window_end = forms.TimeField(
        label=_("until"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )

    @classmethod
    def of(cls, limits: Limiter) -> LimitsForm:
        """The form with what holds now."""
        rate = limits.rate_limit_bps
        return cls(
            initial={
                "speed_limit": None if rate is None else Decimal(rate) / BYTES_PER_MEGABYTE,
                "window_start": limits.window_start,
                "window_end": limits.window_end,
            }
        )

    def clean(self) -> dict[str, Any]:
        """Both hours or none."""
        values = super().clean() or {}
        start, end = values.get("window_start"), values.get("window_end")
        if (start is None) != (end is None) and not self.errors:
            self.add_error(
                "window_end" if end is None else "window_start",
                _("Give both hours, or none for the whole day."),
            )
        elif start is not None and start == end:
            self.add_error("window_end", _("The two hours must differ."))
        return values

    @property
    def rate_limit_bps(self) -> int | None:
        """Bytes a second; None without a limit. Only of a valid form."""
        limit = self.cleaned_data["speed_limit"]
        return None if limit is None else int(limit * BYTES_PER_MEGABYTE)


class ProviderForm(forms.Form):
    """Where a provider is to be found."""

    base_url = forms.CharField(
        label=_("Address"),
        required=False,
        max_length=500,
        help_text=_("Empty: the address that the program knows."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )


class NewUserForm(forms.Form):
    """An account without a password; its owner sets one through a link."""

    username = forms.CharField(
        label=_("User name"),
        max_length=150,
        validators=[UnicodeUsernameValidator()],
        help_text=_("Letters, digits and @ . + - _ only."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "none"}),
    )
    is_administrator = _switch(
        _("Administrator"), _("May change the settings for everybody and look after users.")
    )

    def clean_username(self) -> str:
        """Not taken, in any spelling."""
        name = str(User.normalize_username(self.cleaned_data["username"]))
        if User.objects.filter(username__iexact=name).exists():
            raise forms.ValidationError(_("This user name is taken."), code="unique")
        return name


class AccountForm(forms.ModelForm):  # type: ignore[type-arg]  # no subscript at run time
    """How the pages are shown to this user."""

    language = forms.ChoiceField(label=_("Language"), required=False)
    time_zone = forms.ChoiceField(
        label=_("Time zone"), required=False, help_text=_("All times are shown in it.")
    )

    class Meta:
        model = Profile
        fields = ("language", "time_zone", "theme", "shortcuts_enabled")
        widgets = {
            "theme": forms.RadioSelect,
            "shortcuts_enabled": forms.CheckboxInput(attrs=dict(_SWITCH)),
        }
        labels = {"theme": _("Colours"), "shortcuts_enabled": _("Keyboard shortcuts")}
        help_texts = {"shortcuts_enabled": _("Press ? to see them all.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        language, zone = self.fields["language"], self.fields["time_zone"]
        if isinstance(language, forms.ChoiceField) and isinstance(zone, forms.ChoiceField):
            language.choices = [("", _("As the browser says")), *settings.LANGUAGES]
            zone.choices = [("", settings.TIME_ZONE), *((name, name) for name in time_zones())]


class TokenForm(forms.Form):
    """What a new API token is called and how long it lasts."""

    name = forms.CharField(
        label=_("Name"),
        max_length=80,
        help_text=_("What will use it, so that you can tell your tokens apart."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    days = forms.TypedChoiceField(
        label=_("Ends after"), coerce=lambda text: int(text) if text != "never" else None
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        days = self.fields["days"]
        if isinstance(days, forms.ChoiceField):
            days.choices = [
                (str(count), _("%(count)s days") % {"count": count})
                if count
                else ("never", _("never"))
                for count in LIFETIMES_DAYS
            ]
        self.initial.setdefault("days", "90")


def time_zones() -> list[str]:
    """The zones that people know, in order."""
    return sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(_ODD_ZONES)
    )
