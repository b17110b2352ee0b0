"""Questions about addresses that need no request: whose they are, and whether they look private.

Plain Python. What looks public here is still checked when a connection is opened.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from urllib.parse import SplitResult, urlsplit

from providers.errors import EgressRefused
from providers.safe_url import EgressPolicy, check_url

_DEFAULT_PORTS = {"http": 80, "https": 443}
_LOCAL_NAMES = ("localhost", "localdomain", "local", "internal", "intranet", "lan")
_REFUSAL = "The address leads to a private network that ALLOWED_PRIVATE_HOSTS does not name."


def port_of(parts: SplitResult) -> int:
    """The port that a request to this http(s) address goes to."""
    return parts.port or _DEFAULT_PORTS[parts.scheme]


def origin(parts: SplitResult) -> tuple[str, str, int]:
    """Scheme, host and port: what a request's private headers are meant for (RFC 6454)."""
    return parts.scheme, parts.hostname or "", port_of(parts)


def moved_base(base_url: str, asked: str, answered: str) -> str | None:
    """The new base address that a permanent redirect shows, None when the site has not moved.

    Only a page found under the same path on another host counts: a parked or seized domain sends
    every path to one page of its own.
    """
    base, new = urlsplit(base_url), urlsplit(answered)
    if origin(base) == origin(new) or not asked.startswith(base_url + "/"):
        return None
    wanted = urlsplit(asked[len(base_url) :]).path.rstrip("/")
    found = new.path.rstrip("/")
    if not wanted or not found.endswith(wanted):
        return None
    return f"{new.scheme}://{new.netloc}{found.removesuffix(wanted)}"


def plain_host(parts: SplitResult) -> str:
    """The host in lower case, without "www." and a trailing dot."""
    return _host(parts).removeprefix("www.")


def is_below(parts: SplitResult, base_url: str) -> bool:
    """Whether an address is on the same host and port as `base_url`, at or below its path."""
    if not base_url:
        return False
    base = urlsplit(base_url)
    is_same_host = plain_host(parts) == plain_host(base)
    # A site may answer on http and https; another explicit port is another server.
    is_same_port = parts.port == base.port or port_of(parts) == port_of(base)
    path = base.path.rstrip("/")
    return is_same_host and is_same_port and (parts.path + "/").startswith(path + "/")


def check_base_url(url: str, policy: EgressPolicy) -> None:
    """Refuse what cannot be the base of a site's addresses. Raises EgressRefused."""
    parts = check_url(url)
    if parts.query or parts.fragment or ";" in parts.path:
        raise EgressRefused("A base address has no query and no fragment.")
    refuse_private_host(parts, policy)


def refuse_private_host(parts: SplitResult, policy: EgressPolicy) -> None:
    """Refuse a host that is private by its very spelling; names are not looked up here.

    Raises EgressRefused.
    """
    host = _host(parts)
    if any(entry.hostname == host for entry in policy.allowed if entry.hostname):
        return
    address = _literal_address(host)
    if address is not None:
        if not policy.permits(address, port_of(parts)):
            raise EgressRefused(_REFUSAL)
    elif _is_local_name(host) and not (
        host == "localhost" and policy.permits("127.0.0.1", port_of(parts))
    ):
        raise EgressRefused(_REFUSAL)


def _host(parts: SplitResult) -> str:
    """The host as a resolver would take it: plain letters and digits, plain dots."""
    host = unicodedata.normalize("NFKC", parts.hostname or "").replace("\u3002", ".")
    return host.lower().rstrip(".")


def _is_local_name(host: str) -> bool:
    """Names that only a private network has: one word, or a suffix kept for such use."""
    is_one_word = "." not in host
    return (
        is_one_word
        or "%" in host
        or host.endswith(".home.arpa")
        or host.rpartition(".")[2] in _LOCAL_NAMES
    )


def _literal_address(host: str) -> str | None:
    """The address that a numeric host means, in any spelling that a resolver takes."""
    try:
        return str(ipaddress.ip_address(host.partition("%")[0]))
    except ValueError:
        pass
    try:
        # Takes 2130706433, 0x7f.1 and 0177.0.0.1, as the resolver does.
        return socket.inet_ntoa(socket.inet_aton(host))
    except OSError:
        return None
