"""What passes between the engine and the database while a download runs."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone

from downloads import queue
from downloads.engine.types import Command, Limits, Progress
from downloads.models import Download, Limiter
from downloads.queue import Claim
from downloads.states import State
from downloads.stopping import stop_requested

logger = logging.getLogger(__name__)

HEARTBEAT_SECONDS: Final = 1.0


@dataclass
class RunControl:
    """Tells the engine what the database says, and the database what the engine does.

    Both at most once a second: progress is not worth more writes than that.
    """

    claim: Claim
    latest: Progress | None = None
    _limits: Limits | None = None
    _next_beat: float = 0.0
    _command: Command = Command.GO_ON

    def poll(self) -> Command:
        """What to do now; writes the heartbeat when it is time."""
        if stop_requested():
            return Command.HAND_BACK
        if time.monotonic() >= self._next_beat:
            self._next_beat = time.monotonic() + HEARTBEAT_SECONDS
            self._beat()
        return self._command

    def limits(self) -> Limits:
        """The limits as the last heartbeat read them."""
        if self._limits is None:
            self._limits = _limits_for(self.claim, queue.limiter())
        return self._limits

    def progress(self, progress: Progress) -> None:
        """Keep it for the next heartbeat."""
        self.latest = progress

    def _beat(self) -> None:
        try:
            if not queue.renew_lease(self.claim, **self._columns()):
                self._command = _command_for(self.claim)
            shared = queue.limiter()
            if self._command is Command.GO_ON and not queue.may_run_now(self.claim, shared):
                self._command = Command.HAND_BACK
            self._limits = _limits_for(self.claim, shared)
        except OperationalError as error:
            # The lease outlives a short trouble of the database; the fence protects a longer one.
            logger.warning("The heartbeat of %s was not written: %s", self.claim, error)

    def _columns(self) -> dict[str, object]:
        if self.latest is None:
            return {}
        eta = self.latest.eta_seconds
        return {
            "stage": self.latest.stage,
            "bytes_done": self.latest.bytes_done,
            "bytes_total": self.latest.bytes_total,
            "speed_bps": int(self.latest.speed_bps),
            "eta_seconds": None if eta is None else min(int(eta), 2**31 - 1),
        }


def _command_for(claim: Claim) -> Command:
    row = Download.objects.filter(pk=claim.download_id).only("state", "fence").first()
    if row is None or row.state == State.CANCELLED:
        return Command.CANCEL
    if row.fence == claim.fence and row.state == State.PAUSED:
        return Command.PAUSE
    return Command.HAND_BACK


def _limits_for(claim: Claim, limits: Limiter) -> Limits:
    row = Download.objects.filter(pk=claim.download_id).only("rate_limit_bps").first()
    own = row.rate_limit_bps if row else None
    shared = limits.rate_limit_bps
    # The global limit is shared out evenly, because workers do not talk to each other.
    if shared:
        active = max(1, Download.objects.filter(lease_expires_at__gt=timezone.now()).count())
        shared = shared // active
    rates = [rate for rate in (own, shared) if rate]
    return Limits(
        max_connections=settings.MAX_CONNECTIONS_PER_DOWNLOAD,
        rate_limit_bps=min(rates) if rates else None,
        min_free_bytes=settings.MIN_FREE_DISK_MB * 1_000_000,
    )
