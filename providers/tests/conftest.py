"""What the tests of this app share: origins on loopback, and states that nobody remembers."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from providers import states
from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, running_origin


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
