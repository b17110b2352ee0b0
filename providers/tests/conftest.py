"""What the tests of this app share: origins on loopback, and states that nobody remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from providers import registry, states
from providers.safe_url import EgressPolicy
from providers.sites.feed import FeedAdapter
from providers.tests.origin import Origin, running_origin
from providers.tests.sample_sites import AlphaAdapter, BetaAdapter


@pytest.fixture
def origin() -> Iterator[Origin]:
    with running_origin() as running:
        yield running


@pytest.fixture
def other_origin() -> Iterator[Origin]:
    with running_origin() as running:
        yield running


@pytest.fixture
def policy(origin: Origin) -> EgressPolicy:
    """Only the first origin may be reached."""
    return EgressPolicy.parse([f"127.0.0.1:{origin.port}"])


@pytest.fixture(autouse=True)
def fresh_states() -> None:
    states.forget_cache()


@pytest.fixture
def sample_sites(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, origin: Origin, other_origin: Origin
) -> None:
    """Two sites and feeds, as if they were all that there is."""
    monkeypatch.setattr(registry, "ADAPTERS", (AlphaAdapter, BetaAdapter, FeedAdapter))
    settings.EGRESS_POLICY = EgressPolicy.parse(["127.0.0.1"])
    settings.PROVIDER_BASE_URLS = {"alpha": origin.url, "beta": other_origin.url}
