from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import redis
from pytest_django import Settings

from providers import breaker, pace
from providers.errors import BackingOff
from providers.pace import Pacer, redis_client
from providers.types import Pace


@pytest.fixture
def shared(settings: Settings) -> Iterator[redis.Redis]:
    client = redis_client(settings.REDIS_URL)
    yield client
    client.close()


@pytest.fixture
def two_workers(shared: redis.Redis) -> tuple[Pacer, Pacer]:
    """As two processes have them: nothing in common but the server."""
    return Pacer(shared), Pacer(shared)


def _take(pacer: Pacer, key: str, wish: Pace, *, wait: float = 30.0) -> float:
    with pacer.turn(key, wish, longest_wait_seconds=wait):
        return time.monotonic()


def test_turns_of_all_workers_together_keep_the_rate(two_workers: tuple[Pacer, Pacer]) -> None:
    wish = Pace(requests_per_second=50, max_concurrent=8)
    with ThreadPoolExecutor(8) as threads:
        moments = sorted(
            threads.map(lambda number: _take(two_workers[number % 2], "site", wish), range(20))
        )
    # A turn may begin late, never early: nineteen gaps of 20 ms, less the clocks' grain.
    assert moments[-1] - moments[0] >= 19 * 0.02 * 0.95


def test_no_more_run_at_once_than_allowed(two_workers: tuple[Pacer, Pacer]) -> None:
    wish = Pace(requests_per_second=1000, max_concurrent=2)
    lock, running, most = threading.Lock(), 0, 0

    def work(number: int) -> None:
        nonlocal running, most
        with two_workers[number % 2].turn("site", wish, longest_wait_seconds=30):
            with lock:
                running += 1
                most = max(most, running)
            time.sleep(0.02)
            with lock:
                running -= 1

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(work, range(18)))
    assert most == 2


def test_sites_do_not_wait_for_each_other(two_workers: tuple[Pacer, Pacer]) -> None:
    wish = Pace(requests_per_second=0.01, max_concurrent=1)
    _take(two_workers[0], "one", wish)
    _take(two_workers[1], "other", wish, wait=1.0)


def test_a_wait_that_is_too_long_is_refused_and_costs_no_turn(
    two_workers: tuple[Pacer, Pacer],
) -> None:
    wish = Pace(requests_per_second=0.01, max_concurrent=1)
    _take(two_workers[0], "site", wish)
    for _ in range(3):
        with pytest.raises(BackingOff) as caught:
            _take(two_workers[1], "site", wish, wait=1.0)
        assert caught.value.retry_after_seconds
    quick = Pace(requests_per_second=0.01, max_concurrent=1)
    with pytest.raises(BackingOff):
        _take(two_workers[1], "site", quick, wait=50.0)


def test_the_slot_of_a_killed_worker_comes_back(
    two_workers: tuple[Pacer, Pacer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pace, "SLOT_LEASE_SECONDS", 0.3)
    wish = Pace(requests_per_second=1000, max_concurrent=1)
    abandoned = two_workers[0].turn("site", wish, longest_wait_seconds=1)
    abandoned.__enter__()
    _take(two_workers[1], "site", wish, wait=10.0)


def test_turns_taken_before_the_clock_was_set_back_keep_nobody_waiting(
    shared: redis.Redis,
) -> None:
    ahead = time.time() + 3600
    shared.set("pace:site:next", f"{ahead:.6f}")
    shared.zadd("pace:site:slots", {"of a killed worker": ahead})
    _take(Pacer(shared), "site", Pace(requests_per_second=1000, max_concurrent=1), wait=1.0)


def test_a_failure_within_a_turn_gives_the_slot_back(shared: redis.Redis) -> None:
    wish = Pace(requests_per_second=1000, max_concurrent=1)
    pacer = Pacer(shared)
    with (
        pytest.raises(ValueError, match="broken"),
        pacer.turn("site", wish, longest_wait_seconds=1),
    ):
        raise ValueError("broken")
    _take(pacer, "site", wish, wait=0.5)


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/valkey.sock"])
def test_without_redis_each_process_keeps_its_own_count(url: str) -> None:
    pacer = Pacer(redis_client(url))
    wish = Pace(requests_per_second=50, max_concurrent=4)
    with ThreadPoolExecutor(4) as threads:
        moments = sorted(threads.map(lambda _: _take(pacer, "site", wish), range(8)))
    assert moments[-1] - moments[0] >= 7 * 0.02 * 0.95
    slow = Pace(requests_per_second=0.01, max_concurrent=1)
    _take(pacer, "slow", slow)
    with pytest.raises(BackingOff):
        _take(pacer, "slow", slow, wait=0.5)


def test_the_shared_count_is_used_again_once_redis_is_back(
    shared: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    pacer = Pacer(shared)
    wish = Pace(requests_per_second=1000, max_concurrent=4)

    def fail(*_args: object, **_named: object) -> float:
        raise redis.ConnectionError("away")

    with monkeypatch.context() as broken:
        broken.setattr(pace._RedisCount, "take", fail)
        _take(pacer, "site", wish)
    _take(pacer, "site", wish)
    assert not shared.exists("pace:site:next")
    monkeypatch.setattr(breaker, "monotonic", lambda: time.monotonic() + 3600)
    _take(pacer, "site", wish)
    assert shared.exists("pace:site:next")
