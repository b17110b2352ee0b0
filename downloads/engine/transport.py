"""The engine's only way to the network: libcurl's multi interface behind the egress guard.

Everything runs in the thread that calls `Transport.turn`; nothing here knows of files or playlists.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import pycurl

from downloads.engine.errors import (
    AddressRefused,
    ConnectionFailed,
    EngineError,
    ServerRefused,
)
from providers.errors import EgressRefused
from providers.safe_url import EgressPolicy, check_url

MAX_REDIRECTS = 10
# A connection that brings less than this on average over the stall timeout is as good as dead.
STALL_BYTES_PER_SECOND = 1024
_RECEIVE_BUFFER_BYTES = 262_144
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# Headers that may follow a redirect to another host; credentials of any kind may not.
_PORTABLE_HEADERS = frozenset({"user-agent", "referer", "origin", "accept", "accept-language"})
_USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
_IDLE_SELECT_SECONDS = 0.1
_MAX_SPARE = 16
_MANY_CALLS = 4
_FULL_TURN_BYTES = 262_144
_REST_SECONDS = 0.004
_SOFT_CURL_ERRORS = {
    pycurl.E_PARTIAL_FILE: "The connection was cut in the middle of the file.",
    pycurl.E_RECV_ERROR: "The connection was reset.",
    pycurl.E_GOT_NOTHING: "The server closed the connection without an answer.",
    pycurl.E_COULDNT_CONNECT: "The server could not be reached.",
    pycurl.E_COULDNT_RESOLVE_HOST: "The host name could not be resolved.",
    pycurl.E_OPERATION_TIMEDOUT: "The server did not answer in time.",
    pycurl.E_PEER_FAILED_VERIFICATION: "The server's certificate is not valid.",
    pycurl.E_SSL_CONNECT_ERROR: "The secure connection could not be made.",
}


def checked_url(url: str, base: str = "") -> str:
    """The absolute URL of a reference, fit to be fetched. Raises AddressRefused."""
    try:
        absolute = urljoin(base, url) if base else url
        check_url(absolute)
    except (EgressRefused, ValueError) as error:
        raise AddressRefused(str(error) or "The address is not a valid URL.") from None
    return absolute


@dataclass(slots=True)
class Answer:
    """Status and headers of one response; header names are lower case."""

    status: int
    headers: dict[str, str]
    url: str  # after redirects


class Sink(Protocol):
    """Takes what a call brings; called from within `Transport.turn`."""

    def on_answer(self, call: Call) -> None:
        """The final headers are there. An EngineError raised here ends the call with it."""
        ...

    def on_piece(self, piece: bytes) -> bool:
        """Up to 16 KB of body; false ends the call without an error."""
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
    received: int = 0
    ended_early: bool = False  # the sink had enough
    # Private to the transport.
    redirects: int = 0
    lines: dict[str, str] = field(default_factory=dict)
    status: int = 0
    location: str = ""
    easy: Any = None
    refused_address: str = ""
    is_paused: bool = False
    window_started: float = 0.0
    window_bytes: int = 0

    @property
    def host(self) -> str:
        """Lower-case host name that is asked now."""
        return urlsplit(self.url).hostname or ""


@dataclass(slots=True)
class TransportSettings:
    """What holds for every connection of one transport."""

    connect_timeout_seconds: float = 15.0
    stall_timeout_seconds: float = 30.0
    ca_file: str = ""  # PEM; certifi's when empty


class RateGate:
    """Says when nothing more may be received, so that a speed limit holds over all connections."""

    def __init__(self) -> None:
        self.limit_bps: int | None = None
        self.is_closed = False
        self.received = 0
        self._allowance = 0.0
        self._refilled = time.monotonic()

    def spend(self, size: int) -> None:
        """Count received bytes against the allowance."""
        self._allowance -= size
        self.is_closed = self._allowance <= 0

    def refill(self, now: float) -> None:
        """Grow the allowance by the time that has passed, at most by a quarter second's worth."""
        if self.limit_bps is None:
            self.is_closed = False
        else:
            grown = self._allowance + (now - self._refilled) * self.limit_bps
            self._allowance = min(grown, max(self.limit_bps * 0.25, 16_384.0))
            self.is_closed = self._allowance <= 0
        self._refilled = now


