"""How gently sites are asked: requests a second and at once, over all workers and web processes.

The count is kept in Redis, where one script hands out turns: the rate by the generic cell rate
algorithm (GCRA, known from ATM traffic shaping), what runs at once by slots with a lease, so that a
killed process gives its slots back. Without Redis each process keeps its own count: less exact, but
a request never fails for it. Plain Python.
"""

from __future__ import annotations

import contextlib
import itertools
import logging
import os
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit, urlunsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from providers.breaker import Breaker
from providers.errors import BackingOff
from providers.types import Pace

logger = logging.getLogger(__name__)

# Longer than any request lasts (its deadline is 30 s), short enough to be forgotten soon.
SLOT_LEASE_SECONDS = 45.0
_POLL_SECONDS = 0.05
_MAX_POLL_SECONDS = 0.5
_REDIS_TIMEOUT_SECONDS = 1.0
_REST_SECONDS = 5.0
_PACE_DATABASE = 1
# No turn is taken further ahead than this and one interval. What was taken before the clock was set
# back seems to be, and would keep everybody waiting until the clock has caught up.
_FURTHEST_TURN_SECONDS = 300.0
# KEYS: arrival time, slots. ARGV: lease name, seconds between requests, slots, lease, longest wait,
# furthest turn.
# Answers the seconds until the turn, -1 when all slots are taken, -2 when the wait is too long.
_TAKE_TURN = """
local moment = redis.call('TIME')
local now = tonumber(moment[1]) + tonumber(moment[2]) / 1000000
local furthest = now + ARGV[2] + ARGV[6]
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[2], furthest, '+inf')
if redis.call('ZCARD', KEYS[2]) >= tonumber(ARGV[3]) then return '-1' end
local turn = math.max(now, tonumber(redis.call('GET', KEYS[1]) or '0'))
if turn > furthest then turn = now end
if turn - now > tonumber(ARGV[5]) then return '-2' end
local following, lease_end = turn + ARGV[2], turn + ARGV[4]
local function kept(moment) return math.ceil((moment - now) * 1000) + 1000 end
redis.call('SET', KEYS[1], string.format('%.6f', following), 'PX', kept(following))
redis.call('ZADD', KEYS[2], lease_end, ARGV[1])
redis.call('PEXPIRE', KEYS[2], kept(lease_end))
return string.format('%.6f', turn - now)
"""
_ALL_SLOTS_TAKEN = -1.0
_WAIT_TOO_LONG = -2.0


class _TurnCount(Protocol):
    """Where turns are counted."""

    def take(self, key: str, lease: str, pace: Pace, longest_wait: float) -> float:
        """Seconds until the turn that was taken, or one of the two refusals above."""
        ...

    def give_back(self, key: str, lease: str) -> None:
        """Free the slot; the turn itself is spent."""
        ...


