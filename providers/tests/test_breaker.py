from __future__ import annotations

import pytest

from providers import breaker
from providers.breaker import Breaker


def test_a_server_that_did_not_answer_is_left_alone_until_the_rest_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 1000.0
    monkeypatch.setattr(breaker, "monotonic", lambda: now)
    server = Breaker(rest_seconds=5.0)
    assert not server.is_open
    server.trip()
    assert server.is_open
    now += 4.9
    assert server.is_open
    now += 0.2
    assert not server.is_open


def test_each_silence_starts_the_rest_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(breaker, "monotonic", lambda: now)
    server = Breaker(rest_seconds=5.0)
    server.trip()
    now += 4.0
    server.trip()
    now += 4.0
    assert server.is_open
