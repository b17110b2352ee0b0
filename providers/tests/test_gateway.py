from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from providers import gateway, states
from providers.errors import (
    BackingOff,
    FileNotYet,
    NotFound,
    ProviderDisabled,
    ProviderError,
    RateLimited,
    UnknownProvider,
    Unreachable,
)
from providers.models import ProviderState
from providers.streams import VideoSource
from providers.tests.origin import Origin, serves, stays_silent
from providers.tests.sample_sites import AlphaAdapter, described

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("sample_sites")]


def test_every_text_of_an_answer_is_clean(origin: Origin) -> None:
    origin.answers["/series/x"] = serves("\u202eEvil\x00  \u200btitle".encode() + b"\xff" * 400)
    found = gateway.details("alpha", "x", "vostfr")
    assert found.title.startswith("Evil title")
    assert len(found.title) == 300
    assert found.poster_url == ""
    assert len(found.genres) == 1


def test_episodes_are_unique_by_reference(origin: Origin) -> None:
    origin.answers["/series/x"] = serves(b"one\ntwo\none")
    found = gateway.list_episodes("alpha", "x", "vf", {})
    assert [episode.ref for episode in found.episodes] == ["one", "two"]
    again = gateway.list_episodes("alpha", "x", "vf", found.validators)
    assert again.unchanged


def test_sources_without_a_usable_address_are_dropped(origin: Origin) -> None:
    origin.answers["/episode/1"] = serves(b"file:///etc/passwd\nhttps://host.example/e/1\nnonsense")
    assert [each.url for each in gateway.resolve("alpha", "x", "1", "vf")] == [
        "https://host.example/e/1"
    ]
    origin.answers["/episode/1"] = serves(b"file:///etc/passwd")
    with pytest.raises(NotFound):
        gateway.resolve("alpha", "x", "1", "vf")


def test_a_provider_that_is_off_is_not_asked(origin: Origin) -> None:
    gateway.set_enabled("alpha", False)
    with pytest.raises(ProviderDisabled):
        gateway.details("alpha", "x", "vf")
    with pytest.raises(ProviderDisabled):
        gateway.availability("alpha")
    assert "alpha" not in gateway.search("x").errors
    assert described("alpha").health == "off"
    assert origin.requests == []


def test_slower_than_a_person_waits_is_not_ill(origin: Origin) -> None:
    origin.answers["/search"] = stays_silent()
    origin.answers["/series/x"] = stays_silent()
    gateway.search("x", provider_id="alpha", deadline_seconds=0.5)
    with pytest.raises(Unreachable):
        gateway.details("alpha", "x", "vf", deadline_seconds=0.5)
    gateway.availability("alpha")


def test_an_unknown_provider_is_an_error_of_its_own() -> None:
    for ask in (
        lambda: gateway.locate("nope", "https://x.example/"),
        lambda: gateway.availability("nope"),
        lambda: gateway.search("x", provider_id="nope"),
        lambda: gateway.set_enabled("nope", True),
    ):
        with pytest.raises(UnknownProvider):
            ask()


def _fail(origin: Origin, status: str = "500 Oops", **headers: str) -> ProviderError:
    origin.answers["/series/x"] = serves(b"", status=status, **headers)
    with pytest.raises(ProviderError) as caught:
        gateway.list_episodes("alpha", "x", "vf", {})
    return caught.value


def test_a_failing_provider_is_left_alone(origin: Origin) -> None:
    for _ in range(2):
        assert isinstance(_fail(origin), Unreachable)
    asked = len(origin.requests)
    error = _fail(origin)
    assert isinstance(error, BackingOff)
    assert error.retry_after_seconds
    assert len(origin.requests) == asked
    found = described("alpha")
    assert (found.health, found.last_error_code) == ("backing_off", "unreachable")
    with pytest.raises(BackingOff):
        gateway.availability("alpha")
    gateway.availability("beta")


def test_a_person_may_try_a_provider_that_is_backing_off(origin: Origin) -> None:
    for _ in range(2):
        _fail(origin)
    origin.answers["/series/x"] = serves(b"one")
    assert gateway.list_episodes("alpha", "x", "vf", {}, by_hand=True).episodes


def test_the_sites_wish_to_wait_is_honoured(origin: Origin) -> None:
    assert isinstance(_fail(origin, "429 Slow", Retry_After="7200"), RateLimited)
    retry_at = described("alpha").retry_at
    assert retry_at is not None
    assert timedelta(minutes=119) < retry_at - timezone.now() <= timedelta(minutes=120)


def test_a_refusal_shows_as_blocked(origin: Origin) -> None:
    _fail(origin, "403 Forbidden")
    assert described("alpha").health == "blocked"


def test_a_missing_series_says_nothing_of_its_provider(origin: Origin) -> None:
    assert isinstance(_fail(origin, "404 Not Found"), NotFound)
    assert described("alpha").health == "ok"


