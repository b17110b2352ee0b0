"""The server lies or breaks off: who keeps a corrupt file under its final name?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bench.downloads.contenders import OUT, Attempt, Contender, contenders, fresh_folder, last_words
from bench.downloads.goals import Outcome
from bench.downloads.origins import FILES, SMALL_BYTES
from bench.downloads.outcomes import Verdict, final_file, judge
from bench.downloads.scripted import Origin

TIMEOUT_SECONDS = 30  # twice what five retries with growing waits take
HALF = f"cut={SMALL_BYTES // 2}"


@dataclass(frozen=True)
class Case:
    """One lie; a resume case begins with an honest run that is killed at half."""

    name: str
    words: str
    resumes: bool = False


CASES = (
    Case("cut at half, no ranges", f"ranges=no,{HALF}"),
    Case("cut without length", f"ranges=no,length=none,{HALF}"),
    Case("chunked, cut", f"ranges=no,length=chunked,{HALF}"),
    Case("length too small", "ranges=no,length=-2000000"),
    Case("length too large", "ranges=no,length=+2000000"),
    Case("each answer cut after 3 MB", "cut=3000000"),
    Case("resume: 200 to a range", "ranges=no", resumes=True),
    Case("resume: 206, bytes from 0", "ranges=from-zero", resumes=True),
    Case("resume: 206 told from 0", "ranges=told-zero", resumes=True),
    Case("ranges: 206, bytes from 0", "ranges=from-zero"),
    Case("ranges: 206 told from 0", "ranges=told-zero"),
    Case("HTML as mp4", "ranges=no,body=page"),
    Case("gzip body", "ranges=no,body=gzip"),
    Case("gzip body, with ranges", "body=gzip"),
    Case("0 bytes", "body=empty"),
)


def run(
    _rounds: int, only: str, environment: dict[str, str]
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Rows as JSON and the goals; once each, since nothing here depends on chance."""
    rows: list[dict[str, Any]] = []
    outcomes = []
    with Origin() as origin:
        origin.publish("x.mp4", FILES / "small.mp4")
        for one in contenders(only):
            verdicts = []
            for case in CASES:
                verdict = _lied_to(one, case, origin, environment)
                said = last_words() if verdict.status else ""
                rows.append(_row(one, case, verdict, said))
                verdicts.append(verdict)
            if one.is_own:
                outcomes += _judge(one, verdicts)
    _print(rows, outcomes)
    return rows, outcomes


def _lied_to(one: Contender, case: Case, origin: Origin, environment: dict[str, str]) -> Verdict:
    fresh_folder()
    if case.resumes:
        # The same address for both runs; the first is slow enough to be killed at half.
        words = "rate=4m" if one.connections == 1 else "rate=300k"
        _run_to_half(one, origin, words, environment)
        origin.manner = f"rate=0,{case.words}"
        status = Attempt(one.make(origin.url("x.mp4", words)), environment).end(TIMEOUT_SECONDS)
        origin.manner = ""
    else:
        url = origin.url("x.mp4", case.words)
        status = Attempt(one.make(url), environment).end(TIMEOUT_SECONDS)
    verdict = judge(final_file(OUT), {"right file": FILES / "small.mp4"}, status)
    print(f"  {one.name}, {case.name}: {verdict.text} {verdict.detail}", flush=True)
    return verdict


def _run_to_half(one: Contender, origin: Origin, words: str, environment: dict[str, str]) -> None:
    origin.forget()
    first = Attempt(one.make(origin.url("x.mp4", words)), environment)
    if not first.until(lambda: origin.sent_bytes() >= SMALL_BYTES / 2):
        first.end(0)
        raise SystemExit(f"{one.name} did not reach half: {last_words()}")
    first.kill()


def _row(one: Contender, case: Case, verdict: Verdict, said: str) -> dict[str, Any]:
    return {
        "tool": one.name,
        "case": case.name,
        "command": one.make("{url}").line,
        "outcome": verdict.text,
        "is_safe": verdict.is_safe,
        "detail": verdict.detail,
        "message": said,
    }


def _judge(one: Contender, verdicts: list[Verdict]) -> list[Outcome]:
    spoiled = sum(not verdict.is_safe for verdict in verdicts)
    silent = sum(verdict.status is None for verdict in verdicts)
    return [
        Outcome(
            "lies",
            f"{one.name}: no corrupt file under its final name",
            f"{spoiled} of {len(verdicts)}",
            met=spoiled == 0,
        ),
        Outcome(
            "lies",
            f"{one.name}: the right file or an error within {TIMEOUT_SECONDS} s",
            f"{len(verdicts) - silent - spoiled} of {len(verdicts)}",
            met=silent + spoiled == 0,
        ),
    ]


def _print(rows: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
    print("\nlies: what is under the final name, and what the tool said")
    for case in CASES:
        print(f"  {case.name}")
        for row in rows:
            if row["case"] == case.name:
                detail = f" ({row['detail']})" if row["detail"] else ""
                print(f"    {row['tool']:28}{row['outcome']}{detail}  {row['message']}")
    names = dict.fromkeys(row["tool"] for row in rows)
    print("  cases with a corrupt file under the final name, of all")
    for name in names:
        mine = [row for row in rows if row["tool"] == name]
        bad = sum(not row["is_safe"] for row in mine)
        silent = sum(not row["is_safe"] and row["outcome"].endswith("exit 0") for row in mine)
        print(f"    {name:28}{bad} of {len(mine)}, {silent} of them with exit 0")
    for outcome in outcomes:
        print(f"  {outcome.word}: {outcome.goal}, here {outcome.figure}")
    for name, command in {row["tool"]: row["command"] for row in rows}.items():
        print(f"    {name}: {command}")