class Transport:
    """Runs any number of calls at once in the calling thread."""

    def __init__(self, egress: EgressPolicy, settings: TransportSettings | None = None) -> None:
        self.gate = RateGate()
        self.settings = settings or TransportSettings()
        self._egress = egress
        self._multi = pycurl.CurlMulti()
        # Multiplexing would put all ranges on one connection, and the server throttles that one.
        self._multi.setopt(pycurl.M_PIPELINING, 0)
        self._multi.setopt(pycurl.M_MAXCONNECTS, 32)
        self._calls: dict[Any, Call] = {}
        self._spare: list[Any] = []
        self.has_news = True  # a call ended in the last turn
        self._opened: list[socket.socket] = []

    def start(self, call: Call) -> None:
        """Begin a call. Raises AddressRefused."""
        call.url = checked_url(call.url)
        easy = call.easy = self._spare.pop() if self._spare else pycurl.Curl()
        self._configure(easy, call)
        call.window_started = time.monotonic()
        call.window_bytes = call.received
        self._calls[easy] = call
        self._multi.add_handle(easy)

    def cancel(self, call: Call) -> None:
        """Drop a call; its sink hears nothing more."""
        if call.easy is not None and self._calls.pop(call.easy, None) is not None:
            self._multi.remove_handle(call.easy)
            call.easy.close()
            call.easy = None

    def close(self) -> None:
        """Drop every call and every connection."""
        for call in list(self._calls.values()):
            self.cancel(call)
        for easy in self._spare:
            easy.close()
        self._spare.clear()
        self._multi.close()
        self._close_opened()

    @property
    def active_count(self) -> int:
        """Calls under way."""
        return len(self._calls)

    def turn(self, timeout_seconds: float = _IDLE_SELECT_SECONDS) -> None:
        """Wait for bytes at most that long, move them, and tell the sinks of ended calls."""
        if not self._calls:
            self.has_news = False
            time.sleep(timeout_seconds)
            return
        if self.gate.limit_bps is not None or self.gate.is_closed:
            self.gate.refill(time.monotonic())
            timeout_seconds = min(timeout_seconds, 0.02)
            self._unpause()
        before = self.gate.received
        if self._multi.select(timeout_seconds) < 0:
            time.sleep(min(timeout_seconds, 0.005))
        self._multi.perform()
        self._close_opened()
        ended = self._ended()
        self.has_news = bool(ended)
        for easy, code, text in ended:
            self._finish(easy, code, text)
        self._gather(before)

    def watch_stalls(self, now: float) -> None:
        """End calls that have brought next to nothing for the stall timeout."""
        span = self.settings.stall_timeout_seconds
        for call in list(self._calls.values()):
            if call.easy is None:
                continue
            if call.is_paused:
                call.window_started, call.window_bytes = now, call.received
            elapsed = now - call.window_started
            if elapsed < span:
                continue
            if call.received - call.window_bytes < STALL_BYTES_PER_SECOND * elapsed:
                easy = call.easy
                call.error = ConnectionFailed("The server has stopped sending.")
                self._release(easy, call, reuse=False)
                call.sink.on_end(call)
            else:
                call.window_started, call.window_bytes = now, call.received

    def _gather(self, before: int) -> None:
        # Many throttled connections bring a little each: without a short rest every piece of
        # theirs would wake the process. A connection that is not throttled fills a turn.
        moved = self.gate.received - before
        if len(self._calls) >= _MANY_CALLS and moved < _FULL_TURN_BYTES and not self.has_news:
            time.sleep(_REST_SECONDS)

    def _ended(self) -> list[tuple[Any, int, str]]:
        ended: list[tuple[Any, int, str]] = []
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            ended += [(easy, 0, "") for easy in good]
            ended += [(easy, code, text) for easy, code, text in bad]
        return ended

    def _unpause(self) -> None:
        if self.gate.is_closed:
            return
        for call in list(self._calls.values()):
            if call.is_paused:
                call.is_paused = False
                call.easy.pause(pycurl.PAUSE_CONT)

    def _release(self, easy: Any, call: Call, *, reuse: bool) -> None:
        self._calls.pop(easy, None)
        self._multi.remove_handle(easy)
        call.easy = None
        if reuse and len(self._spare) < _MAX_SPARE:
            easy.reset()
            self._spare.append(easy)
        else:
            easy.close()

    def _finish(self, easy: Any, code: int, text: str) -> None:
        call = self._calls.get(easy)
        if call is None:
            return
        self._release(easy, call, reuse=True)
        if code == 0 and call.location and call.error is None:
            if self._follow(call):
                return
        elif call.error is None and code and not call.ended_early:
            call.error = _error_of(call, code, text)
        elif call.error is None and not code and call.answer is None:
            call.error = ConnectionFailed("The server closed the connection without an answer.")
        call.sink.on_end(call)

    def _follow(self, call: Call) -> bool:
        target = call.location
        call.location = ""
        call.redirects += 1
        try:
            if call.redirects > MAX_REDIRECTS:
                raise ServerRefused("The server redirects in circles.")
            before = urlsplit(call.url)
            call.url = checked_url(target, call.url)
            after = urlsplit(call.url)
            if (before.scheme, before.netloc) != (after.scheme, after.netloc):
                call.headers = {
                    name: value
                    for name, value in call.headers.items()
                    if name.lower() in _PORTABLE_HEADERS
                }
            self.start(call)
        except EngineError as error:
            call.error = error
            return False
        return True

    def _guard(self, call: Call) -> Any:
        def open_socket(_purpose: int, address: tuple[int, int, int, tuple[Any, ...]]) -> Any:
            family, kind, protocol, target = address
            try:
                if self._egress.permits(str(target[0]), int(target[1])):
                    opened = socket.socket(family, kind, protocol)
                    self._opened.append(opened)
                    return opened
            except (OSError, ValueError, IndexError):
                return pycurl.SOCKET_BAD
            call.refused_address = str(target[0])
            return pycurl.SOCKET_BAD

        return open_socket

    def _close_opened(self) -> None:
        # pycurl works on a duplicate of each socket, so ours is closed as soon as it has that.
        while self._opened:
            self._opened.pop().close()

    def _configure(self, easy: Any, call: Call) -> None:
        for option, value in (
            (pycurl.URL, call.url),
            (pycurl.NOSIGNAL, 1),
            (pycurl.PROXY, ""),
            (pycurl.FOLLOWLOCATION, 0),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.BUFFERSIZE, _RECEIVE_BUFFER_BYTES),
            (pycurl.TCP_NODELAY, 1),
            (pycurl.CONNECTTIMEOUT_MS, int(self.settings.connect_timeout_seconds * 1000)),
            (pycurl.ACCEPT_ENCODING, "gzip, deflate, br"),
            (pycurl.OPENSOCKETFUNCTION, self._guard(call)),
            (pycurl.HEADERFUNCTION, _header_reader(call)),
            (pycurl.WRITEFUNCTION, _piece_reader(call, self.gate)),
            (pycurl.HTTPHEADER, _header_lines(call)),
        ):
            easy.setopt(option, value)
        if call.url.startswith("https:"):
            easy.setopt(pycurl.CAINFO, self.settings.ca_file or _usual_authorities())
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        call.lines, call.status, call.location, call.answer = {}, 0, "", None


