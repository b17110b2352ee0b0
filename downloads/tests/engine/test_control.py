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
from downloads.tests.engine.test_hls import serve_folder
from providers.streams import StreamKind

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


@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL, Command.HAND_BACK])
def test_a_command_is_obeyed_at_once_while_segments_are_joined(
    origin: Origin, run: Fetch, ts_stream: Path, command: Command
) -> None:
    url = serve_folder(origin, ts_stream, "/v")
    last = Answer((ts_stream / "s005.ts").read_bytes(), stall_after=1000)
    origin.serve("/v/s005.ts", last)
    owner = Owner(PATIENT)
    given: list[float] = []

    def give(progress: object) -> None:
        # Everything else is there by then, and the joining thread waits for the last segment.
        if origin.requests("/v/s005.ts") and not given:
            owner.command = command
            given.append(time.monotonic())

    owner.on_progress = give
    with pytest.raises(Interrupted):
        run(url, kind=StreamKind.HLS, owner=owner)

    assert time.monotonic() - given[0] < 2


def test_a_speed_limit_holds_over_all_connections(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    owner = Owner(replace(FAST, max_connections=4, rate_limit_bps=500_000))
    size = sum(path.stat().st_size for path in ts_stream.glob("*.ts"))
    fetched = run(serve_folder(origin, ts_stream, "/v"), kind=StreamKind.HLS, owner=owner)

    # The first quarter of a second's worth is free.
    assert fetched.seconds > size / 500_000 - 0.5
