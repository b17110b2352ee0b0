"""Control while an expired address is resolved again, which may take a site half a minute."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path

import pytest

from downloads.engine.errors import Interrupted, ServerRefused
from downloads.engine.types import Command
from downloads.tests.engine.conftest import CLIP_SECONDS, FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, Script, failing_first
from downloads.tests.engine.test_hls import packet_counts, serve_folder
from providers.streams import Stream, StreamKind

PATIENT = replace(FAST, stall_timeout_seconds=30.0)


@dataclass
class SlowPage:
    """A player's page that does not answer until it is told to."""

    stream: Stream = field(default_factory=lambda: Stream("", StreamKind.HTTP))
    asked: threading.Event = field(default_factory=threading.Event)
    answers: threading.Event = field(default_factory=threading.Event)
    threads: list[threading.Thread] = field(default_factory=list)

    def refresh(self) -> Stream:
        self.threads.append(threading.current_thread())
        self.asked.set()
        assert self.answers.wait(60)
        return self.stream


@pytest.fixture
def page() -> Iterator[SlowPage]:
    page = SlowPage()
    yield page
    page.answers.set()
    for thread in page.threads:
        thread.join(10)
        assert not thread.is_alive()


Serve = Callable[[StreamKind], Stream]


@pytest.fixture
def expired(origin: Origin, clip: bytes, ts_stream: Path) -> Serve:
    """Serve something of a kind whose address expires in the middle."""

    def serve(kind: StreamKind) -> Stream:
        half = Answer(clip, cut_after=len(clip) // 2)
        file = origin.serve("/old.mp4", failing_first(1, half, Answer(status=403)))
        if kind is StreamKind.HLS:
            file = serve_folder(origin, ts_stream, "/v")
            origin.serve("/v/s003.ts", Answer(status=403))
        if kind is StreamKind.SPLIT:
            return Stream(file, kind, audio_url=origin.serve("/sound.mp4", Answer(clip)))
        return Stream(file, kind)

    return serve


@pytest.mark.parametrize("kind", [StreamKind.HTTP, StreamKind.HLS, StreamKind.SPLIT])
@pytest.mark.parametrize("command", [Command.PAUSE, Command.CANCEL, Command.HAND_BACK])
def test_a_command_is_obeyed_at_once_while_an_address_is_renewed(
    run: Fetch, page: SlowPage, expired: Serve, kind: StreamKind, command: Command
) -> None:
    owner = Owner(PATIENT)
    given: list[float] = []

    def give() -> None:
        if page.asked.is_set() and not given:
            owner.command = command
            given.append(time.monotonic())

    owner.on_poll = give
    with pytest.raises(Interrupted):
        run("", stream=expired(kind), owner=owner, refresh=page.refresh)

    assert time.monotonic() - given[0] < 2
    assert not page.answers.is_set()


@pytest.mark.parametrize("kind", [StreamKind.HTTP, StreamKind.HLS])
def test_the_owner_is_asked_and_told_while_an_address_is_renewed(
    run: Fetch, page: SlowPage, expired: Serve, kind: StreamKind
) -> None:
    owner = Owner(PATIENT)
    polls: list[float] = []

    def look() -> None:
        if page.asked.is_set():
            polls.append(time.monotonic())
        if len(polls) == 10:
            owner.command = Command.CANCEL

    owner.on_poll = look
    with pytest.raises(Interrupted):
        run("", stream=expired(kind), owner=owner, refresh=page.refresh)

    assert max(b - a for a, b in pairwise(polls)) < 2
    assert len(page.threads) == 1


def test_the_renewed_address_is_used_once_the_page_has_answered(
    origin: Origin, run: Fetch, page: SlowPage, expired: Serve, clip: bytes
) -> None:
    page.stream = Stream(origin.serve("/new.mp4", Answer(clip)), StreamKind.HTTP)
    owner = Owner(PATIENT)
    polls: list[None] = []

    def answer_later() -> None:
        if page.asked.is_set():
            polls.append(None)
        if len(polls) == 5:
            page.answers.set()

    owner.on_poll = answer_later
    fetched = run("", stream=expired(StreamKind.HTTP), owner=owner, refresh=page.refresh)

    assert fetched.path.read_bytes() == clip
    assert origin.sent_bytes("/new.mp4") < len(clip)


def test_a_renewed_address_of_another_kind_is_refused(
    origin: Origin, run: Fetch, page: SlowPage, expired: Serve
) -> None:
    page.stream = Stream(origin.url("/a.m3u8"), StreamKind.HLS)
    page.answers.set()
    with pytest.raises(ServerRefused, match="another kind"):
        run("", stream=expired(StreamKind.HTTP), refresh=page.refresh)


@dataclass
class Allowance:
    """Answers that a server gives until the address is resolved again."""

    each: int
    left: int = 0
    renewals: int = 0

    def of(self, content: bytes, *, most_bytes: int | None = None) -> Script:
        def script(_number: int, _headers: dict[str, str]) -> Answer:
            self.left -= 1
            if self.left < 0:
                return Answer(status=403)
            return Answer(content, etag="", most_bytes=most_bytes)

        return script

    def renew(self, stream: Stream) -> Callable[[], Stream]:
        def refresh() -> Stream:
            self.renewals += 1
            self.left = self.each
            return stream

        return refresh


@pytest.mark.parametrize("connections", [1, 4])
def test_a_stream_may_expire_again_and_again_while_it_gets_on(
    origin: Origin, run: Fetch, ts_stream: Path, connections: int
) -> None:
    stream = Stream(serve_folder(origin, ts_stream, "/v"), StreamKind.HLS)
    allowance = Allowance(each=1)
    for path in ts_stream.glob("*.ts"):
        origin.serve(f"/v/{path.name}", allowance.of(path.read_bytes()))
    owner = Owner(replace(FAST, max_connections=connections))
    fetched = run("", stream=stream, owner=owner, refresh=allowance.renew(stream))

    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10
    assert allowance.renewals >= len(list(ts_stream.glob("*.ts")))


def test_a_file_may_expire_again_and_again_while_it_gets_on(
    origin: Origin, run: Fetch, clip: bytes
) -> None:
    allowance = Allowance(each=1)
    url = origin.serve("/a.mp4", allowance.of(clip, most_bytes=300_000))
    stream = Stream(url, StreamKind.HTTP)
    fetched = run("", stream=stream, refresh=allowance.renew(stream))

    assert fetched.path.read_bytes() == clip


def test_a_stream_that_expires_at_once_is_given_up(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    stream = Stream(serve_folder(origin, ts_stream, "/v"), StreamKind.HLS)
    allowance = Allowance(each=0)
    origin.serve("/v/s003.ts", allowance.of(b""))
    with pytest.raises(ServerRefused, match="403"):
        run("", stream=stream, refresh=allowance.renew(stream))
    assert allowance.renewals == 3


def test_connections_of_one_address_expire_once(
    origin: Origin, run: Fetch, ts_stream: Path
) -> None:
    stream = Stream(serve_folder(origin, ts_stream, "/v"), StreamKind.HLS)
    for path in ts_stream.glob("*.ts"):
        late = 0.0 if path.name == "s000.ts" else 0.5
        expired = Answer(status=403, delay_seconds=late)
        origin.serve(f"/v/{path.name}", failing_first(1, expired, Answer(path.read_bytes())))
    allowance = Allowance(each=0)
    owner = Owner(replace(FAST, max_connections=6))
    fetched = run("", stream=stream, owner=owner, refresh=allowance.renew(stream))

    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10
    assert allowance.renewals == 1


@pytest.fixture
def signed_path(origin: Origin, ts_stream: Path) -> Stream:
    """A stream whose addresses are signed in the path; that of `/one` soon expires."""
    serve_folder(origin, ts_stream, "/two")
    url = serve_folder(origin, ts_stream, "/one")
    for path in sorted(ts_stream.glob("*.ts"))[3:]:
        origin.serve(f"/one/{path.name}", Answer(status=403))
    return Stream(url, StreamKind.HLS)


def test_a_signature_in_the_path_is_renewed_and_what_is_there_is_kept(
    origin: Origin, run: Fetch, signed_path: Stream
) -> None:
    renewed = Stream(origin.url("/two/index.m3u8"), StreamKind.HLS)
    fetched = run("", stream=signed_path, refresh=lambda: renewed)

    assert not fetched.restarted
    assert packet_counts(fetched.path)["video"] == CLIP_SECONDS * 10
    again = [seen.path for seen in origin.seen if seen.path[:7] == "/two/s0"]
    assert again[:3] == ["/two/s003.ts", "/two/s004.ts", "/two/s005.ts"]


def test_a_stream_is_resumed_at_an_address_with_another_signature_in_the_path(
    origin: Origin, run: Fetch, signed_path: Stream, ts_stream: Path
) -> None:
    with pytest.raises(ServerRefused):
        run("", stream=signed_path)
    fetched = run(origin.url("/two/index.m3u8"), kind=StreamKind.HLS)

    assert not fetched.restarted
    assert fetched.resumed_from == sum(p.stat().st_size for p in ts_stream.glob("s00[0-2].ts"))


def test_a_renewed_address_of_another_stream_starts_anew(
    origin: Origin, run: Fetch, signed_path: Stream
) -> None:
    shorter = "#EXTM3U\n#EXTINF:2,\ns000.ts\n#EXTINF:2,\ns001.ts\n#EXT-X-ENDLIST\n"
    url = origin.serve("/two/short.m3u8", shorter.encode())
    fetched = run("", stream=signed_path, refresh=lambda: Stream(url, StreamKind.HLS))

    assert fetched.restarted
    assert packet_counts(fetched.path)["video"] == 40
