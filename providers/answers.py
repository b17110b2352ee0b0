"""Reading an HTTP answer: errors by status, challenge pages, character sets, the digest of a body.

Pure functions and the page value of the HTTP door; plain Python, no network.
"""

from __future__ import annotations

import codecs
import hashlib
import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from urllib.parse import urlsplit

from providers.errors import (
    Blocked,
    LayoutChanged,
    NotFound,
    ProviderError,
    RateLimited,
    Unreachable,
)
from providers.types import PageValidator

MAX_RETRY_AFTER_SECONDS = 6 * 3600.0
_MAX_VALIDATOR_LENGTH = 500
# The marks that challenge pages of Cloudflare and DDoS-Guard carry. The plain detection script
# ("jsd") is part of ordinary pages too and therefore no mark.
_CHALLENGE = re.compile(
    rb"<title>\s*just a moment\.\.\.|cf-browser-verification|__cf_chl|cf_chl_opt"
    rb"|challenge-platform(?!(?:/h/\w)?/scripts/jsd)|ddos-guard/js-challenge|data-ddg-origin"
)
# The expression is asked only where one of these stands: it is slow, and every page is looked at.
_CHALLENGE_SIGNS = (
    b"just a moment",
    b"cf-browser",
    b"cf_chl",
    b"challenge-platform",
    b"ddos-guard/js",
    b"data-ddg",
)
_CHALLENGE_SEARCH_BYTES = 200_000
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([A-Za-z0-9_.:-]{1,40})", re.IGNORECASE)
# A page may say its character set by itself (WHATWG HTML section 13.2.3.2 looks as far).
_META = re.compile(rb"<meta\b[^<>]{0,200}", re.IGNORECASE)
_META_SEARCH_BYTES = 1024
# Python also has codecs that are no character sets, or slow on hostile input; only these are used.
_TEXT_CODECS = re.compile(
    r"utf-8|utf-8-sig|utf-16|utf-16-[bl]e|utf-32|utf-32-[bl]e|iso8859-\d+|cp125\d|koi8-[ru]|mac-roman"
    r"|shift_jis|cp932|euc_jp|iso2022_jp|euc_kr|cp949|gb2312|gbk|gb18030|big5"
)
# Servers that say ISO-8859-1 or ASCII mean windows-1252 (WHATWG Encoding Standard, section 4.2).
_MEANS_CP1252 = frozenset({"iso8859-1", "ascii"})
_BINARY_TYPES = ("image/", "video/", "audio/", "font/")


@dataclass(slots=True)
class FetchedPage:
    """One answer, whole, decoded and bounded; what adapters know as `Page`."""

    status: int
    url: str
    content_type: str
    text: str
    content: bytes
    unchanged: bool
    validator: PageValidator

    def json(self) -> object:
        """The body as JSON. Raises LayoutChanged when it is not."""
        try:
            value: object = json.loads(self.text.removeprefix("\ufeff"), parse_constant=_refuse)
        except (ValueError, RecursionError):
            raise LayoutChanged("JSON", "The site's answer is not valid JSON.") from None
        return value


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is not JSON")


def read_page(
    *,
    status: int,
    url: str,
    headers: Mapping[str, str],
    content: bytes,
    known: PageValidator | None,
    encoding: str | None,
) -> FetchedPage:
    """Make a page of a successful answer or a 304. Raises Blocked for a challenge page."""
    content_type = headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if status == HTTPStatus.NOT_MODIFIED:
        if known is None or not conditions(known, url):
            raise Unreachable("The site said 'not modified' to a request that did not ask.")
        return _unchanged(status, url, content_type, _renewed(known, headers))
    if is_challenge(headers, content):
        raise Blocked("The site shows a challenge page instead of its content.")
    validator = PageValidator(
        etag=_header(headers, "ETag"),
        last_modified=_header(headers, "Last-Modified"),
        digest=hashlib.blake2b(content, digest_size=16).hexdigest(),
        host=urlsplit(url).netloc,
    )
    if known is not None and known.digest == validator.digest:
        return _unchanged(status, url, content_type, validator)
    text = _decode(content, headers.get("Content-Type", ""), encoding)
    return FetchedPage(
        status=status,
        url=url,
        content_type=content_type,
        text=text,
        content=content,
        unchanged=False,
        validator=validator,
    )


