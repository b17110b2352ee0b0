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
from downloads.tests.engine.conftest import FAST, Fetch, Owner
from downloads.tests.engine.origin import Answer, Origin, failing_first
from downloads.tests.engine.test_hls import serve_folder
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
