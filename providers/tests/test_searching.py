from __future__ import annotations

import pytest

from providers import gateway
from providers.errors import LayoutChanged, Unreachable
from providers.tests.origin import Origin, serves, stays_silent
from providers.types import SeriesMatch

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_sites")]


def titles(outcome: gateway.SearchOutcome) -> list[tuple[str, str]]:
    return [(provider_id, match.title) for provider_id, match in outcome.matches]


def test_an_adapters_mistake_is_an_unreadable_page(origin: Origin) -> None:
    origin.answers["/search"] = serves(b"crash")
    outcome = gateway.search("x", provider_id="alpha")
    assert isinstance(outcome.errors["alpha"], LayoutChanged)


def test_a_search_asks_everybody_and_keeps_their_order(
    origin: Origin, other_origin: Origin
) -> None:
    origin.answers["/search"] = serves(b"a1\na2")
    other_origin.answers["/search"] = serves(b"b1")
    outcome = gateway.search("  some \x00 title ")
    assert titles(outcome) == [("alpha", "a1"), ("alpha", "a2"), ("beta", "b1")]
    assert outcome.errors == {}
    assert origin.paths() == ["/search?q=some+title"]


def test_a_slow_or_broken_provider_does_not_hold_the_others(
    origin: Origin, other_origin: Origin
) -> None:
    origin.answers["/search"] = stays_silent()
    other_origin.answers["/search"] = serves(b"b1")
    outcome = gateway.search("x", deadline_seconds=1.0)
    assert titles(outcome) == [("beta", "b1")]
    assert isinstance(outcome.errors["alpha"], Unreachable)


def test_an_empty_question_is_not_sent(origin: Origin) -> None:
    assert gateway.search(" \x00 ").matches == []
    assert origin.requests == []


def test_matches_are_cleaned(origin: Origin) -> None:
    origin.answers["/search"] = serves("\u202e\na1".encode())
    outcome = gateway.search("x", provider_id="alpha")
    assert [type(match) for _, match in outcome.matches] == [SeriesMatch]
