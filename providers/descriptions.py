"""What people are shown of each provider, its health in one word included."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from providers import registry, states
from providers.base import SiteAdapter
from providers.models import ProviderState
from providers.types import Capability


@dataclass(frozen=True, slots=True)
class ProviderDescription:
    """What people are shown of a provider."""

    id: str
    name: str
    enabled: bool
    base_url: str  # "" for a provider without one site
    languages: tuple[str, ...]
    capabilities: tuple[str, ...]
    health: str  # "ok", "degraded", "backing_off", "blocked", "off" or "unknown"
    retry_at: datetime | None  # aware UTC; set while the provider is left alone
    last_error_code: str
    last_error: str
    example_url: str
    searchable: bool


def describe() -> list[ProviderDescription]:
    """Every provider as people see it."""
    known = states.all_states()
    return [
        _description(adapter, known.get(adapter.id) or ProviderState(provider_id=adapter.id))
        for adapter in registry.ADAPTERS
    ]


def _description(adapter: type[SiteAdapter], state: ProviderState) -> ProviderDescription:
    retry_at = states.left_alone_until(state)
    return ProviderDescription(
        id=adapter.id,
        name=adapter.name,
        enabled=states.is_enabled(state),
        base_url=states.effective_base_url(adapter, state),
        languages=adapter.languages,
        capabilities=tuple(sorted(adapter.capabilities)),
        health=_health_word(adapter, state, retry_at),
        retry_at=retry_at,
        last_error_code=state.last_error_code,
        last_error=state.last_error_message,
        example_url=adapter.example_url,
        searchable=Capability.SEARCH in adapter.capabilities,
    )


def _health_word(
    adapter: type[SiteAdapter], state: ProviderState, retry_at: datetime | None
) -> str:
    if not states.is_enabled(state):
        return "off"
    if state.level and state.last_error_code == "blocked":
        return "blocked"
    if retry_at is not None:
        return "backing_off"
    if state.level:
        return "degraded"
    if state.last_success_at is None and adapter.default_base_url:
        return "unknown"
    return "ok"
