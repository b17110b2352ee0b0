"""`/healthz`: whether every part is alive, in words that give nothing away."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooSlow
from time import monotonic
from typing import Final

from django.core.cache import cache
from django.db import DatabaseError, InterfaceError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from redis.exceptions import RedisError

from watchlist.services.scheduler import is_beat_alive

logger = logging.getLogger(__name__)

TIMEOUT_SECONDS: Final = 2.5
WORKER_KEYS: Final = ("worker:checks", "worker:downloads")
Words = dict[str, str]

# A database or broker that hangs keeps a thread, never the request; the pool bounds how many.
_POOL: Final = ThreadPoolExecutor(max_workers=4, thread_name_prefix="health")


def healthz(request: HttpRequest) -> HttpResponse:
    """200 when all is well, else 503; each part is "ok" or a short word."""
    if request.method not in {"GET", "HEAD"}:
        detail = {"detail": "Only GET is allowed here.", "code": "method_not_allowed"}
        return JsonResponse(detail, status=405, headers={"Allow": "GET, HEAD"})
    words = _ask_all()
    is_well = all(word == "ok" for word in words.values())
    answer = {"status": "ok" if is_well else "error", **words}
    return JsonResponse(
        answer, status=200 if is_well else 503, headers={"Cache-Control": "no-store"}
    )


def _ask_all() -> Words:
    ends_at = monotonic() + TIMEOUT_SECONDS
    database = _POOL.submit(_in_thread, _ask_database)
    broker = _POOL.submit(_in_thread, _ask_broker)
    found = _answer(database, ends_at, {"database": "slow", "beat": "unknown"})
    found |= _answer(broker, ends_at, {"broker": "slow", "workers": "unknown"})
    return {name: found[name] for name in ("database", "broker", "workers", "beat")}


def _answer(future: Future[Words], ends_at: float, otherwise: Words) -> Words:
    try:
        return future.result(timeout=max(0.0, ends_at - monotonic()))
    except TooSlow:
        future.cancel()
        return otherwise


def _in_thread(ask: Callable[[], Words]) -> Words:
    try:
        return ask()
    finally:
        connection.close()


def _ask_database() -> Words:
    try:
        return {"database": "ok", "beat": "ok" if is_beat_alive() else "missing"}
    except (DatabaseError, InterfaceError) as error:
        logger.warning("The database does not answer: %s", error)
        return {"database": "down", "beat": "unknown"}


def _ask_broker() -> Words:
    try:
        alive = cache.get_many(WORKER_KEYS)
    except (RedisError, OSError) as error:
        logger.warning("The broker does not answer: %s", error)
        return {"broker": "down", "workers": "unknown"}
    return {"broker": "ok", "workers": "ok" if len(alive) == len(WORKER_KEYS) else "missing"}