def conditions(known: PageValidator, url: str) -> dict[str, str]:
    """The headers that make a request to `url` conditional.

    None for another host than the known one: its pages are not those whose dates and tags we know.
    """
    if known.host != urlsplit(url).netloc:
        return {}
    headers = {"If-None-Match": known.etag, "If-Modified-Since": known.last_modified}
    return {name: value for name, value in headers.items() if value}


def _unchanged(status: int, url: str, content_type: str, validator: PageValidator) -> FetchedPage:
    return FetchedPage(
        status=status,
        url=url,
        content_type=content_type,
        text="",
        content=b"",
        unchanged=True,
        validator=validator,
    )


def _renewed(known: PageValidator, headers: Mapping[str, str]) -> PageValidator:
    return PageValidator(
        etag=_header(headers, "ETag") or known.etag,
        last_modified=_header(headers, "Last-Modified") or known.last_modified,
        digest=known.digest,
        host=known.host,
    )


def _header(headers: Mapping[str, str], name: str) -> str:
    """A header that can be stored and sent back; anything odd counts as absent."""
    value = headers.get(name, "")
    is_plain = value.isascii() and value.isprintable() and len(value) <= _MAX_VALIDATOR_LENGTH
    return value if is_plain else ""


def is_challenge(headers: Mapping[str, str], content: bytes) -> bool:
    """Whether an answer of any status is an anti-bot page."""
    if headers.get("cf-mitigated", "").lower() == "challenge":
        return True
    start = content[:_CHALLENGE_SEARCH_BYTES].removeprefix(codecs.BOM_UTF8).lstrip().lower()
    has_sign = start.startswith(b"<") and any(sign in start for sign in _CHALLENGE_SIGNS)
    return has_sign and _CHALLENGE.search(start) is not None


def error_for(status: int, headers: Mapping[str, str], content: bytes) -> ProviderError | None:
    """The error that an answer means, None when it is a success or 304."""
    if status == HTTPStatus.NOT_MODIFIED or _is_whole_success(status):
        return None
    if is_challenge(headers, content):
        return Blocked("The site shows a challenge page instead of its content.")
    wait = retry_after_seconds(headers.get("Retry-After", ""))
    is_busy = status == HTTPStatus.SERVICE_UNAVAILABLE and wait is not None
    if status == HTTPStatus.TOO_MANY_REQUESTS or is_busy:
        return RateLimited("The site asks us to slow down.", retry_after_seconds=wait)
    if status == HTTPStatus.GONE:
        return NotFound("The site says that this page is gone for good (410).")
    if status == HTTPStatus.NOT_FOUND:
        return NotFound("The site does not have this page (404).")
    if status in {401, 403, 451}:
        return Blocked(f"The site refuses to answer us ({status}).")
    return Unreachable(f"The site answered with an error ({status}).", retry_after_seconds=wait)


def _is_whole_success(status: int) -> bool:
    """Any 2xx but 206: no part of a page was asked for."""
    is_success = HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES
    return is_success and status != HTTPStatus.PARTIAL_CONTENT


def retry_after_seconds(value: str) -> float | None:
    """Seconds to wait, from a Retry-After header (RFC 9110 section 10.2.3), at most six hours."""
    value = value.strip()[:64]
    if re.fullmatch(r"[0-9]{1,10}", value):
        return min(float(value), MAX_RETRY_AFTER_SECONDS)
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - datetime.fromtimestamp(time.time(), UTC)).total_seconds()
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def _decode(content: bytes, declared: str, encoding: str | None) -> str:
    if declared.strip().lower().startswith(_BINARY_TYPES):
        return ""
    if content.startswith(codecs.BOM_UTF8):
        return content.decode("utf-8-sig", "replace")
    found = _CHARSET.search(declared)
    codec = (found and _codec(found[1])) or _own_codec(content) or (encoding and _codec(encoding))
    return content.decode(codec or "utf-8", "replace")


def _own_codec(content: bytes) -> str | None:
    for tag in _META.findall(content[:_META_SEARCH_BYTES]):
        found = _CHARSET.search(tag.decode("latin-1"))
        if found:
            codec = _codec(found[1])
            # Its own tag could not be read in one of the wide encodings.
            return None if codec and codec.startswith(("utf-16", "utf-32")) else codec
    return None


def _codec(name: str) -> str | None:
    try:
        known = codecs.lookup(name).name
    except (LookupError, ValueError):
        return None
    if known in _MEANS_CP1252:
        return "cp1252"
    return known if _TEXT_CODECS.fullmatch(known) else None
