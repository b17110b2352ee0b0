"""The only writer of ProviderState: switching, addresses, the record of failures and successes.

Every write is a conditional update, so of several workers that met the same outage one wins and the
others change nothing. While all is well a success is written at most once a minute.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection
from django.utils import timezone

from providers import health
from providers.base import SiteAdapter
from providers.errors import ProviderError
from providers.models import ProviderState
from providers.text import clean_text

CACHE_SECONDS = 2.0
_SUCCESS_EVERY = timedelta(minutes=1)
_PROBE_SECONDS = 60.0
# The original site closed in 2024: it is asked only when somebody names an address for it.
_OFF_WITHOUT_ADDRESS = frozenset({"nekosama"})


@dataclass(slots=True)
class _Cache:
    read_at: float
    states: Mapping[str, ProviderState]


_cache = _Cache(float("-inf"), {})


def all_states() -> Mapping[str, ProviderState]:
    """Every stored state by provider id, at most two seconds old.

    Inside a transaction, where no site is ever asked, always the present one.
    """
    if connection.in_atomic_block:
        return _read()
    now = time.monotonic()
    if now - _cache.read_at > CACHE_SECONDS:
        _cache.states = _read()
        _cache.read_at = now
    return _cache.states


def state_of(provider_id: str) -> ProviderState:
    """The state of one provider, at most two seconds old; never stored yet counts as empty."""
    return all_states().get(provider_id) or ProviderState(provider_id=provider_id)


def forget_cache() -> None:
    """Read afresh the next time; every write here does it for its own process."""
    _cache.read_at = float("-inf")


def _read() -> Mapping[str, ProviderState]:
    return {state.provider_id: state for state in ProviderState.objects.all()}


def is_enabled(state: ProviderState) -> bool:
    """Whether this provider may be asked: as an administrator decided, else as the settings say."""
    if state.enabled is not None:
        return state.enabled
    provider_id = state.provider_id
    return provider_id not in _OFF_WITHOUT_ADDRESS or provider_id in settings.PROVIDER_BASE_URLS


def effective_base_url(adapter: type[SiteAdapter], state: ProviderState) -> str:
    """The address in use, without a trailing slash.

    An administrator's choice, else the settings, else the adapter's own. A remembered move counts
    for as long as the address it started from is the configured one.
    """
    configured = settings.PROVIDER_BASE_URLS.get(adapter.id) or adapter.default_base_url
    configured = configured.rstrip("/")
    is_current = state.is_base_url_manual or state.moved_from == configured
    return state.base_url if state.base_url and is_current else configured


def left_alone_until(state: ProviderState) -> datetime | None:
    """The moment until which a provider is left alone, None when it may be asked now.

    A moment further ahead than the longest wait was written before the clock was set back.
    """
    now = timezone.now()
    is_ahead = state.retry_at is not None and now < state.retry_at <= now + health.LONGEST_WAIT
    return state.retry_at if is_ahead else None


def set_enabled(provider_id: str, *, enabled: bool | None) -> None:
    """Switch a provider on or off; None leaves it to the settings."""
    _write(provider_id, {}, enabled=enabled)


def set_base_url(provider_id: str, base_url: str) -> None:
    """Give a provider another address, "" for the configured one; it starts with a clean record."""
    _write(
        provider_id,
        {},
        base_url=base_url,
        is_base_url_manual=bool(base_url),
        moved_from="",
        level=0,
        retry_at=None,
        first_failure_at=None,
        last_error_code="",
        last_error_message="",
    )


def remember_move(adapter: type[SiteAdapter], state: ProviderState, new_base_url: str) -> None:
    """Use the address that a site redirects to, unless somebody chose another one meanwhile."""
    configured = effective_base_url(adapter, ProviderState(provider_id=adapter.id))
    _write(
        adapter.id,
        {"base_url": state.base_url, "is_base_url_manual": state.is_base_url_manual},
        base_url=new_base_url.rstrip("/"),
        moved_from=effective_base_url(adapter, state) if state.is_base_url_manual else configured,
    )


def claim_probe(state: ProviderState, now: datetime) -> bool:
    """Whether this caller is the one that tries a provider whose waiting time is over."""
    return _write(
        state.provider_id,
        {"retry_at": state.retry_at},
        retry_at=now + timedelta(seconds=_PROBE_SECONDS),
    )


def record_success(provider_id: str, started_at: datetime) -> None:
    """Note that a site answered. Step down one rung; while healthy at most one write a minute."""
    state, now = state_of(provider_id), timezone.now()
    is_healthy = state.level == 0 and state.retry_at is None and not state.last_error_code
    if is_healthy and state.last_success_at and now - state.last_success_at < _SUCCESS_EVERY:
        return
    if state.last_failure_at is not None and started_at < state.last_failure_at <= now:
        # The answer is older than the failure that was recorded since.
        return
    step = health.after_success(state.level)
    changes: dict[str, Any] = {"level": step.level, "retry_at": None, "last_success_at": now}
    if step.level == 0:
        changes |= {"first_failure_at": None, "last_error_code": "", "last_error_message": ""}
    _write(provider_id, {"level": state.level, "last_failure_at": state.last_failure_at}, **changes)


def clear_back_off(provider_id: str) -> None:
    """Open a provider at once, after a person has tried it with success."""
    _write(
        provider_id,
        {},
        level=0,
        retry_at=None,
        first_failure_at=None,
        last_success_at=timezone.now(),
        last_error_code="",
        last_error_message="",
    )


def record_failure(provider_id: str, error: ProviderError, started_at: datetime) -> None:
    """Note a failure that makes the whole provider suspect; one outage counts once.

    Requests that were under way when another one failed do not climb a second rung.
    """
    state = ProviderState.objects.filter(pk=provider_id).first()
    state = state or ProviderState(provider_id=provider_id)
    now = timezone.now()
    if state.last_failure_at is not None and started_at <= state.last_failure_at <= now:
        return
    step = health.after_failure(
        state.level,
        now,
        retry_after_seconds=error.retry_after_seconds,
        random_ratio=random.random,
    )
    _write(
        provider_id,
        {"level": state.level, "last_failure_at": state.last_failure_at},
        level=step.level,
        retry_at=step.retry_at,
        first_failure_at=state.first_failure_at or now,
        last_failure_at=now,
        last_error_code=error.code,
        last_error_message=clean_text(str(error), 500),
    )


def _write(provider_id: str, expected: dict[str, Any], **changes: Any) -> bool:
    """Update the row if it still has the expected values; make it first when there is none."""
    ProviderState.objects.bulk_create(
        [ProviderState(provider_id=provider_id)], ignore_conflicts=True
    )
    conditions = {
        f"{name}__isnull" if value is None else name: True if value is None else value
        for name, value in expected.items()
    }
    rows = ProviderState.objects.filter(pk=provider_id, **conditions)
    is_written = rows.update(**changes, updated_at=timezone.now()) == 1
    forget_cache()
    return is_written
