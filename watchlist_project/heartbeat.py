"""Signs of life in the cache, for the health page: they expire by themselves."""

from __future__ import annotations

import logging

from django.core.cache import cache
from django.utils import timezone
from redis.exceptions import RedisError

logger = logging.getLogger(__name__)


def beat_once(name: str, expires_seconds: int) -> None:
    """Say that `name` is alive now. A broker that is away is logged, not raised."""
    try:
        cache.set(name, timezone.now().isoformat(), expires_seconds)
    except (RedisError, OSError) as error:
        logger.warning("No sign of life from %s: the cache does not answer (%s)", name, error)
