"""How often one user may ask for what costs a provider something; the cache counts."""

from __future__ import annotations

import logging

from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import ScopedRateThrottle
from rest_framework.views import APIView

logger = logging.getLogger(__name__)


class ScopedThrottle(ScopedRateThrottle):
    """Counts by user and scope; nobody is turned away because the cache does not answer."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Whether this request may go on now."""
        try:
            return super().allow_request(request, view)
        except (RedisError, OSError) as error:
            logger.warning("Requests are not counted, the cache does not answer: %s", error)
            return True
