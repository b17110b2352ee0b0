"""Which addresses outgoing requests may reach: http(s) only, nothing private unless allowed.

The decision is taken on the IP address at connect time, because the text of a URL cannot be
trusted (spellings of 127.0.0.1, DNS rebinding, redirects). Plain Python; used by the HTTP door,
the child process of the video hosts and the download engine.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from dataclasses import dataclass, field
from urllib.parse import SplitResult, urlsplit

from providers.errors import EgressRefused

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

# Own tables, because `is_global` of the standard library lets some of these through.
# Source: IANA special-purpose address registries.
_DENIED_V4 = tuple(
    ipaddress.ip_network(text)
    for text in [
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    ]
)
_PUBLIC_V6 = ipaddress.ip_network("2000::/3")
_DENIED_V6 = tuple(
    ipaddress.ip_network(text) for text in ["2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"]
)
_UNSAFE_CHARACTERS = re.compile(r"[\x00-\x20\x7f\\]")
_HOST_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_HIGHEST_PORT = 65_535
_HOST_LOOKUP_SECONDS = 60.0
MAX_URL_LENGTH = 2000
# For what nobody types: hosts that sign the addresses of streams make them longer.
MAX_STREAM_URL_LENGTH = 8000


@dataclass(frozen=True, slots=True)
class AllowedHost:
    """One entry of ALLOWED_PRIVATE_HOSTS: an address range or a host name, maybe with a port."""

    network: IpNetwork | None
    hostname: str
    port: int | None

    @classmethod
    def parse(cls, text: str) -> AllowedHost:
        """Read `host`, `ip` or `cidr`, each with an optional `:port`. Raises ValueError."""
        host, port = _split_port(text.strip())
        if port is not None and not 1 <= port <= _HIGHEST_PORT:
            raise ValueError(f"{text!r} has a port that is not between 1 and {_HIGHEST_PORT}")
        try:
            return cls(ipaddress.ip_network(host, strict=False), "", port)
        except ValueError:
            # A name that ends in digits would be taken for an IP address and never be looked up.
            is_number = host.rpartition(".")[2].isdigit()
            if is_number or not _HOST_NAME.fullmatch(host):
                raise ValueError(f"{text!r} is not a host, an IP address or a CIDR range") from None
            return cls(None, host.lower(), port)

    def text(self) -> str:
        """The entry as it is written in ALLOWED_PRIVATE_HOSTS."""
        host = self.hostname
        if self.network is not None:
            host = f"[{self.network}]" if self.network.version == 6 else str(self.network)  # noqa: PLR2004 -- IPv6
        return host if self.port is None else f"{host}:{self.port}"


@dataclass(slots=True)
class EgressPolicy:
    """Decides whether a connection to an address may be opened."""

    allowed: tuple[AllowedHost, ...] = ()
    _looked_up: dict[str, tuple[float, frozenset[IpAddress]]] = field(default_factory=dict)

    @classmethod
    def parse(cls, entries: list[str]) -> EgressPolicy:
        """Build a policy from the entries of ALLOWED_PRIVATE_HOSTS. Raises ValueError."""
        return cls(tuple(AllowedHost.parse(entry) for entry in entries if entry.strip()))

    def entries(self) -> list[str]:
        """The entries that make the same policy again, in another process."""
        return [entry.text() for entry in self.allowed]

    def permits(self, address: str, port: int) -> bool:
        """Whether a socket may be opened to this literal IP address and port."""
        try:
            ip = ipaddress.ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped:
            ip = ip.ipv4_mapped
        return _is_public(ip) or any(self._covers(entry, ip, port) for entry in self.allowed)

    def _covers(self, entry: AllowedHost, ip: IpAddress, port: int) -> bool:
        if entry.port is not None and entry.port != port:
            return False
        if entry.network is not None:
            return ip.version == entry.network.version and ip in entry.network
        return ip in self._addresses_of(entry.hostname)

    def _addresses_of(self, hostname: str) -> frozenset[IpAddress]:
        now = time.monotonic()
        known = self._looked_up.get(hostname)
        if known is None or now - known[0] > _HOST_LOOKUP_SECONDS:
            try:
                infos = socket.getaddrinfo(hostname, None, type=socket.SOCK_STREAM)
            except OSError:
                infos = []
            found = frozenset(ipaddress.ip_address(str(info[4][0]).split("%")[0]) for info in infos)
            known = self._looked_up[hostname] = (now, found)
        return known[1]


def check_url(url: str, *, most_characters: int = MAX_URL_LENGTH) -> SplitResult:
    """Refuse a URL that no request may be sent to, whatever its address resolves to.

    Raises EgressRefused: another scheme than http(s), no host, user info, control characters or
    backslashes (parsers disagree on them), an impossible port, or too many characters.
    """
    if len(url) > most_characters:
        raise EgressRefused(f"The address is longer than {most_characters:,} characters.")
    if _UNSAFE_CHARACTERS.search(url):
        raise EgressRefused("The address contains spaces, control characters or backslashes.")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise EgressRefused("The address is not a valid URL.") from None
    if parts.scheme not in {"http", "https"}:
        raise EgressRefused("Only http and https addresses can be fetched.")
    if not parts.hostname or port == 0:
        raise EgressRefused("The address names no host.")
    if parts.username is not None or parts.password is not None:
        raise EgressRefused("Addresses with a user name or password are not accepted.")
    return parts


def _is_public(ip: IpAddress) -> bool:
    if isinstance(ip, ipaddress.IPv4Address):
        return not any(ip in network for network in _DENIED_V4)
    return ip in _PUBLIC_V6 and not any(ip in network for network in _DENIED_V6)


def _split_port(text: str) -> tuple[str, int | None]:
    bracketed = re.fullmatch(r"\[([^\]]+)\](?::(\d{1,5}))?", text)
    if bracketed:
        return bracketed[1], int(bracketed[2]) if bracketed[2] else None
    host, colon, port = text.rpartition(":")
    if colon and ":" not in host and port.isdecimal():
        return host, int(port)
    return text, None
