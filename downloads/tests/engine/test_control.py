from __future__ import annotations

import threading
import time
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from downloads.engine.errors import Interrupted
from downloads.engine.types import Command
from downloads.tests.engine.conftest import FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin

PATIENT = replace(FAST, stall_timeout_seconds=30.0)


@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL, Command.HAND_BACK])
@pytest.mark.parametrize(
    "answer",
    [
        Answer(stall_after=100_000),
        Answer(delay_seconds=30),
        Answer(bytes_per_second=100_000),
    ],
    ids=["stalled", "silent", "running"],
)
def test_a_command_is_obeyed_at_once(
    origin: Origin, run: Fetch, clip: bytes, command: Command, answer: Answer
) -> None:
    owner = Owner(PATIENT)
    given: list[float] = []

    def give() -> None:
        owner.command = command
        given.append(time.monotonic())

    timer = threading.Timer(0.5, give)
    timer.start()
    with pytest.raises(Interrupted):
        run(origin.serve("/a.mp4", replace(answer, content=clip)), owner=owner)
    timer.join()

    assert time.monotonic() - given[0] < 2


def test_the_owner_is_asked_while_nothing_arrives(origin: Origin, run: Fetch, clip: bytes) -> None:
    owner = Owner(PATIENT)
    polls: list[float] = []

    def look() -> None:
        polls.append(time.monotonic())
        if len(polls) == 10:
            owner.command = Command.CANCEL

    owner.on_poll = look
    with pytest.raises(Interrupted):
        run(origin.serve("/a.mp4", Answer(clip, stall_after=1000)), owner=owner)

    assert max(b - a for a, b in pairwise(polls)) < 2


def test_a_speed_limit_holds_and_can_be_lifted(origin: Origin, run: Fetch, clip: bytes) -> None:
    owner = Owner(replace(FAST, rate_limit_bps=400_000))
    speeds: list[float] = []
    started = time.monotonic()

    def lift(progress: object) -> None:
        elapsed = time.monotonic() - started
        if elapsed > 1.0 and owner.allowed.rate_limit_bps:
            speeds.append(progress.bytes_done / elapsed)  # type: ignore[attr-defined]
            owner.allowed = FAST

    owner.on_progress = lift
    fetched = run(origin.serve("/a.mp4", clip), owner=owner)

    assert fetched.path.read_bytes() == clip
    assert speeds[0] < 600_000
    assert fetched.seconds < len(clip) / 400_000


def test_progress_comes_a_few_times_a_second(origin: Origin, run: Fetch, clip: bytes) -> None:
    owner = Owner()
    fetched = run(origin.serve("/a.mp4", Answer(clip, bytes_per_second=len(clip) / 2)), owner=owner)

    assert len(owner.seen) / fetched.seconds < 5
    assert len(owner.seen) >= 2 * int(fetched.seconds)
    moving = [progress for progress in owner.seen if progress.speed_bps]
    assert moving[-1].eta_seconds is not None


def test_pausing_does_not_lose_a_byte(
    origin: Origin, run: Fetch, clip: bytes, work_dir: Path
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=len(clip) / 4))
    for _ in range(3):
        owner = Owner()
        timer = threading.Timer(0.3, setattr, (owner, "command", Command.PAUSE))
        timer.start()
        with pytest.raises(Interrupted):
            run(url, owner=owner)
        timer.join()
    fetched = run(url)

    assert fetched.path.read_bytes() == clip
    assert fetched.resumed_from > 0
