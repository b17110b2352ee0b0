"""The schedule from the database, with a sign of life for the scheduler's status."""

from __future__ import annotations

import time
from typing import Any

from django_celery_beat.schedulers import DatabaseScheduler

from watchlist_project.heartbeat import beat_once

HEARTBEAT_KEY = "beat:alive"
_EVERY_SECONDS = 5.0
_EXPIRES_SECONDS = 20


class HeartbeatScheduler(DatabaseScheduler):
    """Beats once per few seconds from inside the tick, so a tick that hangs is not alive."""

    _last_beat = 0.0

    def tick(self, *args: Any, **kwargs: Any) -> float:
        """Run what is due, then say so."""
        delay: float = super().tick(*args, **kwargs)
        now = time.monotonic()
        if now - self._last_beat >= _EVERY_SECONDS:
            self._last_beat = now
            beat_once(HEARTBEAT_KEY, _EXPIRES_SECONDS)
        return delay
