"""Who guesses passwords is kept out for a while: by whom it is counted, and what they are told."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any, Final

from axes.attempts import get_cool_off_threshold
from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

# Over all names, from one public address: a household that shares one does not come near it.
MAX_FAILURES_OF_ADDRESS: Final = 60
_TOO_MANY_REQUESTS: Final = 429


class SignInLimits(AxesDatabaseHandler):  # type: ignore[misc]  # axes has no types
    """Counts failures by name and address, and more patiently by the address alone."""

    def is_locked(self, request: Any, credentials: dict[str, Any] | None = None) -> bool:
        """Whether this name, or whoever is at this address, has failed too often."""
        return super().is_locked(request, credentials) or _failures_of_address(request) >= (
            MAX_FAILURES_OF_ADDRESS
        )


def _failures_of_address(request: Any) -> int:
    address = request.axes_ip_address
    if not address or not ip_address(address).is_global:
        # One of this machine or network may be that of a proxy which nobody told us of, and then
        # it is everybody's.
        return 0
    lately = AccessAttempt.objects.filter(
        ip_address=address, attempt_time__gte=get_cool_off_threshold(request)
    )
    return lately.aggregate(count=Sum("failures_since_start"))["count"] or 0


def client_address(request: HttpRequest) -> str | None:
    """Where the request came from; behind our proxy, what the proxy says.

    The proxy adds the address that it saw at the end of the list. What stands before may be the
    client's own invention.
    """
    sender: str = request.META.get("REMOTE_ADDR", "")
    if settings.BEHIND_HTTPS_PROXY:
        seen = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
        return _valid(seen) or _valid(sender)
    return _valid(sender)


def _valid(text: str) -> str | None:
    # The database takes no zone of an address, as in fe80::1%eth0.
    try:
        return str(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def response(
    request: HttpRequest,
    original_response: HttpResponse | None = None,
    credentials: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """Answer to too many wrong passwords, for API clients and for people."""
    del credentials
    text = _("Too many failed attempts. Try again in 15 minutes.")
    if request.path.startswith("/api/"):
        told: HttpResponse = JsonResponse({"detail": text, "code": "throttled"})
    else:
        form = getattr(original_response, "context_data", None) or {}
        told = render(request, "registration/login.html", form | {"locked_out": text})
    told.status_code = _TOO_MANY_REQUESTS
    told["Retry-After"] = str(int(settings.AXES_COOLOFF_TIME.total_seconds()))
    return told
