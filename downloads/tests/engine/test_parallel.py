from __future__ import annotations

import hashlib
from dataclasses import replace
from itertools import pairwise

import pytest

from downloads.engine.connections import ConnectionCount
from downloads.engine.errors import Interrupted
from downloads.engine.ranges import RangePlan, Span
from downloads.engine.types import Command
from downloads.tests.engine.conftest import FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.engine.test_resume import OVERLAP, stop_after

FOUR = replace(FAST, max_connections=4)
SLOW = 800_000  # bytes a second for each connection


def test_a_throttled_file_is_read_over_several_connections(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=SLOW))
    fetched = run(url, owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip
    assert fetched.connections == 4
    assert fetched.seconds < len(clip) / SLOW / 2
    assert origin.sent_bytes() < len(clip) * 1.5


def test_every_further_range_carries_the_validator(origin: Origin, run: Fetch, clip: bytes) -> None:
    run(origin.serve("/a.mp4", Answer(clip, bytes_per_second=SLOW)), owner=Owner(FOUR))

    assert len(origin.seen) > 3
    assert all(seen.headers["if-range"] == '"one"' for seen in origin.seen[1:])


def test_a_cap_for_the_host_holds(origin: Origin, run: Fetch, clip: bytes) -> None:
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=SLOW))
    fetched = run(url, owner=Owner(FOUR), host_connections=lambda _host: 2)

    assert fetched.connections == 2


@pytest.mark.parametrize("status", [429, 403, 503])
def test_a_server_that_refuses_further_connections_keeps_the_first(
    origin: Origin, run: Fetch, clip: bytes, status: int
) -> None:
    def script(_number: int, _headers: dict[str, str]) -> Answer:
        if origin.open_connections > 1:
            return Answer(status=status)
        return Answer(clip, bytes_per_second=SLOW * 3)

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip
    assert len(origin.seen) < 8


