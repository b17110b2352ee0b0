"""One request and its answer, as the transport and those who use it see them; no network here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from io import BufferedWriter, RawIOBase
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote, urljoin, urlsplit

from downloads.engine.errors import AddressRefused, EngineError, ServerRefused
from providers.errors import EgressRefused
from providers.safe_url import MAX_STREAM_URL_LENGTH, check_url
from providers.user_agent import USER_AGENT

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

# Writes of that size are cheap everywhere; larger ones are erratic on ext4.
GATHER_BYTES = 262_144
MAX_REDIRECTS = 10
# Headers that may follow a redirect to another host; credentials of any kind may not.
_PORTABLE_HEADERS = frozenset({"user-agent", "referer", "origin", "accept", "accept-language"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)")
_ADDRESS = re.compile(r"(\w+://)([^/?#]*)(.*)", re.DOTALL)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_OWN_HEADERS = frozenset({"range", "if-range", "accept-encoding", "host", "connection"})


def checked_url(url: str, base: str = "") -> str:
    """The absolute URL of a reference, fit to be fetched. Raises AddressRefused.

    As in browsers, spaces and letters outside of ASCII are escaped.
    """
    try:
        absolute = _escaped(urljoin(base, url) if base else url)
        check_url(absolute, most_characters=MAX_STREAM_URL_LENGTH)
    except (EgressRefused, ValueError) as error:
        raise AddressRefused(str(error) or "The address is not a valid URL.") from None
    return absolute


def _escaped(url: str) -> str:
    match = _ADDRESS.fullmatch(url)
    if match is None or (url.isascii() and " " not in url):
        return url
    scheme, host, rest = match.groups()
    escaped = _in_ascii(rest).replace(" ", "%20")
    return f"{scheme}{host.encode('idna').decode()}{escaped}"


def _in_ascii(text: str, encoding: str = "utf-8") -> str:
    return _NOT_ASCII.sub(lambda found: quote(found[0], encoding=encoding), text)


@dataclass(slots=True)
class Answer:
    """Status and headers of one response; header names are lower case."""

    status: int
    headers: dict[str, str]
    url: str  # after redirects

    @property
    def content_range(self) -> tuple[int, int, int | None] | None:
        """First byte, one past the last, and the size of the whole if it is told (RFC 9110, 14.4).

        None when the header is missing or makes no sense.
        """
        match = _CONTENT_RANGE.fullmatch(self.headers.get("content-range", ""))
        if match is None:
            return None
        size = None if match[3] == "*" else int(match[3])
        return int(match[1]), int(match[2]) + 1, size

    @property
    def is_encoded(self) -> bool:
        """Whether what is sent is compressed: then neither its length nor a range of it counts."""
        return self.headers.get("content-encoding", "identity").lower() not in {"", "identity"}


class Sink(Protocol):
    """Takes what a call brings; called from within `Transport.turn` and `Call.flush`."""

    def on_answer(self, call: Call) -> None:
        """The final headers are there. An EngineError raised here ends the call with it."""
        ...

    def on_bytes(self, content: memoryview) -> bool:
        """Up to GATHER_BYTES of body, valid during the call only; false: it is enough.

        An EngineError or OSError raised here ends the call with it.
        """
        ...

    def on_end(self, call: Call) -> None:
        """The call is over: `call.error` is None when the body is complete or was enough."""
        ...


@dataclass(slots=True, eq=False)
class Call:
    """One GET request with its redirects."""

    url: str
    sink: Sink
    headers: Mapping[str, str] = field(default_factory=dict)
    byte_range: tuple[int, int | None] | None = None  # first and one past the last, None open
    if_range: str = ""
    answer: Answer | None = None
    error: EngineError | OSError | None = None
    ended_early: bool = False  # the sink had enough
    # Private to the transport.
    redirects: int = 0
    lines: dict[str, str] = field(default_factory=dict)
    status: int = 0
    location: str = ""
    easy: Any = None
    gathered: BufferedWriter | None = None
    refused_address: str = ""
    is_paused: bool = False
    window_started: float = 0.0
    window_bytes: int = 0

    @property
    def host(self) -> str:
        """Lower-case host name that is asked now."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_settled(self) -> bool:
        """Whether nothing more that arrives is wanted."""
        return self.ended_early or self.error is not None

    def flush(self) -> None:
        """Hand the sink what has been gathered so far, however little."""
        if self.gathered is not None:
            self.gathered.flush()

    def read_header(self, line: bytes) -> int:
        """Take one header line; the number of bytes taken, or -1 to end the call."""
        text = line.decode("latin-1").strip()
        if text.startswith("HTTP/"):
            self.lines = {}
            words = text.split(None, 2)
            self.status = int(words[1]) if len(words) > 1 and words[1].isdecimal() else 0
        elif text:
            name, _, value = text.partition(":")
            self.lines[name.strip().lower()] = value.strip()
        elif self.status >= HTTPStatus.OK and self.answer is None and not self._is_accepted():
            return -1
        return len(line)

    def _is_accepted(self) -> bool:
        if self.status in _REDIRECTS and self.lines.get("location"):
            self.location = self.lines["location"]
            return True
        self.answer = Answer(self.status, self.lines, self.url)
        try:
            self.sink.on_answer(self)
        except (EngineError, OSError) as error:
            self.error = error
            return False
        return True

    def redirect(self) -> None:
        """Ask where the answer points to. Raises AddressRefused, ServerRefused."""
        # Header lines are read as Latin-1, whatever their bytes are meant to be.
        target, self.location = _in_ascii(self.location, "latin-1"), ""
        self.redirects += 1
        if self.redirects > MAX_REDIRECTS:
            raise ServerRefused("The server redirects in circles.")
        before = urlsplit(self.url)
        self.url = checked_url(target, self.url)
        after = urlsplit(self.url)
        if (before.scheme, before.netloc) != (after.scheme, after.netloc):
            self.headers = {
                name: value
                for name, value in self.headers.items()
                if name.lower() in _PORTABLE_HEADERS
            }

    def header_lines(self) -> list[str]:
        """What is sent: the caller's headers below our own."""
        wanted = {"User-Agent": USER_AGENT, "Accept": "*/*"}
        for name, value in self.headers.items():
            if name.lower() in _OWN_HEADERS or any(c in name + value for c in "\r\n\0"):
                continue
            others = {k: v for k, v in wanted.items() if k.lower() != name.lower()}
            wanted = others | {name: _in_ascii(value)}
        # Encodings are decoded when a server insists on one, but none is asked for: ranges of an
        # encoded body cannot be used.
        wanted["Accept-Encoding"] = "identity"
        if self.byte_range is not None:
            first, end = self.byte_range
            wanted["Range"] = f"bytes={first}-{'' if end is None else end - 1}"
            if self.if_range:
                wanted["If-Range"] = self.if_range
        return [f"{name}: {value}" for name, value in wanted.items()]


class Funnel(RawIOBase):
    """The lower end of a buffered writer: passes what was gathered to the sink of a call.

    libcurl delivers pieces of 16 KB. Gathering them in the standard library's writer, which is
    compiled, costs half of what a function of our own would for each of them.
    """

    def __init__(self, settled: list[Call]) -> None:
        self.call: Call | None = None
        self._settled = settled

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, content: ReadableBuffer, /) -> int:
        """Give the sink what was gathered, unless it wants nothing more. Raises nothing."""
        view = memoryview(content)
        call = self.call
        if call is None or call.location or call.is_settled:
            return len(view)
        try:
            if call.sink.on_bytes(view):
                return len(view)
            call.ended_early = True
        except (EngineError, OSError) as error:
            call.error = error
        self._settled.append(call)
        return len(view)
