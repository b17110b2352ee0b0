"""The reader's own language and time zone for every page; what no page can understand."""

from __future__ import annotations

import logging
import zoneinfo
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.exceptions import BadRequest
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import timezone, translation

from watchlist.models import GONE
from watchlist.pages.errors import bad_request
from watchlist.selectors.reader import Reader, reader_of

logger = logging.getLogger(__name__)

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


class RemovedMeanwhileMiddleware:
    """Answers 404 when what a page is about was removed while it was being answered."""

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as ever; Django calls the method below."""
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """Let Django answer as for what never existed."""
        del request
        if isinstance(error, GONE):
            raise Http404 from error


class StrangeInputMiddleware:
    """Answers 400 to pages' input that leads to an error of ours, wherever it would be read.

    The API looks at its input by itself, and names the field.
    """

    def __init__(self, get_response: _Answer) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer as ever; Django calls the methods below."""
        return self._get_response(request)

    def process_view(self, request: HttpRequest, *_view: Any) -> None:
        """Refuse queries and forms with a NUL, which PostgreSQL takes in no text."""
        if request.path_info.startswith("/api/"):
            return
        for sent in (request.GET, request.POST):
            if any("\0" in text for name, texts in sent.lists() for text in (name, *texts)):
                raise BadRequest("The request has a NUL in it.")

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Refuse queries to the administration that only the database finds to be wrong.

        Its addresses name columns and values freely, and not every value is a year, for example.
        """
        place = request.resolver_match
        is_query = request.method == "GET" and bool(request.GET)
        if place is None or place.app_name != "admin" or not is_query:
            return None
        if not isinstance(error, ValueError | OverflowError | DataError):
            return None
        logger.warning("The administration could not be asked this: %s", error)
        return bad_request(request, error)


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
