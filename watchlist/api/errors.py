"""The one place where errors become answers: `{"field": [...]}`, or `{"detail", "code"}`."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.utils.translation import gettext as _
from rest_framework import status
from rest_framework.exceptions import APIException, NotFound, ParseError, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler

from downloads.queue import NotLegalNow
from providers.errors import (
    EgressRefused,
    NotASeries,
    ProviderDisabled,
    ProviderError,
    UnknownProvider,
)
from watchlist import faults
from watchlist.models import GONE
from watchlist.services import asking
from watchlist.services.downloads import SharedDownload
from watchlist.services.items import AlreadyFollowed, NoSuchLanguage

logger = logging.getLogger(__name__)


class Refused(APIException):
    """The request was understood and cannot be done; 409 unless said otherwise."""

    def __init__(
        self,
        detail: str,
        code: str,
        *,
        status_code: int = status.HTTP_409_CONFLICT,
        **facts: str,
    ) -> None:
        super().__init__(detail, code)
        self.status_code = status_code
        self.facts = facts


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Answer for an error; None for a mistake of ours, which Django then reports."""
    known = _as_api_error(error)
    response = drf_exception_handler(known, context)
    if response is not None and isinstance(known, APIException):
        response.data = _body(known)
    return response


def provider_refusal(error: ProviderError, *, url_field: str) -> APIException:
    """What a provider's error says about the request; `url_field` names the field with the URL."""
    text = faults.told(error)
    if isinstance(error, asking.Busy):
        return Throttled(asking.TRY_AGAIN_SECONDS, text, error.code)
    if isinstance(error, UnknownProvider | ProviderDisabled):
        return ValidationError({"provider_id": [text]})
    if isinstance(error, NotASeries | EgressRefused):
        return ValidationError({url_field: [text]})
    return Refused(text, error.code, status_code=status.HTTP_400_BAD_REQUEST)


def _as_api_error(error: Exception) -> Exception:
    if isinstance(error, APIException):
        return error
    if isinstance(error, (Http404, *GONE)):
        return NotFound()
    return _domain_error(error) or _outer_error(error) or error


def _domain_error(error: Exception) -> APIException | None:
    if isinstance(error, AlreadyFollowed):
        return Refused(
            _("You already follow this series."), "already_followed", item_id=str(error.item.pk)
        )
    if isinstance(error, NoSuchLanguage):
        return ValidationError({"lang": [str(error)]})
    if isinstance(error, NotLegalNow):
        text = _("This is not possible while the download is %(state)s.") % {"state": error.state}
        return Refused(text, "not_legal_now")
    if isinstance(error, SharedDownload):
        return Refused(str(error), "shared")
    if isinstance(error, ProviderError):
        return provider_refusal(error, url_field="anime_url")
    return None


def _outer_error(error: Exception) -> APIException | None:
    if isinstance(error, IntegrityError):
        # Two requests wanted the same row; the other one was first.
        return Refused(_("This has just been done by another request."), "conflict")
    if isinstance(error, DataError):
        logger.warning("The database refused a value: %s", error)
        return ParseError(_("A value cannot be stored."))
    if isinstance(error, OperationalError | InterfaceError):
        logger.error("The database does not answer: %s", error)
        return Refused(
            _("The database does not answer. Try again in a moment."),
            "unavailable",
            status_code=status.HTTP_503_SERVICE_UNAVAILABLE,
        )
    if isinstance(
        error, SuspiciousOperation | BadRequest | MultiPartParserError | UnreadablePostError
    ):
        return ParseError(_("The request could not be read."))
    return None


def _body(error: APIException) -> dict[str, Any]:
    detail = error.detail
    if isinstance(detail, dict):
        fields = {str(name): _messages(entry) for name, entry in detail.items()}
        general = fields.pop("non_field_errors", [])
        return fields or {"detail": " ".join(general), "code": "invalid"}
    if isinstance(detail, list):
        return {"detail": " ".join(_messages(detail)), "code": "invalid"}
    facts = error.facts if isinstance(error, Refused) else {}
    return {"detail": str(detail), "code": detail.code, **facts}


def _messages(detail: Any) -> list[str]:
    """All messages below, in one flat list: a field's errors may be nested by position."""
    if isinstance(detail, dict):
        return [text for entry in detail.values() for text in _messages(entry)]
    if isinstance(detail, list):
        return list(dict.fromkeys(text for entry in detail for text in _messages(entry)))
    return [str(detail)]
