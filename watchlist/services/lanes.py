"""Threads that wait for sites: a few for each site, so that one that hangs delays only itself.

A worker's process hands over what it has to ask and is free for the next message at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

logger = logging.getLogger(__name__)

# A lane with this much before it takes no more: what is left stays in the database for anybody.
MAX_WAITING: Final = 25
_LOOK_AGAIN_SECONDS: Final = 0.02

Entry = TypeVar("Entry")


@dataclass(slots=True)
class _Lane(Generic[Entry]):
    """One site. Its threads stay, and with them their open connections to it."""

    at_once: int
    pool: ThreadPoolExecutor
    waiting: deque[Entry] = field(default_factory=deque)
    working: int = 0
    has_more: bool = False  # somebody found it full


class Lanes(Generic[Entry]):
    """Asks entry after entry of each site, in as many threads as the site may be asked at once."""

    def __init__(
        self,
        *,
        ask: Callable[[Entry], None],
        at_once: Callable[[str], int],
        fetch_more: Callable[[str], Iterable[Entry]],
        at_rest: Callable[[], None],
    ) -> None:
        """Nothing is started before something is added.

        Args:
            ask: ask one entry; runs in a thread of its site.
            at_once: how many threads a site gets.
            fetch_more: what was left of a site while its lane was full, none when nothing is left.
            at_rest: called in a thread that has nothing to do for now.
        """
        self._ask = ask
        self._at_once = at_once
        self._fetch_more = fetch_more
        self._at_rest = at_rest
        self._lanes: dict[str, _Lane[Entry]] = {}
        self._asking: list[Entry] = []
        self._lock = threading.Lock()
        self._is_closed = False

    def has_room(self, site: str) -> bool:
        """Whether a site's lane takes more; if not, it will fetch more by itself."""
        with self._lock:
            lane = self._lane(site)
            is_full = len(lane.waiting) >= MAX_WAITING
            lane.has_more |= is_full
            return not is_full and not self._is_closed

    def add(self, site: str, entries: Iterable[Entry]) -> None:
        """Ask these too."""
        with self._lock:
            lane = self._lane(site)
            lane.waiting.extend(entries)
            starting = max(0, min(lane.at_once - lane.working, len(lane.waiting)))
            lane.working += starting
        for _ in range(starting):
            lane.pool.submit(self._work, site)

    def close(self, patience_seconds: float) -> list[Entry]:
        """Take no more, wait for what is being asked; returns what has no answer then."""
        with self._lock:
            self._is_closed = True
            unasked = [entry for lane in self._lanes.values() for entry in lane.waiting]
            for lane in self._lanes.values():
                lane.waiting.clear()
                lane.has_more = False
                lane.pool.shutdown(wait=False)
        ends_at = time.monotonic() + patience_seconds
        while self._asking and time.monotonic() < ends_at:
            time.sleep(_LOOK_AGAIN_SECONDS)
        with self._lock:
            return unasked + self._asking

    def _lane(self, site: str) -> _Lane[Entry]:
        lane = self._lanes.get(site)
        if lane is None:
            at_once = self._at_once(site)
            pool = ThreadPoolExecutor(at_once, thread_name_prefix=site)
            lane = self._lanes[site] = _Lane(at_once, pool)
        return lane

    def _work(self, site: str) -> None:
        try:
            while (entry := self._next(site)) is not None:
                try:
                    self._ask(entry)
                except Exception:
                    logger.exception("Asking %s broke", site)
                with self._lock:
                    self._asking.remove(entry)
        finally:
            self._at_rest()

    def _next(self, site: str) -> Entry | None:
        lane = self._lanes[site]
        while True:
            with self._lock:
                if lane.waiting:
                    self._asking.append(lane.waiting[0])
                    return lane.waiting.popleft()
                if not lane.has_more:
                    lane.working -= 1
                    return None
                lane.has_more = False
            self._refill(site, lane)

    def _refill(self, site: str, lane: _Lane[Entry]) -> None:
        try:
            found = list(self._fetch_more(site))
        except Exception:
            # The rows stay queued; the repairing tick brings them on.
            logger.exception("What waits for %s could not be read", site)
            return
        if found and not self._is_closed:
            # Where there were some there may be more.
            lane.has_more = True
            self.add(site, found)
