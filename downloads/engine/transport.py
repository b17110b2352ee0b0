"""The engine's only way to the network: libcurl's multi interface behind the egress guard.

Everything runs in the thread that calls `Transport.turn`; nothing here knows of files or playlists.
"""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from io import BufferedWriter
from typing import Any

import pycurl

from downloads.engine.calls import GATHER_BYTES, Call, Funnel, checked_url
from downloads.engine.errors import (
    AddressRefused,
    ConnectionFailed,
    EngineError,
)
from downloads.engine.rategate import Pulse, RateGate
from downloads.engine.readiness import Readiness
from providers.safe_url import EgressPolicy

# A connection that brings less than this on average over the stall timeout is as good as dead.
STALL_BYTES_PER_SECOND = 1024
# Large reads let the sender run undisturbed: half of this costs a third more time on loopback.
_RECEIVE_BUFFER_BYTES = 524_288
_IDLE_SELECT_SECONDS = 0.1
_LIMITED_SELECT_SECONDS = 0.02
_MAX_SPARE = 16
_MANY_CALLS = 4
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


@dataclass(slots=True)
class TransportSettings:
    """What holds for every connection of one transport."""

    connect_timeout_seconds: float = 15.0
    stall_timeout_seconds: float = 30.0
    ca_file: str = ""  # PEM; certifi's when empty


@dataclass(slots=True)
class _Line:
    """A handle of libcurl with what gathers its pieces; used for one call after the other."""

    easy: Any
    funnel: Funnel
    gathered: BufferedWriter


