"""What follows from a failure."""

from __future__ import annotations

from datetime import timedelta

import pytest

from downloads.policies import LONGEST_WAIT, MAX_ATTEMPTS, Failure, Outcome, combine, judge


def test_a_passing_trouble_is_tried_again_soon() -> None:
    verdict = judge(Failure("connection_failed", "Reset."), attempts=1)
    assert verdict.outcome is Outcome.RETRY
    assert timedelta(seconds=30) <= verdict.delay <= timedelta(seconds=40)


def test_the_wait_grows_with_each_attempt() -> None:
    failure = Failure("connection_failed", "Reset.")
    delays = [judge(failure, attempts=n).delay for n in range(1, MAX_ATTEMPTS)]
    assert delays == sorted(delays)


def test_the_last_attempt_fails_for_good() -> None:
    assert judge(Failure("connection_failed", ""), MAX_ATTEMPTS).outcome is Outcome.FAIL


def test_what_cannot_get_better_fails_at_once() -> None:
    verdict = judge(Failure("not_a_video", "HTML.", retryable=False), attempts=1)
    assert verdict.outcome is Outcome.FAIL


def test_the_sites_own_wish_is_honoured_within_reason() -> None:
    asked = Failure("too_many_requests", "", retry_after_seconds=900)
    assert judge(asked, 1).delay >= timedelta(seconds=900)
    absurd = Failure("too_many_requests", "", retry_after_seconds=10**9)
    assert judge(absurd, 1).delay <= LONGEST_WAIT < timedelta(hours=8)


def test_what_blocks_again_and_again_waits_ten_minutes_at_most() -> None:
    full = Failure("disk_low", "", blocks=True)
    delays = [judge(full, 1, blocked_lately=n).delay for n in (0, 1, 2, 1000)]
    assert delays == sorted(delays)
    assert timedelta(minutes=10) <= delays[-1] <= timedelta(minutes=12, seconds=30)


def test_a_full_disk_burns_no_attempt_however_often_it_happens() -> None:
    full = Failure("disk_low", "", blocks=True)
    assert judge(full, attempts=500).outcome is Outcome.BLOCK


def test_several_failed_sources_are_one_failure_that_names_each() -> None:
    both = combine(
        [
            Failure("not_a_video", "one: HTML.", retryable=False),
            Failure("unsupported_host", "two: refused.", retryable=False),
        ]
    )
    assert both.code == "no_usable_player"
    assert both.text == "one: HTML. two: refused."
    assert not both.retryable


@pytest.mark.parametrize("order", [1, -1])
def test_one_source_that_may_recover_makes_the_whole_worth_a_retry(order: int) -> None:
    failures = [
        Failure("not_a_video", "", retryable=False),
        Failure("connection_failed", "", retryable=True),
    ][::order]
    assert combine(failures).retryable
