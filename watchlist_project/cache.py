"""The cache on the broker's server: a page waits for it once, not for each thing that it asks.

What is kept is plain and signed, so that whoever can write to that server cannot make a page read
it: anything that we have not signed counts as absent.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.core.signing import BadSignature, Signer
from redis.typing import KeyT

from downloads.messages import broker_breaker

_ABSENT: Final = object()


class _SignedJson:
    def __init__(self) -> None:
        self._signer = Signer(salt="watchlist_project.cache")

    def dumps(self, obj: Any) -> bytes:
        return self._signer.sign_object(obj).encode()

    def loads(self, data: Any) -> Any:
        try:
            return self._signer.unsign_object(data.decode("latin-1"))
        except BadSignature:
            return _ABSENT


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
        self._serializer = _SignedJson()

    def get(self, key: KeyT, default: Any) -> Any:
        found = super().get(key, _ABSENT)
        return default if found is _ABSENT else found

    def get_many(self, keys: Iterable[KeyT]) -> dict[KeyT, Any]:
        found = super().get_many(keys)
        return {key: value for key, value in found.items() if value is not _ABSENT}


class BoundedRedisCache(RedisCache):
    """Django's Redis cache; a server that hangs is asked again only after some seconds."""

    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _CacheClient
