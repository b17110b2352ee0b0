"""The reader's own language and time zone for every page that they ask for."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

from watchlist.selectors.reader import Reader, reader_of

_Answer = Callable[[HttpRequest], HttpResponseBase]


class ReaderMiddleware:
    """Sets `request.reader`; None for somebody who is not signed in.

    Stands after authentication, and after Django's own choice of a language by the browser's wish,
    which holds for those who have chosen none.
    """

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as the reader wants it."""
        user = request.user
        reader = reader_of(user.pk) if user.is_authenticated else None
        request.reader = reader  # type: ignore[attr-defined]  # read through `reader_on`
        if reader is not None and reader.language in dict(settings.LANGUAGES):
            translation.activate(reader.language)
            request.LANGUAGE_CODE = translation.get_language()
        with timezone.override(zone_of(reader)):
            return self._get_response(request)


def reader_on(request: HttpRequest) -> Reader | None:
    """Whose page this is; None for nobody in particular."""
    return getattr(request, "reader", None)


def zone_of(reader: Reader | None) -> zoneinfo.ZoneInfo | None:
    """The reader's time zone; None when none was chosen or the machine does not know it."""
    if reader is None or not reader.time_zone:
        return None
    try:
        return zoneinfo.ZoneInfo(reader.time_zone)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None