def test_one_files_wait_says_nothing_of_its_provider(
    origin: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_asked: object) -> list[VideoSource]:
        raise FileNotYet("The file comes after a wait.", retry_after_seconds=600)

    _fail(origin)
    assert described("alpha").health != "ok"
    monkeypatch.setattr(AlphaAdapter, "resolve", wait)
    with pytest.raises(FileNotYet):
        gateway.resolve("alpha", "x", "1", "vf")
    gateway.availability("alpha")
    assert described("alpha").health == "ok"


def test_a_broken_feed_does_not_stop_other_feeds(origin: Origin) -> None:
    with pytest.raises(NotFound):
        gateway.details("feed", f"{origin.url}/none.xml", "original")
    origin.answers["/broken.xml"] = serves(b"", status="500 Oops")
    with pytest.raises(Unreachable):
        gateway.details("feed", f"{origin.url}/broken.xml", "original")
    gateway.availability("feed")
    assert described("feed").health == "ok"


def test_one_probe_at_a_time_tries_a_provider_that_failed(origin: Origin) -> None:
    _fail(origin)
    with time_machine.travel(timezone.now() + timedelta(hours=2)):
        stale = states.state_of("alpha")
        assert states.claim_probe(stale, timezone.now())
        assert not states.claim_probe(stale, timezone.now())
        assert isinstance(_fail(origin), BackingOff)


def test_success_opens_the_provider_and_steps_down(origin: Origin) -> None:
    start = timezone.now()
    for hours in (0, 2, 4):
        with time_machine.travel(start + timedelta(hours=hours)):
            assert isinstance(_fail(origin), Unreachable)
    assert ProviderState.objects.get(pk="alpha").level == 3
    origin.answers["/series/x"] = serves(b"one")
    with time_machine.travel(start + timedelta(hours=6)):
        for level in (2, 1, 0, 0):
            gateway.list_episodes("alpha", "x", "vf", {})
            assert ProviderState.objects.get(pk="alpha").level == level
        found = described("alpha")
        assert (found.health, found.last_error, found.retry_at) == ("ok", "", None)


def test_requests_of_one_outage_climb_one_rung(origin: Origin) -> None:
    began = timezone.now()
    for _ in range(10):
        states.record_failure("alpha", Unreachable("down"), began)
    assert ProviderState.objects.get(pk="alpha").level == 1


def test_a_failure_from_before_the_clock_was_set_back_keeps_nobody_waiting(origin: Origin) -> None:
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        for _ in range(2):
            _fail(origin)
    states.forget_cache()
    assert described("alpha").health == "degraded"
    assert isinstance(_fail(origin), Unreachable)
    assert described("alpha").health == "backing_off"
    with time_machine.travel(timezone.now() + timedelta(days=400)):
        _fail(origin)
    origin.answers["/series/x"] = serves(b"one")
    states.forget_cache()
    before = ProviderState.objects.get(pk="alpha").level
    gateway.list_episodes("alpha", "x", "vf", {})
    assert ProviderState.objects.get(pk="alpha").level == before - 1


def test_a_success_from_before_the_failure_does_not_hide_it(origin: Origin) -> None:
    began = timezone.now()
    for _ in range(2):
        _fail(origin)
    states.record_success("alpha", began - timedelta(seconds=1))
    assert described("alpha").health == "backing_off"


def test_a_healthy_provider_is_written_once_a_minute(
    origin: Origin, django_assert_num_queries: Any
) -> None:
    origin.answers["/series/x"] = serves(b"one")
    gateway.list_episodes("alpha", "x", "vf", {})
    first = ProviderState.objects.get(pk="alpha").updated_at
    for _ in range(3):
        gateway.list_episodes("alpha", "x", "vf", {})
    assert ProviderState.objects.get(pk="alpha").updated_at == first
    with time_machine.travel(timezone.now() + timedelta(seconds=61)):
        gateway.list_episodes("alpha", "x", "vf", {})
    assert ProviderState.objects.get(pk="alpha").updated_at > first


def test_a_day_of_outage_with_a_thousand_series_costs_few_requests(origin: Origin) -> None:
    start = timezone.now()
    for minutes in range(0, 24 * 60, 5):
        with time_machine.travel(start + timedelta(minutes=minutes)):
            # Many series are due; each is refused without a request while the provider backs off.
            for _ in range(3):
                _fail(origin)
    assert len(origin.requests) <= 40


def test_a_check_needs_no_query_for_the_state(
    origin: Origin, monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    # The states are remembered outside transactions only, and every test runs in one.
    monkeypatch.setattr(states, "connection", SimpleNamespace(in_atomic_block=False))
    origin.answers["/series/x"] = serves(b"one")
    gateway.list_episodes("alpha", "x", "vf", {})
    gateway.availability("alpha")
    with django_assert_num_queries(0):
        gateway.list_episodes("alpha", "x", "vf", {})
        gateway.availability("alpha")
