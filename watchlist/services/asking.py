"""Asking providers while somebody waits for the answer: not for long, and by few threads at once.

The web server has a fixed number of threads. Those that wait for a provider are counted here, for
pages and the API alike, so that the others stay free for everything else. Whoever finds no seat is
told so at once: waiting for one would hold a thread, too.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Final

from providers import gateway
from providers.errors import ProviderError
from providers.gateway import SearchOutcome
from providers.types import EpisodeList, SeriesDetails

# Fewer than the web server's threads, by some for posters and some for the pages themselves.
SEATS: Final = 6
# A person never waits longer than this; searches and tests have bounds of their own.
PATIENCE_SECONDS: Final = 5.0
TRY_AGAIN_SECONDS: Final = 3
_seats = threading.BoundedSemaphore(SEATS)


class Busy(ProviderError):
    """As many threads wait for providers as may; nothing was asked."""

    code = "busy"


def search(query: str, *, provider_id: str | None = None) -> SearchOutcome:
    """Ask every provider, or one, for series of this title. Raises Busy and UnknownProvider."""
    with _seat():
        return gateway.search(query, provider_id=provider_id)


def details(provider_id: str, series_ref: str, lang: str) -> SeriesDetails:
    """What the site tells of a series. Raises Busy and others of the ProviderError family."""
    with _seat():
        return gateway.details(provider_id, series_ref, lang, deadline_seconds=PATIENCE_SECONDS)


def list_episodes(provider_id: str, series_ref: str, lang: str) -> EpisodeList:
    """Every episode on offer. Raises Busy and others of the ProviderError family."""
    with _seat():
        return gateway.list_episodes(
            provider_id, series_ref, lang, {}, deadline_seconds=PATIENCE_SECONDS
        )


def test_provider(provider_id: str) -> None:
    """Send one small request to a provider. Raises Busy and others of the ProviderError family."""
    with _seat():
        gateway.test_provider(provider_id)


test_provider.__test__ = False  # type: ignore[attr-defined]  # not a test, whatever its name says


@contextlib.contextmanager
def _seat() -> Iterator[None]:
    if not _seats.acquire(blocking=False):
        raise Busy("Too many requests wait for providers just now; try again in a moment.")
    try:
        yield
    finally:
        _seats.release()
