"""The only door of this app: everything that other apps ask of sites and video hosts.

Each question is asked only of a provider that is on and not backing off, at its pace, through the
guarded HTTP door; afterwards its health is recorded and every text of the answer is cleaned.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from urllib.parse import SplitResult

from django.conf import settings
from django.utils import timezone

from providers import addresses, cleaning, http, registry, states
from providers.base import Page, SiteAdapter
from providers.errors import NotASeries, NotFound
from providers.hosts.direct import DirectResolver
from providers.hosts.pages import PageResolver
from providers.models import ProviderState
from providers.questions import Question, adapter_of, backing_off, seconds_to_wait
from providers.safe_url import check_url
from providers.searching import SEARCH_SECONDS, SearchOutcome, search
from providers.streams import Stream, VideoSource
from providers.types import (
    Capability,
    EpisodeList,
    Pace,
    PageValidator,
    SeriesDetails,
    SeriesLocator,
)

__all__ = [
    "DETAILS_SECONDS",
    "SEARCH_SECONDS",
    "ProviderDescription",
    "SearchOutcome",
    "availability",
    "describe",
    "details",
    "fetch_bytes",
    "list_episodes",
    "locate",
    "open_source",
    "pace_of",
    "provider_ids",
    "recognise",
    "resolve",
    "search",
    "set_base_url",
    "set_enabled",
    "test_provider",
    "url_of",
    "with_language",
]

DETAILS_SECONDS = 20.0

_Answer = TypeVar("_Answer")


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


def provider_ids() -> tuple[str, ...]:
    """Every provider, switched on or not, in the order to show them."""
    return tuple(adapter.id for adapter in registry.ADAPTERS)


def describe() -> list[ProviderDescription]:
    """Every provider as people see it."""
    known = states.all_states()
    return [
        _description(adapter, known.get(adapter.id) or ProviderState(provider_id=adapter.id))
        for adapter in registry.ADAPTERS
    ]


def availability(provider_id: str) -> None:
    """Nothing when the provider may be asked now.

    Raises UnknownProvider, ProviderDisabled and BackingOff.
    """
    adapter_of(provider_id)
    wait_seconds = seconds_to_wait(states.state_of(provider_id))
    if wait_seconds > 0:
        raise backing_off(wait_seconds)


def pace_of(provider_id: str) -> Pace:
    """How gently this provider is asked. Raises UnknownProvider."""
    return settings.PROVIDER_PACE.get(provider_id, adapter_of(provider_id).pace)


def locate(provider_id: str, url: str) -> SeriesLocator:
    """What a URL names at this provider, without asking it.

    Raises UnknownProvider, NotASeries (its message shows what an address looks like) and
    EgressRefused.
    """
    adapter = adapter_of(provider_id)
    parts = check_url(url.strip())
    owner = _owner_of(parts)
    if owner is not None and owner is not adapter:
        raise _not_a_series(adapter, f"This is an address of {owner.name}.")
    if owner is None:
        addresses.refuse_private_host(parts, settings.EGRESS_POLICY)
        if adapter.default_base_url:
            raise _not_a_series(adapter, f"This is not an address of {adapter.name}.")
    base_url = states.effective_base_url(adapter, states.state_of(provider_id))
    try:
        return cleaning.clean_locator(adapter.locate(parts, base_url))
    except NotASeries as error:
        raise _not_a_series(adapter, str(error)) from error


def recognise(url: str) -> tuple[str, SeriesLocator]:
    """The provider that a URL belongs to, and what it names there.

    Raises NotASeries and EgressRefused.
    """
    owner = _owner_of(check_url(url.strip()))
    for adapter in registry.ADAPTERS:
        if adapter is owner or (owner is None and not adapter.default_base_url):
            return adapter.id, locate(adapter.id, url)
    raise NotASeries("No provider knows this address.")


def with_language(provider_id: str, series_ref: str, lang: str) -> str | None:
    """The same season's reference in another language, None when only the site knows it."""
    return adapter_of(provider_id).with_language(series_ref, lang)


def url_of(provider_id: str, series_ref: str) -> str:
    """The address of a series at the provider's current base address, for people to open."""
    adapter = adapter_of(provider_id)
    return adapter.url_of(
        series_ref, states.effective_base_url(adapter, states.state_of(provider_id))
    )