class Transport:
    """Runs any number of calls at once in the calling thread."""

    def __init__(self, egress: EgressPolicy, settings: TransportSettings | None = None) -> None:
        self.settings = settings or TransportSettings()
        self._gate = RateGate()
        self._egress = egress
        self._multi = pycurl.CurlMulti()
        # Multiplexing would put all ranges on one connection, and the server throttles that one.
        self._multi.setopt(pycurl.M_PIPELINING, 0)
        self._multi.setopt(pycurl.M_MAXCONNECTS, 32)
        self._readiness = Readiness(self._multi)
        self._calls: dict[Any, Call] = {}
        self._lines: dict[Any, _Line] = {}
        self._spare: list[_Line] = []
        self._settled: list[Call] = []  # their sinks want nothing more
        self._opened: list[socket.socket] = []
        self._pulse = Pulse()
        self._ended_bytes = 0
        self.has_news = True  # a call ended in the last turn

    def start(self, call: Call) -> None:
        """Begin a call. Raises AddressRefused."""
        call.url = checked_url(call.url)
        line = self._spare.pop() if self._spare else self._new_line()
        call.easy, call.gathered, line.funnel.call = line.easy, line.gathered, call
        call.lines, call.status, call.location, call.answer = {}, 0, "", None
        self._calls[line.easy] = call
        self._lines[line.easy] = line
        self._configure(line.easy, call)
        call.window_started, call.window_bytes = time.monotonic(), 0
        self._multi.add_handle(line.easy)

    def limit(self, bytes_per_second: int | None) -> None:
        """Hold all connections together to a speed from now on; None lifts it."""
        if bytes_per_second == self._gate.limit_bps:
            return
        self._gate.limit_bps = bytes_per_second
        self._gate.refill(time.monotonic())
        for easy, call in self._calls.items():
            easy.setopt(pycurl.WRITEFUNCTION, self._writer(call))
        self._unpause()

    def cancel(self, call: Call) -> None:
        """Drop a call; its sink hears nothing more."""
        if call.easy in self._calls:
            self._release(call, reuse=False)

    def close(self) -> None:
        """Drop every call and every connection."""
        for call in list(self._calls.values()):
            self.cancel(call)
        for line in self._spare:
            line.easy.close()
        self._spare.clear()
        self._multi.close()
        self._readiness.close()
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
        if self._gate.limit_bps is not None:
            self._gate.refill(time.monotonic())
            timeout_seconds = min(timeout_seconds, _LIMITED_SELECT_SECONDS)
            self._unpause()
        ended = self._move(0.0 if self._settled else timeout_seconds)
        self._close_opened()
        for easy, code, text in ended:
            self._finish(easy, code, text)
        self.has_news = bool(ended or self._settled)
        self._end_settled()
        self._rest()

    def _move(self, timeout_seconds: float) -> list[tuple[Any, int, str]]:
        """Serve one connection after the other until a call has ended: others may follow it."""
        for _ in self._readiness.serve(timeout_seconds):
            if ended := self._ended():
                return ended
        return self._ended()

    def watch_stalls(self, now: float) -> None:
        """End calls that have brought next to nothing for the stall timeout."""
        span = self.settings.stall_timeout_seconds
        for call in list(self._calls.values()):
            elapsed = now - call.window_started
            if elapsed < span and not call.is_paused:
                continue
            received = _received(call.easy)
            if call.is_paused or received - call.window_bytes >= STALL_BYTES_PER_SECOND * elapsed:
                call.window_started, call.window_bytes = now, received
                continue
            call.flush()
            call.error = call.error or ConnectionFailed("The server has stopped sending.")
            self._release(call, reuse=False)
            call.sink.on_end(call)

    def _rest(self) -> None:
        if len(self._calls) < _MANY_CALLS or self.has_news:
            return
        received = list(map(_received, self._calls))
        announced = map(_announced, self._calls)
        outstanding = [
            max(whole - part, 0) for whole, part in zip(announced, received, strict=True)
        ]
        arrived = self._ended_bytes + sum(received)
        time.sleep(self._pulse.rest_seconds(time.monotonic(), arrived, outstanding))

    def _ended(self) -> list[tuple[Any, int, str]]:
        ended: list[tuple[Any, int, str]] = []
        queued = 1
        while queued:
            queued, good, bad = self._multi.info_read()
            ended += [(easy, 0, "") for easy in good]
            ended += [(easy, code, text) for easy, code, text in bad]
        return ended

    def _end_settled(self) -> None:
        settled, self._settled[:] = self._settled[:], []
        for call in settled:
            if call.easy in self._calls:
                self._release(call, reuse=False)
                call.sink.on_end(call)

    def _unpause(self) -> None:
        if self._gate.is_closed:
            return
        for call in list(self._calls.values()):
            if call.is_paused:
                call.is_paused = False
                call.easy.pause(pycurl.PAUSE_CONT)

    def _new_line(self) -> _Line:
        funnel = Funnel(self._settled)
        return _Line(pycurl.Curl(), funnel, BufferedWriter(funnel, GATHER_BYTES))

    def _release(self, call: Call, *, reuse: bool) -> None:
        self._calls.pop(call.easy)
        self._ended_bytes += _received(call.easy)
        line = self._lines.pop(call.easy)
        self._multi.remove_handle(line.easy)
        # Without a call the funnel drops what is still gathered.
        line.funnel.call = call.easy = call.gathered = None
        line.gathered.flush()
        if reuse and len(self._spare) < _MAX_SPARE:
            line.easy.reset()
            self._spare.append(line)
        else:
            line.easy.close()

    def _finish(self, easy: Any, code: int, text: str) -> None:
        call = self._calls.get(easy)
        if call is None:
            return
        call.flush()
        self._release(call, reuse=True)
        if code == 0 and call.location and call.error is None:
            if self._follow(call):
                return
        elif code and not call.is_settled:
            call.error = _error_of(call, code, text)
        elif not code and call.error is None and call.answer is None:
            call.error = ConnectionFailed("The server closed the connection without an answer.")
        call.sink.on_end(call)

    def _follow(self, call: Call) -> bool:
        try:
            call.redirect()
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
            (pycurl.HEADERFUNCTION, call.read_header),
            (pycurl.WRITEFUNCTION, self._writer(call)),
            (pycurl.HTTPHEADER, call.header_lines()),
        ):
            easy.setopt(option, value)
        if call.url.startswith("https:"):
            easy.setopt(pycurl.CAINFO, self.settings.ca_file or _usual_authorities())
        easy.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)

    def _writer(self, call: Call) -> Any:
        """What libcurl calls with each piece; as little as possible while there is no limit."""
        write, gate = self._lines[call.easy].gathered.write, self._gate
        if gate.limit_bps is None:
            return write

        def write_or_pause(piece: bytes) -> int:
            if gate.is_closed:
                call.is_paused = True
                return int(pycurl.WRITEFUNC_PAUSE)
            gate.spend(len(piece))
            return write(piece)

        return write_or_pause


def _received(easy: Any) -> int:
    return int(easy.getinfo(pycurl.SIZE_DOWNLOAD_T))


def _announced(easy: Any) -> int:
    """Bytes of the whole answer; -1 when it does not tell, or has not begun."""
    return int(easy.getinfo(pycurl.CONTENT_LENGTH_DOWNLOAD_T))


def _usual_authorities() -> str:
    import certifi  # noqa: PLC0415 - it takes as long to load as a small file takes to fetch

    return certifi.where()


def _error_of(call: Call, code: int, text: str) -> EngineError:
    if call.refused_address and code == pycurl.E_COULDNT_CONNECT:
        return AddressRefused(
            "The address leads to a private network that ALLOWED_PRIVATE_HOSTS does not name."
        )
    return ConnectionFailed(_SOFT_CURL_ERRORS.get(code) or f"The transfer failed: {text or code}.")
