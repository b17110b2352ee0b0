"""kill -9 at half, run again: what is fetched twice, and is the file the server's?"""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

import av

from bench.downloads.contenders import (
    OUT,
    Attempt,
    Contender,
    contenders,
    fresh_folder,
    last_words,
)
from bench.downloads.goals import Outcome
from bench.downloads.origins import FILES
from bench.downloads.outcomes import Verdict, final_file, judge
from bench.downloads.scripted import Origin
from bench.downloads.speed import segments
from bench.downloads.tools import OWN, Tool, own, yt_dlp

SINGLE_RATE, SPLIT_RATE, STREAM_RATE = "rate=24m", "rate=1500k", "rate=4m"
SINGLE_BOUND_MB, SPLIT_BOUND_MB = 2.0, 4.0
STREAM_CONNECTIONS = 16
TIMEOUT_SECONDS = 90
PEER_ROUNDS = 2  # the goals are for ours; what a peer does hardly changes


@dataclass
class Row:
    """What all rounds of one tool came to."""

    tool: str
    command: str
    again_mb: list[float] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    right: int = 0

    def line(self) -> str:
        said = ", ".join(sorted(set(self.verdicts)))
        worst = max(self.again_mb)
        amounts = f"{median(self.again_mb):8.1f}{worst:8.1f}"
        return f"{self.tool:28}{amounts}   {self.right}/{len(self.verdicts)}   {said}"


def run(
    rounds: int, only: str, environment: dict[str, str]
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Rows as JSON and the goals."""
    expected = FILES / "old.mp4"
    rows, outcomes = [], []
    with Origin() as origin:
        origin.publish("x.mp4", expected)
        origin.publish_folder(FILES / "ts")
        for one in contenders(only):
            url = origin.url("x.mp4", SINGLE_RATE if one.connections == 1 else SPLIT_RATE)
            tool = one.make(url)
            row = Row(one.name, tool.line)
            for _ in range(rounds if one.is_own else min(rounds, PEER_ROUNDS)):
                verdict, again = _interrupted(tool, origin, expected, environment)
                _note(row, verdict.text, again, is_right=verdict.is_whole)
            rows.append(row)
            outcomes += _judge(one, row)
        streams = _streams(origin)
        for name in streams:
            if only in name and streams[name].is_installed:
                few = rounds if name.startswith(OWN) else min(rounds, PEER_ROUNDS)
                row = _stream_row(name, streams[name], origin, few, environment)
                rows.append(row)
                outcomes += _judge_stream(row)
    _print(rows, outcomes)
    return [asdict(row) for row in rows], outcomes


def _note(row: Row, text: str, again: int, *, is_right: bool) -> None:
    row.again_mb.append(again / 1e6)
    row.verdicts.append(text)
    row.right += is_right
    print(f"  {row.tool}: {text}, {again / 1e6:.1f} MB again", flush=True)


def _interrupted(
    tool: Tool, origin: Origin, expected: Path, environment: dict[str, str]
) -> tuple[Verdict, int]:
    fresh_folder()
    size = expected.stat().st_size
    status = _killed_and_resumed(tool, origin, size, environment)
    verdict = judge(final_file(OUT), {"right file": expected}, status)
    return verdict, origin.sent_bytes() - size


def _killed_and_resumed(
    tool: Tool, origin: Origin, size: int, environment: dict[str, str]
) -> int | None:
    """The exit status of the second run; the origin has counted both."""
    origin.forget()
    first = Attempt(tool, environment)
    if not first.until(lambda: origin.sent_bytes() >= size / 2):
        first.end(0)
        raise SystemExit(f"{tool.line} did not reach half: {last_words()}")
    first.kill()
    return Attempt(tool, environment).end(TIMEOUT_SECONDS)


def _streams(origin: Origin) -> dict[str, Tool]:
    url = origin.url("ts/index.m3u8", STREAM_RATE)
    count = str(STREAM_CONNECTIONS)
    return {
        f"{OWN}, HLS": own(url, STREAM_CONNECTIONS),
        "yt-dlp -N16, HLS": yt_dlp(url, "--downloader", "m3u8:native", "-N", count),
    }


def _stream_row(
    name: str, tool: Tool, origin: Origin, rounds: int, environment: dict[str, str]
) -> Row:
    row = Row(name, tool.line)
    size = sum(path.stat().st_size for path in segments("ts"))
    fresh_folder()
    undisturbed = tool.command[:]
    undisturbed = [word.replace(STREAM_RATE, "-") for word in undisturbed]
    status = Attempt(Tool(undisturbed, environment=tool.environment), environment).end(60)
    reference = packets_of(final_file(OUT)) if status == 0 else {}
    for _ in range(rounds):
        fresh_folder()
        status = _killed_and_resumed(tool, origin, size, environment)
        found = packets_of(final_file(OUT))
        is_right = status == 0 and bool(found) and found == reference
        text = "same streams" if is_right else f"exit {status}, other streams"
        _note(row, text, origin.sent_bytes() - size, is_right=is_right)
    return row


def packets_of(path: Path | None) -> dict[str, tuple[int, str]]:
    """Number and digest of the packets of each stream; empty when it cannot be read."""
    if path is None:
        return {}
    counts: dict[str, int] = {}
    digests: dict[str, hashlib._Hash] = {}
    try:
        with av.open(str(path)) as media:
            for packet in media.demux():
                if packet.dts is None:
                    continue
                name = f"{packet.stream.index} {packet.stream.type}"
                counts[name] = counts.get(name, 0) + 1
                digests.setdefault(name, hashlib.sha256()).update(bytes(packet))
    except av.FFmpegError:
        return {}
    return {name: (counts[name], digests[name].hexdigest()) for name in counts}


def _judge(one: Contender, row: Row) -> list[Outcome]:
    if not one.is_own:
        return []
    bound = SINGLE_BOUND_MB if one.connections == 1 else SPLIT_BOUND_MB
    return [*_judge_whole(row, "bit-identical"), _judge_amount(row, bound)]


def _judge_stream(row: Row) -> list[Outcome]:
    if not row.tool.startswith(OWN):
        return []
    largest = sorted((path.stat().st_size for path in segments("ts")), reverse=True)
    in_flight = sum(largest[:STREAM_CONNECTIONS]) / 1e6
    return [*_judge_whole(row, "same streams, plays whole"), _judge_amount(row, in_flight)]


def _judge_whole(row: Row, what: str) -> list[Outcome]:
    figure = f"{row.right} of {len(row.verdicts)}"
    return [Outcome("resume", f"{row.tool}: {what}", figure, met=row.right == len(row.verdicts))]


def _judge_amount(row: Row, bound: float) -> Outcome:
    worst = max(row.again_mb)
    goal = f"{row.tool}: fetched again <= {bound:.0f} MB"
    return Outcome("resume", goal, f"{worst:.2f} MB at most", met=worst <= bound)


def _print(rows: list[Row], outcomes: list[Outcome]) -> None:
    print("\nresume: kill -9 once the server has sent half, then the same command again")
    print(f"{'tool':28}{'MB again':>8}{'most':>8}   right outcome")
    for row in rows:
        print(row.line())
    for outcome in outcomes:
        print(f"  {outcome.word}: {outcome.goal}, here {outcome.figure}")
    for row in rows:
        print(f"    {row.tool}: {row.command}")
    print(
        f"    note: 100 MB at 24 MiB/s over one connection or 1.5 MiB/s over each of 16; HLS "
        f"{len(segments('ts'))} segments at 4 MiB/s each.\n"
        "    note: bytes are counted by the server as its kernel takes them, both runs together."
    )
