"""The one door for requests to sites: egress guard, total deadline, size limits, plain errors.

The only module that imports `requests`. Redirects are followed by hand, so that every hop passes
the same checks. A shared urllib3 pool keeps connections alive over threads; cookies are never kept,
and neither proxies, netrc nor other settings of the machine are read.
"""

from __future__ import annotations

import contextlib
import functools
import os
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException
from typing import Any
from urllib.parse import SplitResult, urljoin

import requests
import requests.adapters
from requests.structures import CaseInsensitiveDict
from urllib3.exceptions import HTTPError

from providers import addresses, answers
from providers.bodies import read_body
from providers.connections import POOL_CLASSES, Exchange, tls_context
from providers.errors import EgressRefused, ProviderError, TooLarge, Unreachable
from providers.safe_url import EgressPolicy, check_url
from providers.types import PageValidator
from providers.user_agent import USER_AGENT

MAX_REDIRECTS = 5
_ERROR_BODY_BYTES = 65_536
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


class _GuardedAdapter(requests.adapters.HTTPAdapter):
    """requests' transport over guarded connections and one shared TLS context."""

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, ssl_context=tls_context(), **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOL_CLASSES

    def get_connection_with_tls_context(self, request: Any, *_args: Any, **_kwargs: Any) -> Any:
        return self.poolmanager.connection_from_url(request.url)

    def cert_verify(self, *_args: Any, **_kwargs: Any) -> None:
        # The shared context verifies; the base would read the authorities again each time.
        return None

    def proxy_manager_for(self, *_args: Any, **_kwargs: Any) -> Any:
        raise EgressRefused("Proxies are not used.")


@functools.cache
def _transport(_process_id: int) -> _GuardedAdapter:
    """One per process: a forked child must not share its parent's connections."""
    return _GuardedAdapter(pool_connections=32, pool_maxsize=32)


@dataclass(slots=True)
class Request:
    """What is to be sent, as `prepare` makes it; changed from hop to hop."""

    method: str
    url: str
    parts: SplitResult
    headers: dict[str, str]
    max_bytes: int
    body: bytes | None = None
    known: PageValidator | None = None
    encoding: str | None = None
    hop_statuses: list[int] = field(default_factory=list)


def fetch_bytes(
    url: str, policy: EgressPolicy, *, max_bytes: int, deadline_seconds: float
) -> answers.FetchedPage:
    """GET any one address, such as a poster, through the same door; no pace, nothing remembered.

    Raises the ProviderError family, as `SiteClient` does.
    """
    return fetch(prepare("GET", url, max_bytes), policy, deadline_seconds)


def prepare(
    method: str,
    url: str,
    max_bytes: int,
    *,
    headers: Mapping[str, str] | None = None,
    params: Mapping[str, str] | None = None,
    known: PageValidator | None = None,
) -> Request:
    """A request to one absolute address; `known` makes it conditional. Raises EgressRefused."""
    clean, parts = _checked(url, params)
    sent = {"User-Agent": USER_AGENT, "Accept": "*/*", "Accept-Encoding": "gzip"}
    sent.update(headers or {})
    return Request(method, clean, parts, sent, max_bytes, known=known)


def fetch(request: Request, policy: EgressPolicy, deadline_seconds: float) -> answers.FetchedPage:
    """Send a request and follow its redirects; `request` is then the one that was answered.

    Raises the ProviderError family, as `SiteClient` does.
    """
    exchange = Exchange(policy, deadline_seconds)
    try:
        with exchange:
            response, content = _follow(request, exchange)
    except ProviderError:
        raise
    except (requests.RequestException, HTTPError, HTTPException, OSError, zlib.error) as error:
        raise _unreachable(error, exchange) from error
    except ValueError as error:
        raise EgressRefused("The request could not be built from this address.") from error
    return answers.read_page(
        status=response.status_code,
        url=request.url,
        headers=response.headers,
        content=content,
        known=request.known,
        encoding=request.encoding,
    )


def _checked(url: str, params: Mapping[str, str] | None = None) -> tuple[str, SplitResult]:
    """The URL as it will be sent: percent-encoded, its host in ASCII. Raises EgressRefused."""
    if _CONTROL.search(url):
        raise EgressRefused("The address contains spaces, control characters or backslashes.")
    prepared = requests.PreparedRequest()
    try:
        prepared.prepare_url(url.strip(), params)
    except (requests.RequestException, HTTPError, ValueError):
        raise EgressRefused("The address is not a valid URL.") from None
    clean = prepared.url or ""
    return clean, check_url(clean)


