"""The forms of following a series and of its settings; the values they give are valid in shape."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from watchlist.decisions import plain_number
from watchlist.models import ItemStatus, Quality, WatchlistItem

START_ALL, START_NEXT, START_NUMBER = "all", "next", "number"
MAX_NUMBER: Final = 100_000
MAX_URL: Final = 2000


def _capital(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    return [(key, capfirst(text)) for key, text in choices]


class ItemSettingsForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What the user decided for one series."""

    auto_download = forms.BooleanField(
        label=_("Download new episodes"),
        help_text=_("When off, new episodes are listed but you start each download yourself."),
        required=False,
        widget=forms.CheckboxInput({"role": "switch"}),
    )
    quality_preference = forms.ChoiceField(label=_("Quality"), choices=_capital(Quality.choices))
    status = forms.ChoiceField(label=_("Status"), choices=_capital(ItemStatus.choices))
    start = forms.DecimalField(
        label=_("Start after episode"),
        help_text=_("Episodes up to this one are never downloaded by themselves. Empty: all are."),
        required=False,
        min_value=0,
        max_value=MAX_NUMBER,
        decimal_places=3,
        widget=forms.NumberInput({"inputmode": "decimal", "step": "any"}),
    )

    class Meta:
        model = WatchlistItem
        fields = ("anime_title", "auto_download", "quality_preference", "status")
        labels = {"anime_title": _("Title")}

    def __init__(self, *given: Any, **options: Any) -> None:
        super().__init__(*given, **options)
        item = self.instance
        if item.series.has_seasons and item.last_season_downloaded is not None:
            self.fields["start"].help_text = gettext(
                "An episode of season %(season)s: it and all before it are never downloaded by"
                " themselves. Another number means the last season that has it. Empty: all are."
            ) % {"season": item.last_season_downloaded}

    def changes(self) -> dict[str, Any]:
        """The columns as they were wished."""
        given = dict(self.cleaned_data)
        given["last_episode_downloaded"] = given.pop("start")
        return given


def start_of(item: WatchlistItem) -> dict[str, str]:
    """The start point as people write it, for the form's beginning."""
    last = item.last_episode_downloaded
    return {"start": "" if last is None else plain_number(last)}


class FollowForm(forms.Form):
    """What to follow, and where to begin."""

    provider_id = forms.CharField(max_length=40, widget=forms.HiddenInput())
    url = forms.CharField(max_length=MAX_URL, widget=forms.HiddenInput())
    lang = forms.CharField(max_length=20, required=False)
    start = forms.ChoiceField(
        choices=[(START_ALL, ""), (START_NEXT, ""), (START_NUMBER, "")], initial=START_ALL
    )
    number = forms.DecimalField(required=False, min_value=0, max_value=MAX_NUMBER, decimal_places=3)
    latest = forms.DecimalField(required=False, min_value=0, max_value=MAX_NUMBER, decimal_places=3)
    quality = forms.ChoiceField(choices=Quality.choices, initial=Quality.AUTO)
    auto_download = forms.BooleanField(required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        """A choice that needs a number has one."""
        given = super().clean() or {}
        is_missing = given.get("number") is None and not self.has_error("number")
        if given.get("start") == START_NUMBER and is_missing:
            self.add_error("number", _("Say from which episode on."))
        return given

    def last_episode(self) -> Decimal | None:
        """The highest episode that is not wanted; None when all are."""
        start = self.cleaned_data["start"]
        if start == START_NEXT:
            return Decimal(self.cleaned_data["latest"] or 0)
        if start == START_NUMBER:
            return before(self.cleaned_data["number"])
        return None


def before(number: Decimal) -> Decimal | None:
    """Just below this number, so that it is the first one wanted; 12.5 is wanted from 12.5 on."""
    if number <= 0:
        return None
    whole = number.to_integral_value()
    return number - 1 if number == whole else number - Decimal("0.001")