def details(
    provider_id: str, series_ref: str, lang: str, *, deadline_seconds: float = DETAILS_SECONDS
) -> SeriesDetails:
    """What the site tells of a series. Raises the ProviderError family."""
    found = _ask(
        provider_id,
        lambda adapter: adapter.details(series_ref, lang),
        ends_at=time.monotonic() + deadline_seconds,
    )
    return cleaning.clean_details(found)


def list_episodes(
    provider_id: str,
    series_ref: str,
    lang: str,
    known: Mapping[str, PageValidator],
    *,
    by_hand: bool = False,
) -> EpisodeList:
    """Every episode on offer in airing order, or the word that nothing changed.

    `known` holds the validators of the last answer, by page role. A person who asks `by_hand` does
    not wait for a provider that is backing off. Raises the ProviderError family.
    """
    found = _ask(
        provider_id,
        lambda adapter: adapter.list_episodes(series_ref, lang, known),
        by_hand=by_hand,
    )
    return cleaning.clean_episodes(found)


def resolve(provider_id: str, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
    """Where to get an episode, best first, never empty. Raises the ProviderError family."""
    found = _ask(provider_id, lambda adapter: adapter.resolve(series_ref, episode_ref, lang))
    return cleaning.clean_sources(found)


def open_source(source: VideoSource, max_height: int | None) -> list[Stream]:
    """The streams of a source, best first, none above `max_height` unless nothing else is there.

    Raises UnsupportedHost, Protected and others of the ProviderError family.
    """
    for resolver in (DirectResolver(), PageResolver(settings.EGRESS_POLICY)):
        if resolver.accepts(source):
            return resolver.resolve(source, max_height)
    raise NotFound("This source has no address that can be read.")


def fetch_bytes(url: str, *, max_bytes: int, deadline_seconds: float) -> Page:
    """GET any one address, such as a poster, through the guarded door; no provider is involved.

    Raises the ProviderError family.
    """
    return http.fetch_bytes(
        url, settings.EGRESS_POLICY, max_bytes=max_bytes, deadline_seconds=deadline_seconds
    )


def set_enabled(provider_id: str, enabled: bool) -> None:  # noqa: FBT001 -- the state is the verb's object
    """Switch a provider on or off. Raises UnknownProvider."""
    adapter_of(provider_id)
    states.set_enabled(provider_id, enabled=enabled)


def set_base_url(provider_id: str, url: str) -> None:
    """Give a provider another address; "" goes back to the configured one.

    Raises UnknownProvider, and EgressRefused when no request could be sent there.
    """
    adapter = adapter_of(provider_id)
    url = url.strip().rstrip("/")
    if url:
        addresses.check_base_url(url, settings.EGRESS_POLICY)
        if not adapter.default_base_url:
            raise NotASeries(f"{adapter.name} has no address of its own.")
    states.set_base_url(provider_id, url)


def test_provider(provider_id: str) -> None:
    """Send one small request, also to a provider that is off or backing off.

    An answer clears its back-off. Raises the ProviderError family.
    """
    question = Question.build(adapter_of(provider_id), states.state_of(provider_id))
    if question.base_url:
        question.answer(lambda adapter: adapter.client.get("/"))
        states.clear_back_off(provider_id)


test_provider.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name says


def _ask(
    provider_id: str,
    ask: Callable[[SiteAdapter], _Answer],
    *,
    by_hand: bool = False,
    ends_at: float | None = None,
) -> _Answer:
    question = Question.prepare(adapter_of(provider_id), by_hand=by_hand, ends_at=ends_at)
    return question.answer(ask)


def _owner_of(parts: SplitResult) -> type[SiteAdapter] | None:
    """The site that an address belongs to: by the bases in use first, then by known domains."""
    known = states.all_states()
    bases = {
        adapter: states.effective_base_url(
            adapter, known.get(adapter.id) or ProviderState(provider_id=adapter.id)
        )
        for adapter in registry.ADAPTERS
        if adapter.default_base_url
    }
    below = [adapter for adapter, base in bases.items() if addresses.is_below(parts, base)]
    if below:
        return max(below, key=lambda adapter: len(bases[adapter]))
    host = addresses.plain_host(parts)
    for adapter in registry.ADAPTERS:
        if host in adapter.domains:
            return adapter
    return None


def _not_a_series(adapter: type[SiteAdapter], reason: str) -> NotASeries:
    return NotASeries(f"{reason} An address of a series looks like {adapter.example_url}")


def _description(adapter: type[SiteAdapter], state: ProviderState) -> ProviderDescription:
    now = timezone.now()
    retry_at = state.retry_at if state.retry_at is not None and state.retry_at > now else None
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
