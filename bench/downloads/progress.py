"""What it costs to tell how far a download is, and how often it is told."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any

from bench.downloads.goals import Outcome
from bench.downloads.origins import MEMORY, Origins

LISTENERS = ("deaf", "console", "database")
PROBE = Path(__file__).resolve().with_name("progress_probe.py")
MOST_SHARE, FEWEST, MOST = 0.02, 2.0, 4.0
# Stages that begin are told at once, beside the regular updates.
TOLERANCE = 0.2


def run(
    origins: Origins, rounds: int, environment: dict[str, str]
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Rows as JSON and the goals."""
    url = f"{origins.throttled}/rate=4m,lat=20/256m.mp4"
    taken: dict[str, list[dict[str, float]]] = {listener: [] for listener in LISTENERS}
    for number in range(rounds):
        turn = number % len(LISTENERS)
        for listener in LISTENERS[turn:] + LISTENERS[:turn]:
            taken[listener].append(_probe(url, listener, environment))
        print(f"  progress: round {number + 1} of {rounds}", flush=True)
    rows = [_row(url, listener, taken[listener], taken["deaf"]) for listener in LISTENERS]
    outcomes = _judge(rows)
    _print(rows, outcomes)
    return rows, outcomes


def _probe(url: str, listener: str, environment: dict[str, str]) -> dict[str, float]:
    folder = MEMORY / "progress"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    command = [sys.executable, str(PROBE), url, str(folder), listener]
    done = subprocess.run(
        command, env=environment, stdout=subprocess.PIPE, text=True, check=True, timeout=120
    )
    shutil.rmtree(folder, ignore_errors=True)
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _row(
    url: str, listener: str, runs: list[dict[str, float]], deaf: list[dict[str, float]]
) -> dict[str, Any]:
    pairs = zip(runs, deaf, strict=True)
    return {
        "listener": listener,
        "command": f"progress_probe.py {url} FOLDER {listener}",
        "seconds": median(run["seconds"] for run in runs),
        "cpu": median(run["cpu"] for run in runs),
        "share": median(run["listener_cpu"] / run["later_cpu"] for run in runs),
        "difference": median(one["cpu"] / other["cpu"] - 1 for one, other in pairs),
        "updates_per_second": median(run["updates_per_second"] for run in runs),
        "writes_per_second": median(run.get("writes", 0) / run["seconds"] for run in runs),
        "runs": runs,
    }


def _judge(rows: list[dict[str, Any]]) -> list[Outcome]:
    outcomes = []
    for row in rows[1:]:
        figure = f"{row['share']:.2%} ({row['difference']:+.1%} against deaf)"
        goal = f"{row['listener']}: listening costs <= {MOST_SHARE:.0%} of CPU"
        outcomes.append(Outcome("progress", goal, figure, met=row["share"] <= MOST_SHARE))
    rate = rows[1]["updates_per_second"]
    met = FEWEST <= rate <= MOST + TOLERANCE
    outcomes.append(Outcome("progress", "told 2 to 4 times a second", f"{rate:.2f}", met=met))
    writes = rows[2]["writes_per_second"]
    goal = "database: one write a second at most"
    # The first write is at the very beginning, so a short transfer has one more.
    extra = 1 / rows[2]["seconds"]
    outcomes.append(Outcome("progress", goal, f"{writes:.2f}", met=writes <= 1 + extra))
    return outcomes


def _print(rows: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
    print("\nprogress: 256 MiB at 4 MiB/s over each of 16 connections, CPU of the fetch alone")
    print(f"{'listener':12}{'seconds':>9}{'CPU s':>8}{'share':>8}{'updates/s':>11}{'writes/s':>10}")
    for row in rows:
        print(
            f"{row['listener']:12}{row['seconds']:9.2f}{row['cpu']:8.3f}{row['share']:8.2%}"
            f"{row['updates_per_second']:11.2f}{row['writes_per_second']:10.2f}"
        )
    for outcome in outcomes:
        print(f"  {outcome.word}: {outcome.goal}, here {outcome.figure}")
    print(
        "    note: the share is the listener's own CPU time on the fetching thread after the first "
        "second, of all CPU in that time. The database's includes the lease, the commands and the "
        "limits that it reads. The difference to a deaf listener is noisier.\n"
        "    note: a slow transfer is the hard case: what a second costs is the same, and it is "
        "a share of less work."
    )
