"""The HTTP client of one provider: its base address, its pace and deadlines, a site that has moved.

Plain Python. Each request goes through the one door, `providers.http`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from time import monotonic
from urllib.parse import urlencode, urlsplit

from providers.addresses import moved_base
from providers.answers import FetchedPage
from providers.http import Request, fetch, prepare
from providers.safe_url import EgressPolicy
from providers.types import PageValidator

DEFAULT_DEADLINE_SECONDS = 30.0
MAX_TURN_WAIT_SECONDS = 60.0
_PERMANENT = frozenset({301, 308})

TakeTurn = Callable[[str, float], AbstractContextManager[object]]
"""Waits for a turn, given the host and the longest wait in seconds; left after the answer."""


class SiteHttpClient:
    """The `SiteClient` of one provider; safe to use from several threads.

    Args:
        base_url: current base address, without a trailing slash; "" when there is none.
        policy: which addresses may be reached.
        take_turn: the provider's pace; entered before each request, left after its answer.
        deadline_seconds: for one request with its redirects, the wait for a turn not included.
        ends_at: `time.monotonic()` moment at which every request ends, None for no such bound.
        on_moved: told the new base address when a page answered from another host for good.
    """

    def __init__(
        self,
        base_url: str,
        policy: EgressPolicy,
        *,
        take_turn: TakeTurn | None = None,
        deadline_seconds: float = DEFAULT_DEADLINE_SECONDS,
        ends_at: float | None = None,
        on_moved: Callable[[str], None] | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._policy = policy
        self._take_turn = take_turn
        self._deadline_seconds = deadline_seconds
        self._ends_at = ends_at
        self._on_moved = on_moved

    @property
    def base_url(self) -> str:
        """The current base address, without a trailing slash."""
        return self._base_url

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        known: PageValidator | None = None,
        encoding: str | None = None,
        max_bytes: int = 5_000_000,
    ) -> FetchedPage:
        """GET a page; `known` makes the request conditional."""
        request = prepare(
            "GET", self._absolute(path), max_bytes, headers=headers, params=params, known=known
        )
        request.encoding = encoding
        asked = request.url
        page = self._fetch(request)
        self._report_move(asked, page, request.hop_statuses)
        return page

    def post(
        self,
        path: str,
        *,
        data: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        encoding: str | None = None,
        max_bytes: int = 5_000_000,
    ) -> FetchedPage:
        """POST a form."""
        request = prepare("POST", self._absolute(path), max_bytes, headers=headers)
        request.encoding = encoding
        request.body = urlencode(data, encoding=encoding or "utf-8", errors="replace").encode()
        request.headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self._fetch(request)

    def _absolute(self, path: str) -> str:
        if path.lower().startswith(("http://", "https://")):
            return path
        if path.startswith("//"):
            return f"{urlsplit(self._base_url).scheme}:{path}"
        return f"{self._base_url}/{path.lstrip('/')}"

    def _fetch(self, request: Request) -> FetchedPage:
        waiting: AbstractContextManager[object] = contextlib.nullcontext()
        if self._take_turn is not None:
            host = request.parts.hostname or ""
            waiting = self._take_turn(host, self._seconds_left(MAX_TURN_WAIT_SECONDS))
        with waiting:
            return fetch(request, self._policy, self._seconds_left(self._deadline_seconds))

    def _seconds_left(self, wanted: float) -> float:
        if self._ends_at is None:
            return wanted
        return max(0.0, min(wanted, self._ends_at - monotonic()))

    def _report_move(self, asked: str, page: FetchedPage, hop_statuses: list[int]) -> None:
        is_for_good = hop_statuses and _PERMANENT.issuperset(hop_statuses)
        if self._on_moved is None or not self._base_url or not is_for_good:
            return
        new_base = moved_base(self._base_url, asked, page.url)
        if new_base:
            self._on_moved(new_base)