def _usual_authorities() -> str:
    import certifi  # noqa: PLC0415 - it takes as long to load as a small file takes to fetch

    return certifi.where()


def _header_lines(call: Call) -> list[str]:
    wanted = {"User-Agent": _USER_AGENT, "Accept": "*/*"}
    for name, value in call.headers.items():
        if name.lower() in {"range", "if-range", "accept-encoding", "host", "connection"}:
            continue
        if any(character in name + value for character in "\r\n\0"):
            continue
        wanted = {k: v for k, v in wanted.items() if k.lower() != name.lower()} | {name: value}
    # Encodings are decoded when a server insists on one, but none is asked for: ranges of an
    # encoded body cannot be used.
    wanted["Accept-Encoding"] = "identity"
    if call.byte_range is not None:
        first, end = call.byte_range
        wanted["Range"] = f"bytes={first}-{'' if end is None else end - 1}"
        if call.if_range:
            wanted["If-Range"] = call.if_range
    return [f"{name}: {value}" for name, value in wanted.items()]


def _header_reader(call: Call) -> Any:
    def read_header(line: bytes) -> int:
        text = line.decode("latin-1").strip()
        if text.startswith("HTTP/"):
            call.lines = {}
            words = text.split(None, 2)
            call.status = int(words[1]) if len(words) > 1 and words[1].isdigit() else 0
        elif text:
            name, _, value = text.partition(":")
            call.lines[name.strip().lower()] = value.strip()
        elif call.status >= HTTPStatus.OK and call.answer is None:
            return _headers_complete(call, len(line))
        return len(line)

    return read_header


def _headers_complete(call: Call, size: int) -> int:
    if call.status in _REDIRECTS and call.lines.get("location"):
        call.location = call.lines["location"]
        return size
    call.answer = Answer(call.status, call.lines, call.url)
    try:
        call.sink.on_answer(call)
    except (EngineError, OSError) as error:
        call.error = error
        return -1
    return size


def _piece_reader(call: Call, gate: RateGate) -> Any:
    on_piece = call.sink.on_piece

    def read_piece(piece: bytes) -> int | None:
        if gate.is_closed:
            call.is_paused = True
            return int(pycurl.WRITEFUNC_PAUSE)
        size = len(piece)
        call.received += size
        gate.received += size
        if gate.limit_bps is not None:
            gate.spend(size)
        try:
            if call.location or on_piece(piece):
                return None
        except (EngineError, OSError) as error:
            call.error = error
            return 0
        call.ended_early = True
        return 0

    return read_piece


def _error_of(call: Call, code: int, text: str) -> EngineError:
    if call.refused_address and code == pycurl.E_COULDNT_CONNECT:
        return AddressRefused("The address leads to a private network and was refused.")
    return ConnectionFailed(_SOFT_CURL_ERRORS.get(code) or f"The transfer failed: {text or code}.")
