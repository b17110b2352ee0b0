"""What follows from a failure: pure functions, an error in and a verdict out."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

MAX_ATTEMPTS: Final = 8
# Seconds before the second, third, ... attempt. Most failures of video hosts pass within an hour.
RETRY_LADDER_SECONDS: Final = (30, 120, 600, 1800, 3600, 10800, 21600)
# How long a blocked download waits before it looks again when nobody says how long; twice as long,
# up to the most, each time its cause only seemed to have gone.
BLOCKED_SECONDS: Final = 15
MAX_BLOCKED_SECONDS: Final = 600
MAX_RETRY_AFTER_SECONDS: Final = 6 * 3600
_JITTER: Final = 1.25
LONGEST_WAIT: Final = timedelta(
    seconds=max(*RETRY_LADDER_SECONDS, MAX_BLOCKED_SECONDS, MAX_RETRY_AFTER_SECONDS) * _JITTER
)


class Outcome(StrEnum):
    """What becomes of a download that did not succeed this time."""

    RETRY = "retry"  # queued again, one attempt used
    BLOCK = "block"  # waits for the cause to go away, no attempt used
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one run of a download ended, with the policy that the error carried."""

    code: str
    text: str
    retryable: bool = True
    blocks: bool = False
    retry_after_seconds: float | None = None
    needed_bytes: int = 0  # free space that was missing


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to do now; `delay` says how long to wait first."""

    outcome: Outcome
    delay: timedelta = timedelta()


def judge(failure: Failure, attempts: int, *, blocked_lately: int = 0) -> Verdict:
    """Decide after a failure.

    `attempts` counts the runs including this one; `blocked_lately` those of the last hour that
    ended in the same way, without it.
    """
    if failure.blocks:
        seconds = min(BLOCKED_SECONDS * 2**blocked_lately, MAX_BLOCKED_SECONDS)
        return Verdict(Outcome.BLOCK, _wait(failure, seconds))
    if not failure.retryable or attempts >= MAX_ATTEMPTS:
        return Verdict(Outcome.FAIL)
    step = RETRY_LADDER_SECONDS[min(attempts, len(RETRY_LADDER_SECONDS)) - 1]
    return Verdict(Outcome.RETRY, _wait(failure, step))


def combine(failures: list[Failure]) -> Failure:
    """One failure for a run in which every source was tried; `failures` is not empty."""
    if len(failures) == 1:
        return failures[0]
    blocking = next((failure for failure in failures if failure.blocks), None)
    if blocking:
        return blocking
    waits = [f.retry_after_seconds for f in failures if f.retryable and f.retry_after_seconds]
    return Failure(
        code="no_usable_player",
        text=" ".join(failure.text for failure in failures),
        retryable=any(failure.retryable for failure in failures),
        retry_after_seconds=min(waits) if waits else None,
    )


def _wait(failure: Failure, seconds: float) -> timedelta:
    wished = min(failure.retry_after_seconds or 0, MAX_RETRY_AFTER_SECONDS)
    # Jitter keeps a hundred downloads that failed together from coming back together.
    return timedelta(seconds=max(wished, seconds) * random.uniform(1.0, _JITTER))  # noqa: S311 - not a secret
