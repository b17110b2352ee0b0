"""The file changes on the server, between two runs or in the middle of one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.downloads import changed_stream
from bench.downloads.contenders import (
    OUT,
    Attempt,
    Contender,
    contenders,
    fresh_folder,
    last_words,
)
from bench.downloads.goals import Outcome
from bench.downloads.origins import FILES, VERSION_BYTES
from bench.downloads.outcomes import Verdict, final_file, judge
from bench.downloads.scripted import Origin
from bench.downloads.tools import Tool

ROUNDS, PEER_ROUNDS = 2, 1  # the outcome hardly depends on chance
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Case:
    """One way in which a file changes."""

    name: str
    words: str  # what the server tells of a version
    kills: bool = False  # kill -9, then a second run
    drops: bool = False  # the server ends all connections
    needs_many: bool = False  # says nothing of a tool with one connection


CASES = (
    Case("between two runs, ETag and Last-Modified", "validators=both", kills=True),
    Case("between two runs, Last-Modified alone", "validators=modified", kills=True),
    Case("while running, server started anew", "validators=both", drops=True),
    Case("while running, connections live on", "validators=both,slow=5", needs_many=True),
)


def run(
    rounds: int, only: str, environment: dict[str, str]
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Rows as JSON and the goals."""
    rows: list[dict[str, Any]] = []
    outcomes = []
    with Origin() as origin:
        for one in contenders(only):
            for case in CASES:
                if case.needs_many and one.connections == 1:
                    continue
                few = min(rounds, ROUNDS if one.is_own else PEER_ROUNDS)
                verdicts = [_changed(one, case, origin, environment) for _ in range(few)]
                rows.append(_row(one, case, verdicts))
                if one.is_own:
                    outcomes.append(_judge(one, case, verdicts))
    streams, about_streams = changed_stream.run(min(rounds, ROUNDS), only, environment)
    rows += streams
    outcomes += about_streams
    _print(rows, outcomes)
    return rows, outcomes


def _url(origin: Origin, one: Contender, words: str) -> str:
    rate = "rate=24m" if one.connections == 1 else "rate=1500k"
    return origin.url("x.mp4", f"{rate},{words}")


def _switch(origin: Origin) -> None:
    origin.publish("x.mp4", FILES / "new.mp4")


def _changed(
    one: Contender, case: Case, origin: Origin, environment: dict[str, str]
) -> tuple[Verdict, str]:
    fresh_folder()
    origin.publish("x.mp4", FILES / "old.mp4", age_seconds=86_400)
    origin.forget()
    tool: Tool = one.make(_url(origin, one, case.words))
    attempt = Attempt(tool, environment)
    if not attempt.until(lambda: origin.sent_bytes() >= VERSION_BYTES / 2):
        attempt.end(0)
        raise SystemExit(f"{tool.line} did not reach half: {last_words()}")
    if case.kills:
        attempt.kill()
    _switch(origin)
    if case.drops:
        origin.drop_all()
    status = (Attempt(tool, environment) if case.kills else attempt).end(TIMEOUT_SECONDS)
    versions = {"old version": FILES / "old.mp4", "new version": FILES / "new.mp4"}
    verdict = judge(final_file(OUT), versions, status)
    print(f"  {one.name}, {case.name}: {verdict.text} {verdict.detail}", flush=True)
    return verdict, last_words() if status else ""


def _row(one: Contender, case: Case, verdicts: list[tuple[Verdict, str]]) -> dict[str, Any]:
    return {
        "tool": one.name,
        "case": case.name,
        "command": one.make("{url}").line,
        "outcomes": [verdict.text for verdict, _ in verdicts],
        "details": [verdict.detail for verdict, _ in verdicts],
        "messages": [words for _, words in verdicts],
    }


def _judge(one: Contender, case: Case, verdicts: list[tuple[Verdict, str]]) -> Outcome:
    texts = ", ".join(sorted({verdict.text for verdict, _ in verdicts}))
    # Answers that had begun before the change may bring the old version to its end.
    wanted = {"new version", "old version"} if case.needs_many else {"new version"}
    met = all(verdict.is_whole and verdict.version in wanted for verdict, _ in verdicts)
    goal = f"{one.name}, {case.name}: {' or '.join(sorted(wanted))}, whole"
    return Outcome("changed", goal, texts, met=met)


def _print(rows: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
    print("\nchanged: another file of the same length, once the server has sent half of the first")
    for case in dict.fromkeys(row["case"] for row in rows):
        print(f"  {case}")
        for row in rows:
            if row["case"] == case:
                said = ", ".join(sorted(set(row["outcomes"])))
                hints = ", ".join(sorted({hint for hint in row["details"] if hint}))
                print(f"    {row['tool']:28}{said}{f' ({hints})' if hints else ''}")
    for outcome in outcomes:
        print(f"  {outcome.word}: {outcome.goal}, here {outcome.figure}")
    for name, command in {row["tool"]: row["command"] for row in rows}.items():
        print(f"    {name}: {command}")
