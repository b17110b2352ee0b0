"""Which provider and series a web address names, and the way back; no site is asked."""

from __future__ import annotations

from urllib.parse import SplitResult

from django.conf import settings

from providers import addresses, cleaning, registry, states
from providers.base import SiteAdapter
from providers.errors import NotASeries
from providers.models import ProviderState
from providers.questions import adapter_of
from providers.safe_url import check_url
from providers.types import SeriesLocator


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
