"""The download engine beside its peers, on this machine: `run.py [SUITE ...] [--rounds 5]`.

Speed: every round runs each tool of a suite once as a whole process, in shuffled order. A row
states the command, the median of seconds, the median of the ratios to the anchor's run of the same
round, CPU seconds a gigabyte and the peak memory of the largest process. What arrived is checked
each time. Behaviour (resume, changed, lies): what is left after kills, changes and lies, compared
byte for byte; what was sent is counted by the server. `--goals` prints what was saved last.
"""

from __future__ import annotations

import argparse
import compileall
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from bench.downloads import changed, lies, progress, resume
from bench.downloads.goals import Outcome, print_goals, save, saved
from bench.downloads.measure import Goal, Series, Suite, run_suite
from bench.downloads.origins import MEMORY, Origins, has_room, make_files, running
from bench.downloads.speed import speed_suites
from bench.downloads.tools import ROOT, found, install_peers

NEED_NGINX: tuple[str, ...] = ("single", "single-disk", "single-tls", "parallel", "parallel-tls")
NEED_NGINX += ("hls-ts", "hls-fmp4", "hls-aes", "hls-tls", "hls-late")
BEHAVIOUR: dict[str, Callable[[int, str, dict[str, str]], tuple[list[Any], list[Outcome]]]] = {
    "resume": resume.run,
    "changed": changed.run,
    "lies": lies.run,
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", help="names or beginnings of names; all when none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="tools whose name contains this, and the anchor")
    parser.add_argument("--install", action="store_true", help="install missing peers first")
    parser.add_argument("--list", action="store_true", help="name the suites and end")
    parser.add_argument("--goals", action="store_true", help="print the saved goals and end")
    arguments = parser.parse_args()
    if arguments.goals:
        print_goals(saved())
        return 0
    if arguments.install:
        install_peers()
    if found("nginx") is None:
        print(f"notice: nginx is not installed; these suites are left out: {', '.join(NEED_NGINX)}")
    if not has_room():
        print(f"notice: {MEMORY.parent} is too small; name a larger folder in BENCH_MEMORY")
        return 0
    make_files()
    # As every peer is that pip has installed.
    for package in ("downloads", "providers", "watchlist_project"):
        compileall.compile_dir(ROOT / package, quiet=1)
    with running() as origins:
        outcomes = _run_all(origins, arguments)
    shutil.rmtree(MEMORY / "out", ignore_errors=True)
    if not arguments.list:
        print_goals(outcomes)
    return 0


def _run_all(origins: Origins, arguments: argparse.Namespace) -> list[Outcome]:
    # Every tool trusts the authority that the TLS server's certificate comes from.
    authority = {"SSL_CERT_FILE": str(origins.ca_file), "REQUESTS_CA_BUNDLE": str(origins.ca_file)}
    environment = os.environ | authority | {"ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}
    suites = {suite.name: suite for suite in speed_suites(origins)}
    outcomes = []
    names = [*suites, *BEHAVIOUR, "progress"]
    if arguments.list:
        print("\n".join(names))
        return []
    started = time.monotonic()
    for name in names:
        if arguments.suites and not any(name.startswith(word) for word in arguments.suites):
            continue
        minutes, seconds = divmod(int(time.monotonic() - started), 60)
        print(f"\n[{minutes}:{seconds:02d}] {name}", flush=True)
        if name in suites:
            rows, found_out = _run_speed(suites[name], arguments, environment)
        elif name in BEHAVIOUR:
            rows, found_out = BEHAVIOUR[name](arguments.rounds, arguments.only, environment)
        else:
            rows, found_out = progress.run(origins, arguments.rounds, environment)
        save(name, arguments.rounds, rows, found_out)
        outcomes += found_out
    return outcomes


def _run_speed(
    suite: Suite, arguments: argparse.Namespace, environment: dict[str, str]
) -> tuple[list[Any], list[Outcome]]:
    if arguments.only:
        kept = {
            name: tool
            for name, tool in suite.tools.items()
            if arguments.only in name or name == suite.anchor
        }
        suite.tools.clear()
        suite.tools.update(kept)
    results = run_suite(suite, arguments.rounds, environment)
    outcomes = [_judge(goal, suite, results) for goal in suite.goals if goal.tool in results]
    rows = [_row(name, suite, results) for name in results]
    _print_suite(suite, rows, outcomes)
    return rows, outcomes


def _judge(goal: Goal, suite: Suite, results: dict[str, Series]) -> Outcome:
    series = results[goal.tool]
    if goal.anchor and goal.anchor not in results:
        return Outcome(suite.name, goal.text, f"{goal.anchor} is not installed", met=False)
    if series.right < len(series.runs):
        wrong = f"{len(series.runs) - series.right} of {len(series.runs)} runs went wrong"
        return Outcome(suite.name, goal.text, wrong, met=False)
    if goal.metric == "peak_mb":
        value, figure = series.peak_mb, f"{series.peak_mb:.0f} MB"
    elif goal.metric == "ideal":
        value = series.middle("seconds") / suite.ideal_seconds
        figure = f"{value:.3f}x"
    else:
        value = series.ratio(goal.metric, results[goal.anchor])
        figure = f"{value:.3f}x"
    return Outcome(suite.name, goal.text, figure, met=value <= goal.bound)


def _row(name: str, suite: Suite, results: dict[str, Series]) -> dict[str, Any]:
    series, anchor = results[name], results.get(suite.anchor)
    tool = suite.tools[name]
    goals = [_judge(goal, suite, results) for goal in suite.goals if goal.tool == name]
    return {
        "tool": name,
        "command": tool.line,
        "note": tool.note,
        "seconds": series.middle("seconds"),
        "ratio": series.ratio("seconds", anchor) if anchor else None,
        "ideal_ratio": series.middle("seconds") / suite.ideal_seconds
        if suite.ideal_seconds
        else None,
        "cpu_seconds_per_gb": series.middle("cpu") / suite.size * 1e9,
        "cpu_ratio": series.ratio("cpu", anchor) if anchor else None,
        "peak_mb": series.peak_mb,
        "right": series.right,
        "verdict": "" if not goals else "met" if all(goal.met for goal in goals) else "missed",
        "runs": [vars(run) for run in series.runs],
    }


def _print_suite(suite: Suite, rows: list[dict[str, Any]], outcomes: list[Outcome]) -> None:
    print(f"\n{suite.name}: {suite.title} (anchor {suite.anchor})")
    titles = f"{'seconds':>9}{'ratio':>8}{'ideal':>8}{'CPU s/GB':>10}{'ratio':>8}{'MB':>7}"
    print(f"{'tool':28}{titles}  right  goal")
    for row in rows:
        shown = {
            name: f"{row[name]:.2f}" if row[name] is not None else ""
            for name in ("ratio", "ideal_ratio", "cpu_ratio")
        }
        print(
            f"{row['tool']:28}{row['seconds']:9.2f}{shown['ratio']:>8}{shown['ideal_ratio']:>8}"
            f"{row['cpu_seconds_per_gb']:10.2f}{shown['cpu_ratio']:>8}{row['peak_mb']:7.0f}"
            f"  {row['right']}/{len(row['runs']):<4} {row['verdict']}"
        )
    for outcome in outcomes:
        print(f"  {outcome.word}: {outcome.goal}, here {outcome.figure}")
    for row in rows:
        print(
            f"    {row['tool']}: {row['command']}{' (' + row['note'] + ')' if row['note'] else ''}"
        )
    for note in suite.notes:
        print(f"    note: {note}")


if __name__ == "__main__":
    raise SystemExit(main())
