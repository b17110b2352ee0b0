from __future__ import annotations

import pytest

from providers.errors import ProviderError, Unreachable
from providers.http import fetch_bytes
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.sites.feed import FeedAdapter
from providers.tests.hostile import BEHAVIOURS
from providers.tests.origin import Behaviour, Origin, serves

pytestmark = pytest.mark.timeout(30)
MAX_BYTES = 1_000_000

each_behaviour = pytest.mark.parametrize(
    ("behaviour", "expected"), BEHAVIOURS.values(), ids=BEHAVIOURS.keys()
)


def deadline_for(expected: type[ProviderError]) -> float:
    """Only what never ends needs a short one; a busy machine takes its time for the others."""
    return 1.0 if expected is Unreachable else 20.0


def client_of(
    origin: Origin, policy: EgressPolicy, expected: type[ProviderError]
) -> SiteHttpClient:
    return SiteHttpClient(origin.url, policy, deadline_seconds=deadline_for(expected))


@each_behaviour
def test_a_page_ends_in_the_right_error(
    origin: Origin, policy: EgressPolicy, behaviour: Behaviour, expected: type[ProviderError]
) -> None:
    origin.answers["/"] = behaviour
    with pytest.raises(ProviderError) as caught:
        client_of(origin, policy, expected).get("/", max_bytes=MAX_BYTES)
    assert type(caught.value) is expected


@each_behaviour
def test_a_form_ends_in_the_right_error(
    origin: Origin, policy: EgressPolicy, behaviour: Behaviour, expected: type[ProviderError]
) -> None:
    origin.answers["/"] = behaviour
    with pytest.raises(ProviderError) as caught:
        client_of(origin, policy, expected).post("/", data={"search": "x"}, max_bytes=MAX_BYTES)
    assert type(caught.value) is expected


@each_behaviour
def test_a_poster_ends_in_the_right_error(
    origin: Origin, policy: EgressPolicy, behaviour: Behaviour, expected: type[ProviderError]
) -> None:
    origin.answers["/"] = behaviour
    with pytest.raises(ProviderError) as caught:
        fetch_bytes(
            f"{origin.url}/", policy, max_bytes=MAX_BYTES, deadline_seconds=deadline_for(expected)
        )
    assert type(caught.value) is expected


@each_behaviour
def test_a_feed_ends_in_the_right_error(
    origin: Origin, policy: EgressPolicy, behaviour: Behaviour, expected: type[ProviderError]
) -> None:
    origin.answers["/"] = behaviour
    adapter = FeedAdapter(client_of(origin, policy, expected))
    with pytest.raises(ProviderError) as caught:
        adapter.list_episodes(f"{origin.url}/", "original", {})
    assert type(caught.value) is expected


def test_the_door_works_after_every_one_of_them(origin: Origin, policy: EgressPolicy) -> None:
    client = SiteHttpClient(origin.url, policy, deadline_seconds=0.3)
    for behaviour, _expected in BEHAVIOURS.values():
        origin.answers["/"] = behaviour
        with pytest.raises(ProviderError):
            client.get("/", max_bytes=MAX_BYTES)
    origin.answers["/"] = serves(b"still here")
    assert client.get("/").content == b"still here"
