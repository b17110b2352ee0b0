"""Switches that make the site misbehave while it runs; each holds for addresses below a prefix."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from http import HTTPStatus

from providers.demo.wire import Reply, Request


class FaultKind(StrEnum):
    """What goes wrong."""

    STATUS = "status"  # another status instead of the page
    CHALLENGE = "challenge"  # an anti-bot page, with `status` 200, 403 or 503
    HTML = "html"  # 200 with a page of nothing, whatever was asked for
    SLOW = "slow"  # `bytes_per_second`
    DROP = "drop"  # reset after `after_bytes` of the body
    BLANK_SCRIPT = "blank_script"  # episodes.js is only "//"
    EMPTY_LIST = "empty_list"  # no episode is listed
    SHRUNK_LIST = "shrunk_list"  # the last `count` episodes are missing
    LICENSED = "licensed"  # anime-ultime refuses to play


@dataclass(frozen=True, slots=True)
class Fault:
    """One switch. `times` is how often it still strikes; None is for ever."""

    kind: FaultKind
    prefix: str = "/"
    status: int = HTTPStatus.SERVICE_UNAVAILABLE
    retry_after_seconds: int | None = None
    bytes_per_second: float = 1.0
    after_bytes: int = 0
    count: int = 1
    times: int | None = None  # of the kinds that spoil an answer, not of those that change a list


_CHALLENGE_PAGE = (
    b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body>"
    b'<div id="cf-browser-verification">Checking your browser</div>'
    b'<script>window._cf_chl_opt={cvId:"3"};</script>'
    b'<script src="/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1"></script></body></html>'
)
_PLAIN_PAGE = (
    b"<!DOCTYPE html><html><head><title>Bienvenue</title></head>"
    b"<body><main><p>Cette page est en travaux.</p></main></body></html>"
)
_WHOLE_PAGE = frozenset({FaultKind.STATUS, FaultKind.CHALLENGE, FaultKind.HTML})
_DELIVERY = frozenset({FaultKind.SLOW, FaultKind.DROP})


class Faults:
    """The switches that are on; safe to use from any thread."""

    def __init__(self, on_change: Callable[[], None]) -> None:
        self._on_change = on_change
        self._lock = threading.Lock()
        self._active: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Switch one on; a later one comes before an earlier one."""
        with self._lock:
            self._active.insert(0, fault)
        self._on_change()

    def clear(self, prefix: str = "/") -> None:
        """Switch off all whose prefix begins with `prefix`."""
        with self._lock:
            self._active = [each for each in self._active if not each.prefix.startswith(prefix)]
        self._on_change()

    def status(
        self,
        prefix: str,
        status: int,
        *,
        retry_after_seconds: int | None = None,
        times: int | None = None,
    ) -> None:
        """Answer with this status."""
        self.add(
            Fault(
                FaultKind.STATUS,
                prefix,
                status=status,
                retry_after_seconds=retry_after_seconds,
                times=times,
            )
        )

    def challenge(self, prefix: str, status: int = HTTPStatus.FORBIDDEN) -> None:
        """Answer with an anti-bot page."""
        self.add(Fault(FaultKind.CHALLENGE, prefix, status=status))

    def html(self, prefix: str, *, times: int | None = None) -> None:
        """Answer 200 with a page of nothing: a changed layout, or a video that is none."""
        self.add(Fault(FaultKind.HTML, prefix, times=times))

    def slow(self, prefix: str, bytes_per_second: float = 1.0) -> None:
        """Deliver slowly."""
        self.add(Fault(FaultKind.SLOW, prefix, bytes_per_second=bytes_per_second))

    def drop(self, prefix: str, after_bytes: int = 0, *, times: int | None = None) -> None:
        """Reset the connection after so many bytes of the body."""
        self.add(Fault(FaultKind.DROP, prefix, after_bytes=after_bytes, times=times))

    def blank_script(self, prefix: str) -> None:
        """Answer with an episodes.js that says nothing."""
        self.add(Fault(FaultKind.BLANK_SCRIPT, prefix))

    def empty_list(self, prefix: str) -> None:
        """List no episode."""
        self.add(Fault(FaultKind.EMPTY_LIST, prefix))

    def shrunk_list(self, prefix: str, count: int = 1) -> None:
        """Leave the last `count` episodes out."""
        self.add(Fault(FaultKind.SHRUNK_LIST, prefix, count=count))

    def licensed(self, prefix: str = "/animeultime") -> None:
        """Refuse to play, as anime-ultime does for licensed series."""
        self.add(Fault(FaultKind.LICENSED, prefix))

    def find(self, kind: FaultKind, path: str) -> Fault | None:
        """The switch of this kind that holds for a path."""
        with self._lock:
            for fault in self._active:
                if fault.kind is kind and path.startswith(fault.prefix):
                    return fault
        return None

    def description(self) -> list[Mapping[str, object]]:
        """The active switches as plain values."""
        with self._lock:
            return [asdict(each) for each in self._active]

    def instead_of_page(self, request: Request) -> Reply | None:
        """The answer that a switch gives in the page's place."""
        fault = self._strike(request.path, _WHOLE_PAGE)
        if fault is None:
            return None
        if fault.kind is FaultKind.CHALLENGE:
            return Reply(_CHALLENGE_PAGE, status=fault.status, headers={"Server": "cloudflare"})
        if fault.kind is FaultKind.HTML:
            return Reply(_PLAIN_PAGE)
        reply = Reply(f"<h1>{fault.status}</h1>".encode(), status=fault.status)
        if fault.retry_after_seconds is not None:
            reply.headers["Retry-After"] = str(fault.retry_after_seconds)
        return reply

    def spoil_delivery(self, request: Request, reply: Reply) -> Reply:
        """The same answer, delivered as a switch says."""
        fault = self._strike(request.path, _DELIVERY)
        if fault is not None and fault.kind is FaultKind.SLOW:
            reply.bytes_per_second = fault.bytes_per_second
        elif fault is not None:
            reply.drop_after_bytes = fault.after_bytes
        return reply

    def _strike(self, path: str, kinds: frozenset[FaultKind]) -> Fault | None:
        if not self._active:
            return None
        with self._lock:
            for place, fault in enumerate(self._active):
                if fault.kind in kinds and path.startswith(fault.prefix):
                    self._use(place, fault)
                    return fault
        return None

    def _use(self, place: int, fault: Fault) -> None:
        if fault.times is None:
            return
        if fault.times <= 1:
            del self._active[place]
        else:
            self._active[place] = replace(fault, times=fault.times - 1)
