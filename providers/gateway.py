"""The only door of this app: everything that other apps ask of sites and video hosts.

Each question is asked only of a provider that is on and not backing off, at its pace, through the
guarded HTTP door; afterwards its health is recorded and every text of the answer is cleaned.
Searches (`searching.py`), addresses (`locating.py`) and what people are shown (`descriptions.py`)
have files of their own; other apps reach them here, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import TypeVar

from django.conf import settings

from providers import addresses, cleaning, http, registry, states
from providers.base import Page, SiteAdapter
from providers.descriptions import ProviderDescription, describe
from providers.errors import NotASeries, NotFound
from providers.hosts.direct import DirectResolver
from providers.hosts.pages import PageResolver
from providers.locating import locate, recognise, url_of, with_language
from providers.questions import Question, adapter_of, backing_off, pace_in_use, seconds_to_wait
from providers.searching import SearchOutcome, search
from providers.streams import Stream, VideoSource
from providers.types import EpisodeList, Pace, PageValidator, SeriesDetails

__all__ = [
    "DETAILS_SECONDS",
    "ProviderDescription",
    "SearchOutcome",
    "availability",
    "check_base_url",
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
# A person waits for the word, and one request is little.
TEST_SECONDS = 10.0

_Answer = TypeVar("_Answer")


def provider_ids() -> tuple[str, ...]:
    """Every provider, switched on or not, in the order to show them."""
    return tuple(adapter.id for adapter in registry.ADAPTERS)


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
    return pace_in_use(adapter_of(provider_id))


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
    deadline_seconds: float | None = None,
) -> EpisodeList:
    """Every episode on offer in airing order, or the word that nothing changed.

    `known` holds the validators of the last answer, by page role. A person who asks `by_hand` does
    not wait for a provider that is backing off. Without a deadline each request has one of its own.
    Raises the ProviderError family.
    """
    found = _ask(
        provider_id,
        lambda adapter: adapter.list_episodes(series_ref, lang, known),
        by_hand=by_hand,
        ends_at=None if deadline_seconds is None else time.monotonic() + deadline_seconds,
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

    Raises what `check_base_url` does.
    """
    url = url.strip().rstrip("/")
    if url:
        check_base_url(provider_id, url)
    else:
        adapter_of(provider_id)
    states.set_base_url(provider_id, url)


def check_base_url(provider_id: str, url: str) -> None:
    """Nothing when a provider could have this address.

    Raises UnknownProvider, NotASeries for a provider without one site, and EgressRefused when no
    request could be sent there.
    """
    adapter = adapter_of(provider_id)
    addresses.check_base_url(url, settings.EGRESS_POLICY)
    if not adapter.default_base_url:
        raise NotASeries(f"{adapter.name} has no address of its own.")


def test_provider(provider_id: str) -> None:
    """Send one small request, also to a provider that is off or backing off.

    An answer clears its back-off. Raises the ProviderError family.
    """
    question = Question.build(
        adapter_of(provider_id),
        states.state_of(provider_id),
        ends_at=time.monotonic() + TEST_SECONDS,
    )
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
