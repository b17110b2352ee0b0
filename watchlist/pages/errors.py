"""Error pages in the reader's language; none of them needs the database."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils import translation
from django.views.decorators.csrf import requires_csrf_token

# What a program is told; people get a page.
_API_WORDS: Final = {
    400: ("This request cannot be understood.", "bad_request"),
    403: ("You may not do this.", "forbidden"),
    404: ("Not found.", "not_found"),
    500: ("Something went wrong on our side.", "server_error"),
}


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400."""
    del exception
    return _answer(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403."""
    del exception
    return _answer(request, 403)


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404."""
    del exception
    return _answer(request, 404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500."""
    return _answer(request, 500)


@requires_csrf_token
def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form without a valid token."""
    del reason
    return _answer(request, 403, "403_csrf.html")


def _answer(request: HttpRequest, status: int, template: str = "") -> HttpResponse:
    if request.path_info.startswith("/api/"):
        detail, code = _API_WORDS[status]
        return JsonResponse({"detail": detail, "code": code}, status=status)
    language = _language_of(request)
    with translation.override(language):
        page = loader.get_template(template or f"{status}.html").render({"language": language})
    return HttpResponse(page, status=status, headers={"Cache-Control": "no-store"})


def _language_of(request: HttpRequest) -> str:
    """What a middleware found, else what the browser asks for."""
    found = getattr(request, "LANGUAGE_CODE", "")
    if found:
        return str(found)
    try:
        return translation.get_language_from_request(request)
    except Exception:  # noqa: BLE001 -- whatever is wrong with the request, the page must come
        return str(settings.LANGUAGE_CODE)
