from __future__ import annotations

from collections.abc import Callable

import pytest

from providers import breaker
from providers.breaker import Breaker

GoOn = Callable[[float], None]


@pytest.fixture
def go_on(monkeypatch: pytest.MonkeyPatch) -> GoOn:
    """Lets seconds pass."""
    now_seconds = 1000.0

    def pass_by(seconds: float) -> None:
        nonlocal now_seconds
        now_seconds += seconds

    monkeypatch.setattr(breaker, "monotonic", lambda: now_seconds)
    return pass_by


def test_a_server_that_answered_so_far_may_be_asked(go_on: GoOn) -> None:
    assert not Breaker(rest_seconds=5.0).is_open


def test_a_silent_server_is_left_alone(go_on: GoOn) -> None:
    server = Breaker(rest_seconds=5.0)
    server.trip()
    go_on(4.9)
    assert server.is_open


def test_a_silent_server_may_be_asked_after_a_rest(go_on: GoOn) -> None:
    server = Breaker(rest_seconds=5.0)
    server.trip()
    go_on(5.1)
    assert not server.is_open


def test_each_silence_starts_the_rest_anew(go_on: GoOn) -> None:
    server = Breaker(rest_seconds=5.0)
    server.trip()
    go_on(4.0)
    server.trip()
    go_on(4.0)
    assert server.is_open
