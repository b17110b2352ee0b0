"""Fields that are stricter than DRF's: text is cleaned, booleans and integers are not guessed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NoReturn

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import serializers

from providers.errors import EgressRefused
from providers.safe_url import MAX_URL_LENGTH, check_url
from providers.text import clean_text
from watchlist import faults
from watchlist.api.values import moment, number

MAX_GENRES: Final = 50
MAX_GENRE_LENGTH: Final = 60


class CleanCharField(serializers.CharField):
    """Text without control, bidirectional and invisible characters; too long is an error."""

    def __init__(self, *, multiline: bool = False, **options: Any) -> None:
        self._multiline = multiline
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> str:
        """Clean first, so that text of nothing but invisible characters counts as empty."""
        text = super().to_internal_value(data)
        cleaned = clean_text(text, max(len(text), 1), multiline=self._multiline)
        if not cleaned and not self.allow_blank:
            self.fail("blank")
        return cleaned


class WebAddressField(CleanCharField):
    """An http(s) address that a request could be sent to."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=MAX_URL_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        """Refuse what parsers disagree on; nothing is resolved or asked here."""
        cleaned = super().to_internal_value(data)
        if cleaned != str(data).strip():
            raise serializers.ValidationError(_("The address contains characters it may not."))
        if cleaned:
            try:
                check_url(cleaned)
            except EgressRefused as error:
                raise serializers.ValidationError(faults.told(error)) from error
        return cleaned


class StrictBooleanField(serializers.BooleanField):
    """JSON true or false; "yes", 1 and the like are refused."""

    def to_internal_value(self, data: Any) -> bool:
        """Take a real boolean only."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class RangedIntegerField(serializers.IntegerField):
    """A whole number in a range; every refusal names the range."""

    default_error_messages = {
        "range": gettext_lazy("Must be a whole number from {least} to {most}.")
    }

    def __init__(self, *, least: int, most: int, **options: Any) -> None:
        self._least, self._most = least, most
        super().__init__(min_value=least, max_value=most, **options)

    def to_internal_value(self, data: Any) -> int:
        """Take a JSON number only; 6.0 is 6."""
        is_whole = isinstance(data, int | float) and not isinstance(data, bool) and data % 1 == 0
        if not is_whole or not self._least <= data <= self._most:
            self.fail("range")
        return int(data)

    def fail(self, key: str, **facts: Any) -> NoReturn:
        """Name the range, for null too."""
        key = "range" if key == "null" else key
        super().fail(key, least=self._least, most=self._most, **facts)


class EpisodeNumberField(serializers.DecimalField):
    """An episode's number: 0 or more, up to three decimals; answered as a JSON number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_digits=10, decimal_places=3, min_value=Decimal(0), **options)

    def to_representation(self, value: Decimal) -> Any:
        """Write 7 as 7 and 12.5 as 12.5."""
        return number(value)


class MomentField(serializers.DateTimeField):
    """A time in UTC, read only."""

    def to_representation(self, value: datetime) -> Any:
        """Write it with a Z, whatever the active time zone is."""
        return moment(value)


class GenresField(serializers.ListField):
    """A list of short texts; one text with commas is taken apart."""

    def __init__(self, **options: Any) -> None:
        child = CleanCharField(max_length=MAX_GENRE_LENGTH)
        super().__init__(child=child, max_length=MAX_GENRES, **options)

    def to_internal_value(self, data: Any) -> list[str]:
        """Take it apart, and drop what is empty or repeated."""
        if isinstance(data, str):
            data = data.split(",")
        if isinstance(data, list):
            data = [entry for entry in data if not isinstance(entry, str) or clean_text(entry, 1)]
        return list(dict.fromkeys(super().to_internal_value(data)))


class ChoicesField(serializers.CharField):
    """One or several of a few words, separated by commas."""

    default_error_messages = {"choice": gettext_lazy('"{word}" is not one of {choices}.')}

    def __init__(self, choices: Sequence[str], **options: Any) -> None:
        self._choices = tuple(choices)
        super().__init__(help_text=", ".join(self._choices), **options)

    def to_internal_value(self, data: Any) -> Any:
        """Take the words apart; one that is unknown refuses all."""
        words = [word.strip() for word in super().to_internal_value(data).split(",")]
        for word in words:
            if word not in self._choices:
                self.fail("choice", word=clean_text(word, 40), choices=", ".join(self._choices))
        return tuple(words)