class _RedisCount:
    """One count for all processes. Raises redis.RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._take = client.register_script(_TAKE_TURN)

    def take(self, key: str, lease: str, pace: Pace, longest_wait: float) -> float:
        interval = 1.0 / pace.requests_per_second
        answer: Any = self._take(
            keys=[f"pace:{key}:next", f"pace:{key}:slots"],
            args=[
                lease,
                interval,
                pace.max_concurrent,
                SLOT_LEASE_SECONDS,
                longest_wait,
                _FURTHEST_TURN_SECONDS,
            ],
        )
        return float(answer)

    def give_back(self, key: str, lease: str) -> None:
        self._client.zrem(f"pace:{key}:slots", lease)


@dataclass(slots=True)
class _LocalKey:
    next_turn: float = 0.0
    leases: set[str] = field(default_factory=set)


class _LocalCount:
    """A count for this process only."""

    def __init__(self) -> None:
        self._keys: dict[str, _LocalKey] = {}
        self._lock = threading.Lock()

    def take(self, key: str, lease: str, pace: Pace, longest_wait: float) -> float:
        with self._lock:
            known = self._keys.setdefault(key, _LocalKey())
            now = time.monotonic()
            if len(known.leases) >= pace.max_concurrent:
                return _ALL_SLOTS_TAKEN
            turn = max(now, known.next_turn)
            if turn - now > longest_wait:
                return _WAIT_TOO_LONG
            known.next_turn = turn + 1.0 / pace.requests_per_second
            known.leases.add(lease)
            return turn - now

    def give_back(self, key: str, lease: str) -> None:
        with self._lock:
            known = self._keys.get(key)
            if known is not None:
                known.leases.discard(lease)


class Pacer:
    """Hands out turns. Safe to share between threads; one per process.

    Within a process at most `max_concurrent` threads queue at the shared count, so that a batch of
    one worker cannot reserve the next minute for itself while a person waits for another.
    """

    def __init__(self, client: redis.Redis | None) -> None:
        self._shared = _RedisCount(client) if client is not None else None
        self._local = _LocalCount()
        self._breaker = Breaker(rest_seconds=_REST_SECONDS)
        self._queues: dict[tuple[str, int], threading.BoundedSemaphore] = {}
        self._lock = threading.Lock()
        self._name = f"{os.getpid():x}-{secrets.token_hex(4)}"
        self._numbers = itertools.count()

    @contextlib.contextmanager
    def turn(self, key: str, pace: Pace, *, longest_wait_seconds: float) -> Iterator[None]:
        """Wait for a turn at `key` and hold it. Raises BackingOff when the wait is too long."""
        ends_at = time.monotonic() + longest_wait_seconds
        queue = self._queue(key, pace.max_concurrent)
        if not queue.acquire(timeout=max(0.0, longest_wait_seconds)):
            raise _too_long(longest_wait_seconds)
        try:
            lease = f"{self._name}-{next(self._numbers):x}"
            count = self._take(key, lease, pace, ends_at)
            try:
                yield
            finally:
                self._give_back(count, key, lease)
        finally:
            queue.release()

    def _queue(self, key: str, max_concurrent: int) -> threading.BoundedSemaphore:
        name = (key, max_concurrent)
        with self._lock:
            if name not in self._queues:
                self._queues[name] = threading.BoundedSemaphore(max_concurrent)
            return self._queues[name]

    def _take(self, key: str, lease: str, pace: Pace, ends_at: float) -> _TurnCount:
        poll_seconds = _POLL_SECONDS
        while True:
            left = max(0.0, ends_at - time.monotonic())
            count, wait = self._try(key, lease, pace, left)
            if wait >= 0:
                if wait > 0:
                    time.sleep(wait)
                return count
            if wait == _WAIT_TOO_LONG or left == 0:
                raise _too_long(max(1.0, 1.0 / pace.requests_per_second))
            time.sleep(min(poll_seconds, left))
            poll_seconds = min(2 * poll_seconds, _MAX_POLL_SECONDS)

    def _try(self, key: str, lease: str, pace: Pace, left: float) -> tuple[_TurnCount, float]:
        if self._shared is not None and not self._breaker.is_open:
            try:
                return self._shared, self._shared.take(key, lease, pace, left)
            except redis.RedisError as error:
                self._breaker.trip()
                logger.warning("the pace is counted in this process only: %s", error)
        return self._local, self._local.take(key, lease, pace, left)

    def _give_back(self, count: _TurnCount, key: str, lease: str) -> None:
        try:
            count.give_back(key, lease)
        except redis.RedisError as error:
            # The lease ends by itself; the answer that was fetched is what counts.
            logger.warning("a turn could not be given back: %s", error)


def _too_long(seconds: float) -> BackingOff:
    return BackingOff(
        "This site is asked gently and its queue is full; try again later.",
        retry_after_seconds=seconds,
    )


def redis_client(url: str) -> redis.Redis:
    """A client for `redis://`, `rediss://`, `unix://` or kombu's `redis+socket:///path`.

    A database of its own keeps the turns apart from the messages. It never waits for long.
    """
    parts = urlsplit(url)
    if parts.scheme in {"redis+socket", "unix"}:
        address = f"unix://{parts.path}?db={_PACE_DATABASE}"
    else:
        address = urlunsplit(parts._replace(path=f"/{_PACE_DATABASE}"))
    return redis.Redis.from_url(
        address,
        socket_timeout=_REDIS_TIMEOUT_SECONDS,
        socket_connect_timeout=_REDIS_TIMEOUT_SECONDS,
        # A connection that the server has closed meanwhile is made anew; silence is not repeated.
        retry=Retry(NoBackoff(), 1, (redis.ConnectionError,)),
    )
