"""What passes between the engine and the database while a download runs."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from downloads import heartbeat, queue
from downloads.claims import Claim, renew_lease
from downloads.engine.types import Command, Limits, Progress
from downloads.heartbeat import Standing
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
    _host_share: int = 1
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
            self._limits = self._obey(heartbeat.ask(self.claim))
        return self._limits

    def host_connections(self, host: str) -> int:
        """This download's share of the connections to a host, at least one.

        All servers of a video host are counted as one, so it is the same for each `host`.
        """
        del host
        return self._host_share

    def progress(self, progress: Progress) -> None:
        """Keep it for the next heartbeat."""
        self.latest = progress

    def _beat(self) -> None:
        try:
            is_held = self._tell()
            standing = heartbeat.ask(self.claim)
        except (OperationalError, InterfaceError) as error:
            # The lease outlives a short trouble of the database; the fence protects a longer one.
            logger.warning("The heartbeat of %s was not written: %s", self.claim, error)
            connection.close_if_unusable_or_obsolete()
            return
        self._command = _command_from(standing, self.claim, is_held=is_held)
        self._limits = self._obey(standing)

    def _obey(self, standing: Standing | None) -> Limits:
        sharers = 1 if standing is None else max(1, standing.same_host_count)
        self._host_share = max(1, settings.MAX_CONNECTIONS_PER_HOST // sharers)
        return _limits_from(standing)

    def _tell(self) -> bool:
        if self.latest is None:
            return renew_lease(self.claim)
        return heartbeat.tell(self.claim, self.latest)


def _command_from(standing: Standing | None, claim: Claim, *, is_held: bool) -> Command:
    if standing is None:
        return Command.CANCEL
    if is_held:
        # The window never holds back what a person asked for.
        window = standing.window_start, standing.window_end
        may_run = not standing.is_automatic or queue.is_open(*window, timezone.now())
        return Command.GO_ON if may_run else Command.HAND_BACK
    if standing.state is State.CANCELLED:
        return Command.CANCEL
    if standing.fence == claim.fence and standing.state is State.PAUSED:
        return Command.PAUSE
    return Command.HAND_BACK


def _limits_from(standing: Standing | None) -> Limits:
    rates: list[int] = []
    if standing is not None and standing.rate_limit_bps:
        rates.append(standing.rate_limit_bps)
    if standing is not None and standing.shared_rate_limit_bps:
        # It is shared out evenly, because workers do not talk to each other.
        share = standing.shared_rate_limit_bps // max(1, standing.running_count)
        rates.append(max(1, share))  # 0 would let nothing through, for ever
    connections: int = settings.MAX_CONNECTIONS_PER_DOWNLOAD
    if standing is not None:
        by_provider = settings.MAX_CONNECTIONS_BY_PROVIDER
        connections = by_provider.get(standing.provider_id, connections)
    return Limits(
        max_connections=connections,
        rate_limit_bps=min(rates) if rates else None,
        min_free_bytes=settings.MIN_FREE_DISK_MB * 1_000_000,
    )
