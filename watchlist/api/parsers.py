"""A JSON parser that takes nothing a database, a page or the stack could stumble over."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import IO, Any, Final

from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import JSONRenderer

MAX_BYTES: Final = 1_000_000
MAX_DEPTH: Final = 20
# More digits than any number that means something here.
MAX_DIGITS: Final = 18
MOST_DIGITS: Final = 400
_FORBIDDEN: Final = re.compile("[\x00\ud800-\udfff]")


class StrictJSONParser(BaseParser):
    """At most 1 MB and 20 levels; no NUL, lone surrogate, NaN, infinity or endless number."""

    media_type = "application/json"
    renderer_class = JSONRenderer

    def parse(
        self,
        stream: IO[Any],
        media_type: str | None = None,  # noqa: ARG002 - DRF's signature
        parser_context: Mapping[str, Any] | None = None,  # noqa: ARG002 - DRF's signature
    ) -> dict[str, Any]:
        """Read one JSON object. Raises ParseError."""
        try:
            body = stream.read(MAX_BYTES + 1)
        except (UnreadablePostError, OSError) as error:
            raise ParseError(_("The body could not be read.")) from error
        if len(body) > MAX_BYTES:
            raise ParseError(_("The body is larger than 1 MB."))
        try:
            value = json.loads(
                body.decode(),
                parse_float=_finite,
                parse_int=_short,
                parse_constant=_refuse_constant,
            )
        except RecursionError as error:
            raise ParseError(_("The JSON is nested too deep.")) from error
        except ValueError as error:
            raise ParseError(_("The body is not valid JSON.")) from error
        if not isinstance(value, dict):
            raise ParseError(_("The body must be a JSON object."))
        _check_fields(value)
        return value


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def _short(text: str) -> int | Decimal:
    if len(text) > MOST_DIGITS:
        raise ValueError("too many digits")
    # No field takes this many, and each says so in its own words.
    return int(text) if len(text) <= MAX_DIGITS else Decimal(text)


def _refuse_constant(text: str) -> float:
    raise ValueError(text)


def _check_fields(body: dict[str, Any]) -> None:
    """Refuse what is nested too deep, and name the field with a text that cannot be stored."""
    for name, value in body.items():
        try:
            _check(name, MAX_DEPTH)
            _check(value, MAX_DEPTH - 1)
        except _NoText as error:
            text = _("Text may not contain NUL or half characters.")
            if _FORBIDDEN.search(name):
                raise ParseError(text) from error
            raise ValidationError({name: [text]}) from error


class _NoText(Exception):
    """A text holds what cannot be stored."""


def _check(value: Any, depth: int) -> None:
    if depth == 0:
        raise ParseError(_("The JSON is nested too deep."))
    if isinstance(value, str):
        if _FORBIDDEN.search(value):
            raise _NoText
    elif isinstance(value, list):
        for entry in value:
            _check(entry, depth - 1)
    elif isinstance(value, dict):
        for name, entry in value.items():
            _check(name, depth)
            _check(entry, depth - 1)
