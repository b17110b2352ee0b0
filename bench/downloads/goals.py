"""What was promised, what was measured, and whether the one holds for the other."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results"


@dataclass(frozen=True)
class Outcome:
    """One goal beside its figure."""

    work: str
    goal: str
    figure: str
    met: bool

    @property
    def word(self) -> str:
        """For a table."""
        return "met" if self.met else "missed"


def print_goals(outcomes: list[Outcome]) -> None:
    """The last table: goal by goal."""
    print("\nGoal by goal")
    if not outcomes:
        print("  nothing was measured")
        return
    width = max(len(outcome.work) for outcome in outcomes)
    length = max(len(outcome.goal) for outcome in outcomes)
    for outcome in outcomes:
        goal = f"{outcome.work:<{width}}  {outcome.goal:<{length}}"
        print(f"  {outcome.word:6}  {goal}  {outcome.figure}")
    missed = sum(not outcome.met for outcome in outcomes)
    print(f"  {len(outcomes) - missed} met, {missed} missed")


def save(suite: str, rounds: int, rows: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
    """Write one suite's rows and goals as JSON."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    content = {
        "suite": suite,
        "commit": _commit(),
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "rounds": rounds,
        "rows": rows,
        "goals": [asdict(outcome) | {"verdict": outcome.word} for outcome in outcomes],
    }
    (RESULTS / f"downloads-{suite}.json").write_text(json.dumps(content, indent=1) + "\n")


def saved() -> list[Outcome]:
    """The goals of all suites that were measured here, each figure with its commit."""
    outcomes = []
    for path in sorted(RESULTS.glob("downloads-*.json")):
        content = json.loads(path.read_text())
        for goal in content.get("goals", []) if isinstance(content, dict) else []:
            figure = f"{goal['figure']} [{content['commit']}]"
            outcomes.append(Outcome(goal["work"], goal["goal"], figure, goal["met"]))
    return outcomes


def _commit() -> str:
    command = ["git", "describe", "--always", "--dirty"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()
