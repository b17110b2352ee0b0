"""Every request of the site: the log, the switches, the pages and their validators."""

from __future__ import annotations

import hashlib
import threading
from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import format_datetime
from http import HTTPStatus

from providers.demo import animesama, animeultime, feeds, hosts, media, nekosama
from providers.demo.context import Context, Handler
from providers.demo.posters import PosterStore
from providers.demo.wire import Reply, Request

_MOST_LOGGED = 50_000
_MOST_KEPT_PAGES = 2_000
_PAGE_SECTIONS: Mapping[str, Handler] = {
    "animesama": animesama.answer,
    "nekosama": nekosama.answer,
    "animeultime": animeultime.answer,
    "feeds": feeds.answer,
}
_OTHER_SECTIONS: Mapping[str, Handler] = {"hosts": hosts.answer, "media": media.answer}
_POSTER_SUFFIX = ".png"


@dataclass(frozen=True, slots=True)
class LoggedRequest:
    """One request that was answered."""

    method: str
    path: str
    target: str
    headers: Mapping[str, str]  # names in lower case
    status: int


class RequestLog:
    """What was asked of the site, the latest 50,000 requests; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: deque[LoggedRequest] = deque(maxlen=_MOST_LOGGED)
        self._counts: Counter[str] = Counter()

    def add(self, request: Request, status: int) -> None:
        """Note one."""
        entry = LoggedRequest(
            request.method, request.path, request.target, request.headers, int(status)
        )
        with self._lock:
            self._requests.append(entry)
            self._counts[_section(request.path)] += 1

    def all(self, prefix: str = "/") -> list[LoggedRequest]:
        """Those whose path begins with `prefix`, oldest first."""
        with self._lock:
            return [each for each in self._requests if each.path.startswith(prefix)]

    def count(self, prefix: str = "/") -> int:
        """How many there were below `prefix`."""
        return len(self.all(prefix))

    def counts(self) -> dict[str, int]:
        """How many there were of each section, the first part of the path."""
        with self._lock:
            return dict(self._counts)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._requests.clear()
            self._counts.clear()


class SiteApplication:
    """Answers requests; pages are made once and kept until something changes."""

    def __init__(self, context: Context, log: RequestLog, control: Handler) -> None:
        self.moved_to_port: int | None = None
        self._context = context
        self._log = log
        self._control = control
        self._posters = PosterStore()
        self._pages: dict[tuple[str, str], Reply] = {}

    def forget_pages(self) -> None:
        """Make pages anew from now on."""
        self._pages = {}

    def __call__(self, request: Request) -> Reply:
        """The answer to a request."""
        if request.path == "/control":
            return self._control(self._context, request) or _not_found()
        reply = self._answer(request)
        self._log.add(request, reply.status)
        return reply

    def _answer(self, request: Request) -> Reply:
        if self.moved_to_port not in {None, request.port}:
            location = f"http://127.0.0.1:{self.moved_to_port}{request.target}"
            return Reply(status=HTTPStatus.MOVED_PERMANENTLY, headers={"Location": location})
        spoilt = self._context.faults.instead_of_page(request)
        reply = spoilt or self._page(request) or _not_found()
        return self._context.faults.spoil_delivery(request, reply)

    def _page(self, request: Request) -> Reply | None:
        section = _section(request.path)
        if section in _PAGE_SECTIONS:
            return self._conditional(request, _PAGE_SECTIONS[section])
        if section == "posters":
            return self._poster(request)
        handler = _OTHER_SECTIONS.get(section)
        return handler(self._context, request) if handler else None

    def _conditional(self, request: Request, handler: Handler) -> Reply | None:
        """A page under its validators, or 304 (RFC 9110 section 13)."""
        if request.method not in {"GET", "HEAD"}:
            with self._context.lock:
                return handler(self._context, request)
        pages, key = self._pages, (request.target, request.origin)
        page = pages.get(key)
        if page is None:
            with self._context.lock:
                page = handler(self._context, request)
            if page is None or page.status != HTTPStatus.OK:
                return page
            self._validate(page)
            if len(pages) < _MOST_KEPT_PAGES:
                pages[key] = page
        if _is_known(request, page):
            return Reply(status=HTTPStatus.NOT_MODIFIED, headers=page.headers)
        return Reply(page.body, page.content_type, headers=page.headers)

    def _validate(self, page: Reply) -> None:
        page.headers["ETag"] = f'"{hashlib.blake2b(page.body, digest_size=12).hexdigest()}"'
        moment = self._context.catalogue.changed_at
        page.headers["Last-Modified"] = format_datetime(moment, usegmt=True)

    def _poster(self, request: Request) -> Reply | None:
        slug = request.path.removeprefix("/posters/").removesuffix(_POSTER_SUFFIX)
        try:
            work = self._context.catalogue.work(slug)
        except KeyError:
            return None
        return media.in_ranges(request, self._posters.png(slug, work.title), "image/png")


def _section(path: str) -> str:
    return path[1:].partition("/")[0]


def _is_known(request: Request, page: Reply) -> bool:
    etag = request.headers.get("if-none-match")
    if etag is not None:
        return page.headers["ETag"] in etag or etag == "*"
    return request.headers.get("if-modified-since") == page.headers["Last-Modified"]


def _not_found() -> Reply:
    return Reply(b"<h1>404 Not Found</h1>", status=HTTPStatus.NOT_FOUND)