def _unreachable(error: Exception, exchange: Exchange) -> Unreachable:
    if exchange.is_over or isinstance(error, requests.Timeout):
        return Unreachable("The site did not answer in time.")
    if isinstance(error, requests.exceptions.SSLError):
        return Unreachable("The site's certificate could not be verified, or TLS failed.")
    return Unreachable("The site could not be reached, or broke off its answer.")


def _follow(request: Request, exchange: Exchange) -> tuple[requests.Response, bytes]:
    """Send, following redirects; the final answer with its whole body."""
    while True:
        response = _send(request, exchange)
        try:
            if response.status_code not in _REDIRECTS:
                return response, _read_answer(response, exchange, request.max_bytes)
            _redirect(request, response)
        finally:
            # What was read to its end went back to the pool already; the rest is not worth keeping.
            response.raw.close()
            response.raw.release_conn()


def _send(request: Request, exchange: Exchange) -> requests.Response:
    """One hop; once more when a kept-alive connection turns out to be closed."""
    transport = _transport(os.getpid())
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url = request.method, request.url
    prepared.headers = CaseInsensitiveDict(request.headers)
    if request.known is not None:
        prepared.headers.update(answers.conditions(request.known, request.url))
    prepared.body = request.body
    if request.body is not None:
        prepared.headers["Content-Length"] = str(len(request.body))
    while True:
        exchange.start_hop()
        try:
            seconds = exchange.remaining_seconds()
            return transport.send(prepared, stream=True, timeout=(seconds, seconds))
        except requests.ConnectionError:
            if not exchange.is_reused or request.method != "GET":
                raise


def _redirect(request: Request, response: requests.Response) -> None:
    """Turn the request into the next hop. Raises EgressRefused and Unreachable."""
    if len(request.hop_statuses) >= MAX_REDIRECTS:
        raise Unreachable("The site redirects too often.")
    request.hop_statuses.append(response.status_code)
    location = (
        response.headers.get("Location", "").encode("latin-1", "replace").decode("utf-8", "replace")
    )
    if not location:
        raise Unreachable("The site redirects to nowhere.")
    old = request.parts
    request.url, request.parts = _checked(_joined(request.url, location))
    if old.scheme == "https" and request.parts.scheme == "http":
        raise EgressRefused("The site redirects from https to http, which is not followed.")
    if response.status_code not in {307, 308} and request.method == "POST":
        request.method, request.body = "GET", None
        request.headers.pop("Content-Type", None)
    if addresses.origin(old) != addresses.origin(request.parts):
        _drop_private_headers(request)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError:
        raise EgressRefused("The address is not a valid URL.") from None


def _drop_private_headers(request: Request) -> None:
    """Another origin learns nothing that was meant for the first one."""
    kept = {"user-agent", "accept", "accept-encoding"}
    if request.method == "POST":
        kept.add("content-type")
    request.headers = {
        name: value for name, value in request.headers.items() if name.lower() in kept
    }


def _read_answer(response: requests.Response, exchange: Exchange, max_bytes: int) -> bytes:
    """The decoded body of a success. Raises the error that any other answer means."""
    status, headers = response.status_code, response.headers
    if answers.error_for(status, headers, b"") is not None:
        content = b""
        with contextlib.suppress(ProviderError, HTTPError, HTTPException, zlib.error):
            content = read_body(response.raw, exchange, _ERROR_BODY_BYTES)
        error = answers.error_for(status, headers, content)
        if error is not None:
            raise error
    length = headers.get("Content-Length")
    if length is not None and not re.fullmatch(r"[0-9]{1,18}", length.strip()):
        raise Unreachable("The site's answer has no valid length.")
    if length is not None and int(length) > max_bytes:
        raise TooLarge(f"The answer is larger than {max_bytes:,} bytes.")
    content = read_body(response.raw, exchange, max_bytes)
    is_delimited = length is not None or "Transfer-Encoding" in headers
    if not content and not is_delimited and status == HTTPStatus.OK:
        # A connection lost within the headers looks like this, too.
        raise Unreachable("The site broke off its answer.")
    return content
