"""The cache on the broker's server: a page waits for it once, not for each thing that it asks."""

from __future__ import annotations

from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient

from downloads.messages import broker_breaker


class _Client(redis.Redis):
    def execute_command(self, *args: Any, **options: Any) -> Any:
        if broker_breaker.is_open:
            raise redis.ConnectionError("The broker did not answer a moment ago.")
        try:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]  # redis-py has no types here
        except redis.TimeoutError:
            broker_breaker.trip()
            raise


class _CacheClient(RedisCacheClient):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._client = _Client


class BoundedRedisCache(RedisCache):
    """Django's Redis cache; a server that hangs is asked again only after some seconds."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _CacheClient