def test_a_server_that_ignores_later_ranges_is_read_over_one_connection(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    def script(number: int, _headers: dict[str, str]) -> Answer:
        return Answer(clip, ranges=number == 1, bytes_per_second=SLOW * 3)

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip


def test_ranges_with_the_bytes_of_the_start_are_noticed_at_the_seam(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    def script(number: int, headers: dict[str, str]) -> Answer:
        ranged = "range" in headers
        return Answer(clip, body_from_zero=number > 1 and ranged, bytes_per_second=SLOW * 3)

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip


def test_a_file_that_changes_while_four_connections_run_is_never_mixed(
    origin: Origin, run: Fetch, clip: bytes, other_clip: bytes
) -> None:
    def script(number: int, _headers: dict[str, str]) -> Answer:
        if number <= 2:
            return Answer(clip, bytes_per_second=SLOW)
        return Answer(other_clip, etag='"two"', bytes_per_second=SLOW * 5)

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == other_clip
    assert fetched.restarted


@pytest.mark.parametrize("teller", ["etag", "last_modified"])
def test_a_host_whose_servers_contradict_each_other_is_read_over_one_connection(
    origin: Origin, run: Fetch, clip: bytes, teller: str
) -> None:
    def script(number: int, _headers: dict[str, str]) -> Answer:
        honest = Answer(clip, bytes_per_second=SLOW * 2)
        if teller == "etag":
            return replace(honest, etag=f'"node {number}"')
        return replace(honest, etag="", last_modified=f"Mon, 01 Jan 2024 00:00:{number:02d} GMT")

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip


def test_four_connections_resume_where_each_of_them_was(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    half = len(clip) // 2
    url = origin.serve("/a.mp4", Answer(clip, bytes_per_second=SLOW))
    owner = stop_after(half)
    owner.allowed = FOUR
    with pytest.raises(Interrupted):
        run(url, owner=owner)
    origin.seen.clear()
    fetched = run(origin.serve("/a.mp4", Answer(clip)), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip
    assert fetched.resumed_from >= half
    assert fetched.sha256 == hashlib.sha256(clip).hexdigest()
    assert origin.sent_bytes() <= len(clip) - fetched.resumed_from + 8 * OVERLAP


def test_fewer_connections_take_effect_on_a_running_transfer(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    owner = Owner(FOUR)
    counts: list[int] = []

    def look(progress: object) -> None:
        counts.append(progress.connections)  # type: ignore[attr-defined]
        if counts[-1] == 4:
            owner.allowed = FAST
        if counts.count(1) > 4 and 4 in counts:
            owner.command = Command.CANCEL

    owner.on_progress = look
    with pytest.raises(Interrupted):
        run(origin.serve("/a.mp4", Answer(clip, bytes_per_second=60_000)), owner=owner)
    assert counts[-1] == 1


def test_an_unthrottled_server_gets_one_connection(origin: Origin, run: Fetch, clip: bytes) -> None:
    fetched = run(origin.serve("/a.mp4", clip), owner=Owner(FOUR))

    assert fetched.connections == 1


def test_a_slow_connection_keeps_only_what_it_can_still_do() -> None:
    plan = RangePlan(1_000_000_00)
    plan.gaps = [(0, plan.size)]
    slow = plan.take(0.0)
    assert slow is not None
    slow.started_at, slow.position = 10.0, 100_000
    fast = plan.take(20.0)
    assert fast is not None
    fast.started_at, fast.position = 10.0, fast.start + 10_000_000
    plan.live.remove(fast)
    plan._usual_rates = [1_000_000.0]
    third = plan.take(20.0)

    assert third is not None
    assert slow.end - slow.position < 0.1 * (third.end - third.start)


def test_written_and_missing_bytes_always_make_the_whole() -> None:
    plan = RangePlan.resume(1_000_000, [(0, 10), (500_000, 600_000)])

    assert plan.gaps == [(10, 500_000), (600_000, 1_000_000)]
    assert plan.missing_bytes == 1_000_000 - 100_010
    assert plan.written() == [(0, 10), (500_000, 600_000)]


def targets_of_a_server_with_one_total(looks: int) -> list[int]:
    """How many connections are wanted at each look, when they bring the same however many."""
    count = ConnectionCount()
    now, done = 100.0, 0
    targets = []
    for _ in range(looks):
        now, done = now + 0.02, done + 20_000
        count.observe(now, done)
        targets.append(count.decide(now, answered=count.target, missing_bytes=10**9, maximum=8))
    return targets


def test_connections_that_bring_nothing_are_given_up() -> None:
    targets = targets_of_a_server_with_one_total(400)

    assert max(targets) == 8
    assert targets[-1] == 1


def test_a_connection_far_behind_its_siblings_is_opened_anew(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    def script(number: int, _headers: dict[str, str]) -> Answer:
        return Answer(clip, bytes_per_second=4000 if number == 3 else 200_000)

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))
    slow = origin.seen[2]
    start = int(slow.range.removeprefix("bytes=").split("-")[0])
    starts = [int(seen.range.removeprefix("bytes=").split("-")[0]) for seen in origin.seen[3:]]

    assert fetched.path.read_bytes() == clip
    assert slow.sent < 100_000
    # Somebody else went on where it was.
    assert any(start <= other <= start + slow.sent for other in starts)


def test_only_a_connection_far_behind_with_much_to_do_is_given_up() -> None:
    plan = RangePlan(40_000_000)
    plan.live = [Span(n * 10_000_000, (n + 1) * 10_000_000, n * 10_000_000) for n in range(4)]
    for span in plan.live:
        span.started_at, span.position = 1.0, span.start + 1_000_000
    assert plan.laggard(2.0) is None

    slow = plan.live[2]
    slow.position = slow.start + 100_000
    assert plan.laggard(1.2) is None
    assert plan.laggard(2.0) is slow

    slow.end = slow.position + 50_000
    assert plan.laggard(2.0) is None


class Rehearsal:
    """Lets a count of connections decide while nothing really runs; each brings the same."""

    def __init__(self, count: ConnectionCount) -> None:
        self.count = count
        self.now, self.done = 100.0, 0

    def go_on(self, seconds: float, *, maximum: int = 16) -> list[int]:
        """The numbers that were decided on, one after the other."""
        targets = []
        for _ in range(int(seconds / 0.02)):
            self.now, self.done = self.now + 0.02, self.done + 20_000 * self.count.target
            self.count.observe(self.now, self.done)
            targets.append(
                self.count.decide(
                    self.now, answered=self.count.target, missing_bytes=10**9, maximum=maximum
                )
            )
        return targets


def test_connections_come_back_one_by_one_after_an_outage() -> None:
    rehearsal = Rehearsal(ConnectionCount())
    assert rehearsal.go_on(5)[-1] == 16
    for working in range(15, 0, -1):
        rehearsal.count.back_off(rehearsal.now, working, is_refusal=False)

    assert set(rehearsal.go_on(2)) == {1}
    targets = rehearsal.go_on(60)
    assert targets[-1] == 16
    assert {after - before for before, after in pairwise(targets)} == {0, 1}


def test_a_number_that_was_refused_is_not_tried_for_a_while() -> None:
    rehearsal = Rehearsal(ConnectionCount())
    assert rehearsal.go_on(0.1)[-1] > 4
    rehearsal.count.back_off(rehearsal.now, 4, is_refusal=True)
    assert set(rehearsal.go_on(50)) == {4}

    assert 5 in rehearsal.go_on(20)


def test_connections_come_back_when_the_owner_allows_them_again() -> None:
    rehearsal = Rehearsal(ConnectionCount())
    assert rehearsal.go_on(5)[-1] == 16
    assert rehearsal.go_on(5, maximum=2)[-1] == 2

    assert rehearsal.go_on(60)[-1] == 16


def test_connections_that_brought_nothing_do_not_come_back() -> None:
    targets = targets_of_a_server_with_one_total(3000)

    assert set(targets[400:]) == {1}


def test_a_restarted_server_is_read_over_several_connections_again(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    most_after: list[int] = []

    def script(number: int, _headers: dict[str, str]) -> Answer:
        if number > 4:
            most_after.append(origin.open_connections)
        # Late enough for the number of connections to have been settled.
        cut = 450_000 if number <= 4 else None
        return Answer(clip, bytes_per_second=len(clip) / 24, cut_after=cut)

    fetched = run(origin.serve("/a.mp4", script), owner=Owner(FOUR))

    assert fetched.path.read_bytes() == clip
    assert most_after[0] <= 2
    assert max(most_after) >= 3
