"""Sockets of the HTTP door: addresses checked as they are opened, and cut when a deadline passes.

Used only by `providers.http`; plain Python. The check happens on the resolved address at connect
time, because neither the text of a URL nor an earlier look-up says where a request really goes.
"""

from __future__ import annotations

import os
import queue
import socket
import ssl
import threading
import time
from types import TracebackType
from typing import Any, Self

import certifi
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from providers.errors import EgressRefused
from providers.safe_url import EgressPolicy

CONNECT_SECONDS = 10.0
_WATCHDOG_TICK_SECONDS = 0.2
_current = threading.local()


class DeadlineError(OSError):
    """The time for the whole exchange is over."""


class Exchange:
    """One call of the door, redirects included: which addresses it may reach, and until when.

    The connection classes below find the exchange of their thread and hand it each socket. The
    watchdog cuts that socket at the deadline, which also ends slow headers and endless 1xx answers,
    where no read time-out ever fires.
    """

    def __init__(self, policy: EgressPolicy, timeout_seconds: float) -> None:
        self.policy = policy
        self.ends_at = time.monotonic() + timeout_seconds
        self.is_cut = False
        self.is_fresh = False  # this hop opened its connection
        self.is_reused = False  # this hop goes over a kept-alive connection
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        _current.exchange = self
        _watchdog.watch(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        _watchdog.release(self)
        _current.exchange = None
        with self._lock:
            self._forget_socket()

    def remaining_seconds(self) -> float:
        """Seconds left. Raises DeadlineError when there are none."""
        left = self.ends_at - time.monotonic()
        if self.is_over:
            raise DeadlineError("the deadline passed")
        return left

    def start_hop(self) -> None:
        """Forget the connection of the hop before. Raises DeadlineError."""
        self.remaining_seconds()
        self.is_fresh = self.is_reused = False

    @property
    def is_over(self) -> bool:
        """Whether the deadline has passed."""
        return self.is_cut or self.ends_at <= time.monotonic()

    def adopt(self, sock: socket.socket) -> None:
        """Let the watchdog cut this socket.

        A duplicate is kept: the original is detached by the TLS handshake and closed by http.client
        while the body is still being read.
        """
        self.remaining_seconds()
        with self._lock:
            self._forget_socket()
            self._socket = socket.socket(fileno=os.dup(sock.fileno()))

    def cut(self) -> None:
        """Break the connection; whoever reads or writes on it returns at once."""
        self.is_cut = True
        with self._lock:
            if self._socket is None:
                return
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side was faster; nothing is left to cut.
                return

    def open_socket(self, host: str, port: int) -> socket.socket:
        """Connect to the first permitted address of `host`. Raises EgressRefused and OSError."""
        failure: OSError | None = None
        is_any_permitted = False
        for family, kind, protocol, _name, address in _resolve(
            host, port, self.remaining_seconds()
        ):
            if not self.policy.permits(str(address[0]), port):
                continue
            is_any_permitted = True
            try:
                return self._connect(socket.socket(family, kind, protocol), address, port)
            except OSError as error:
                failure = error
        if not is_any_permitted:
            raise EgressRefused("The address leads to a private network, which is not allowed.")
        raise failure or OSError("no address could be reached")

    def _connect(self, sock: socket.socket, address: Any, port: int) -> socket.socket:
        try:
            sock.settimeout(min(CONNECT_SECONDS, self.remaining_seconds()))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.connect(address)
            self._check_peer(sock, port)
            self.adopt(sock)
            self.is_fresh = True
        except BaseException:
            sock.close()
            raise
        return sock

    def _check_peer(self, sock: socket.socket, port: int) -> None:
        if not self.policy.permits(str(sock.getpeername()[0]), port):
            raise EgressRefused("The address leads to a private network, which is not allowed.")

    def _forget_socket(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None


def _resolve(host: str, port: int, timeout_seconds: float) -> list[Any]:
    """Look a name up in a thread of its own, because a slow resolver cannot be interrupted."""
    try:
        return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except socket.gaierror:
        # It is a name, not an address: ask the resolver.
        answers: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_look_up, args=(host, port, answers), daemon=True).start()
    try:
        answer = answers.get(timeout=timeout_seconds)
    except queue.Empty:
        raise DeadlineError("the name could not be resolved in time") from None
    if isinstance(answer, OSError):
        raise answer
    return answer


def _look_up(host: str, port: int, answers: queue.SimpleQueue[list[Any] | OSError]) -> None:
    try:
        answers.put(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM))
    except OSError as error:
        answers.put(error)
    except UnicodeError as error:
        answers.put(OSError(str(error)))


class _Watchdog:
    """One thread per process that cuts every exchange whose time is over; asleep when idle."""

    def __init__(self) -> None:
        self._exchanges: set[Exchange] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def watch(self, exchange: Exchange) -> None:
        with self._lock:
            self._exchanges.add(exchange)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="http-deadlines", daemon=True
                )
                self._thread.start()
            if not self._wake.is_set():
                self._wake.set()

    def release(self, exchange: Exchange) -> None:
        with self._lock:
            self._exchanges.discard(exchange)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            with self._lock:
                now = time.monotonic()
                overdue = [each for each in self._exchanges if each.ends_at <= now]
                self._exchanges.difference_update(overdue)
                if not self._exchanges:
                    self._wake.clear()
            for exchange in overdue:
                exchange.cut()
            time.sleep(_WATCHDOG_TICK_SECONDS)


_watchdog = _Watchdog()


def _start_afresh_after_fork() -> None:
    global _watchdog  # noqa: PLW0603 - a fork copies the object but not its thread
    _watchdog = _Watchdog()


os.register_at_fork(after_in_child=_start_afresh_after_fork)


def _exchange() -> Exchange:
    exchange: Exchange | None = getattr(_current, "exchange", None)
    if exchange is None:
        raise EgressRefused("A connection was opened outside the HTTP door.")
    return exchange


class _GuardedSocket:
    """What both connection classes share; comes first in their bases."""

    _dns_host: str
    port: int
    sock: socket.socket | None

    def _new_conn(self) -> socket.socket:
        return _exchange().open_socket(self._dns_host, self.port)

    def request(self, *args: Any, **kwargs: Any) -> None:
        """Send a request; a kept-alive socket comes under this exchange's deadline."""
        exchange = _exchange()
        if self.sock is not None and not exchange.is_fresh:
            exchange.adopt(self.sock)
            exchange.is_reused = True
        super().request(*args, **kwargs)  # type: ignore[misc]  # the base comes with the subclass


class GuardedHTTPConnection(_GuardedSocket, HTTPConnection):
    """Opens only sockets that the thread's exchange permits."""


class GuardedHTTPSConnection(_GuardedSocket, HTTPSConnection):
    """The same over TLS; certificates are always verified."""


class GuardedHTTPConnectionPool(HTTPConnectionPool):
    """A pool of guarded connections."""

    ConnectionCls = GuardedHTTPConnection


class GuardedHTTPSConnectionPool(HTTPSConnectionPool):
    """A pool of guarded TLS connections."""

    ConnectionCls = GuardedHTTPSConnection


POOL_CLASSES = {"http": GuardedHTTPConnectionPool, "https": GuardedHTTPSConnectionPool}


def tls_context() -> ssl.SSLContext:
    """The machine's trusted authorities and Mozilla's; built once, as reading them takes time."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
