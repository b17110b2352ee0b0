"""One question to one provider: may it be asked, at what pace, and what its answer says of it."""

from __future__ import annotations

import functools
import logging
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.conf import settings
from django.utils import timezone

from providers import registry, states
from providers.base import SiteAdapter
from providers.errors import (
    BackingOff,
    EmptyList,
    FileNotYet,
    LayoutChanged,
    Licensed,
    NotFound,
    ProviderDisabled,
    ProviderError,
    TooLarge,
    UnknownProvider,
    Unreachable,
)
from providers.models import ProviderState
from providers.pace import Pacer, redis_client
from providers.site_client import SiteHttpClient
from providers.types import EpisodeList, Pace

logger = logging.getLogger(__name__)

# The site did answer, so these errors are no sign of ill health.
_SIGNS_OF_LIFE = (NotFound, TooLarge, EmptyList, Licensed, FileNotYet)

Answer = TypeVar("Answer")


def adapter_of(provider_id: str) -> type[SiteAdapter]:
    """The adapter with this id. Raises UnknownProvider."""
    for adapter in registry.ADAPTERS:
        if adapter.id == provider_id:
            return adapter
    raise UnknownProvider("There is no such provider.")


@dataclass(slots=True)
class Question:
    """One question to one provider, and what its client learned on the way."""

    adapter: SiteAdapter
    state: ProviderState
    base_url: str
    started_at: datetime
    moves: list[str]
    ends_at: float | None  # `time.monotonic()`; None when only the request's own deadline counts

    @classmethod
    def prepare(
        cls, adapter: type[SiteAdapter], *, by_hand: bool = False, ends_at: float | None = None
    ) -> Question:
        """A question that may be asked now, or is the one probe of a provider that failed.

        A person who asks `by_hand` may try a provider that is backing off. Raises ProviderDisabled
        and BackingOff.
        """
        state = states.state_of(adapter.id)
        wait_seconds = seconds_to_wait(state)
        if by_hand:
            return cls.build(adapter, state, ends_at=ends_at)
        if wait_seconds > 0:
            raise backing_off(wait_seconds)
        if state.retry_at is not None and not states.claim_probe(state, timezone.now()):
            raise backing_off(1.0)
        return cls.build(adapter, state, ends_at=ends_at)

    @classmethod
    def build(
        cls, adapter: type[SiteAdapter], state: ProviderState, *, ends_at: float | None = None
    ) -> Question:
        """A question whether or not the provider may be asked."""
        base_url = states.effective_base_url(adapter, state)
        moves: list[str] = []
        client = SiteHttpClient(
            base_url,
            settings.EGRESS_POLICY,
            take_turn=functools.partial(_take_turn, adapter),
            ends_at=ends_at,
            on_moved=moves.append,
        )
        return cls(adapter(client), state, base_url, timezone.now(), moves, ends_at)

    def put(self, ask: Callable[[SiteAdapter], Answer]) -> Answer:
        """The adapter's answer, nothing recorded. Raises the ProviderError family only.

        An adapter's surprise at a hostile page is a page that cannot be read.
        """
        try:
            return ask(self.adapter)
        except ProviderError:
            raise
        except Exception as error:
            logger.exception("the adapter of %s failed", self.adapter.id)
            raise LayoutChanged("page", "The site's page could not be read.") from error

    def record(self, error: ProviderError | None) -> None:
        """Write what the answer says about the provider's health.

        A provider without one site has no common health: one broken feed says nothing of others.
        Nor does it say much that a site was slower than a person would wait.
        """
        if not self.base_url:
            return
        if error is None or isinstance(error, _SIGNS_OF_LIFE):
            states.record_success(self.adapter.id, self.started_at)
        elif error.counts_against_health and not self._was_cut_short(error):
            states.record_failure(self.adapter.id, error, self.started_at)

    def _was_cut_short(self, error: ProviderError) -> bool:
        is_late = self.ends_at is not None and time.monotonic() >= self.ends_at
        return is_late and isinstance(error, Unreachable)

    def answer(self, ask: Callable[[SiteAdapter], Answer]) -> Answer:
        """The adapter's answer; health and address are recorded. Raises ProviderErrors."""
        try:
            found = self.put(ask)
        except ProviderError as error:
            self.record(error)
            raise
        self.record(None)
        if self.moves and _shows_the_site(found):
            states.remember_move(type(self.adapter), self.state, self.moves[-1])
        return found


def _shows_the_site(found: object) -> bool:
    """Whether an answer can only be the site's own.

    Whoever bought an old domain may keep the paths when redirecting, and every page has a title;
    only the site itself has a list of episodes.
    """
    return isinstance(found, EpisodeList) and (found.unchanged or bool(found.episodes))


def pace_in_use(adapter: type[SiteAdapter]) -> Pace:
    """How gently a provider is asked: as the settings say, else as its adapter does."""
    return settings.PROVIDER_PACE.get(adapter.id, adapter.pace)


def seconds_to_wait(state: ProviderState) -> float:
    """Seconds until this provider may be asked, 0 when it may. Raises ProviderDisabled."""
    if not states.is_enabled(state):
        raise ProviderDisabled("This provider is switched off.")
    until = states.left_alone_until(state)
    return 0.0 if until is None else max(0.0, (until - timezone.now()).total_seconds())


def backing_off(wait_seconds: float) -> BackingOff:
    """The error for a provider that is left alone."""
    return BackingOff(
        "This provider failed lately and is left alone for a while.",
        retry_after_seconds=wait_seconds,
    )


def _take_turn(
    adapter: type[SiteAdapter], host: str, longest_wait_seconds: float
) -> AbstractContextManager[None]:
    """Sites have one pace each; a provider without one site has one for each host."""
    key = adapter.id if adapter.default_base_url else f"{adapter.id}:{host}"
    pacer = _pacer(os.getpid(), settings.REDIS_URL)
    return pacer.turn(key, pace_in_use(adapter), longest_wait_seconds=longest_wait_seconds)


@functools.cache
def _pacer(_process_id: int, redis_url: str) -> Pacer:
    """One per process: a forked child must not share its parent's connections."""
    return Pacer(redis_client(redis_url))
