"""Runs tools as whole processes, in turn, and takes their time, CPU and memory."""

from __future__ import annotations

import os
import random
import resource
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from bench.downloads.origins import MEMORY, WORK
from bench.downloads.tools import Tool, found

TIME = "/usr/bin/time"
TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Goal:
    """A bound for one tool: against the anchor, or against an absolute figure."""

    tool: str
    metric: str  # seconds, cpu, peak_mb, or ideal: seconds against the suite's ideal
    bound: float
    anchor: str = ""  # the bound is a ratio to this tool's run of the same round

    @property
    def text(self) -> str:
        """As it is printed."""
        names = {"seconds": "time", "cpu": "CPU", "peak_mb": "peak memory", "ideal": "time"}
        limits = {"peak_mb": f"{self.bound:.0f} MB", "ideal": f"{self.bound:.2f}x the ideal"}
        limit = limits.get(self.metric, f"{self.bound:.2f}x {self.anchor}")
        return f"{self.tool}: {names[self.metric]} <= {limit}"


@dataclass(frozen=True)
class Suite:
    """Tools that do the same work."""

    name: str
    title: str
    tools: dict[str, Tool]
    anchor: str
    size: int
    check: Callable[[Path], bool]
    goals: list[Goal]
    out: Path = MEMORY / "out"
    ideal_seconds: float = 0.0
    notes: list[str] = field(default_factory=list)


@dataclass
class Run:
    """What one process took."""

    seconds: float
    cpu: float
    peak_mb: float
    is_right: bool
    status: int


@dataclass
class Series:
    """All runs of one tool, by round."""

    runs: list[Run] = field(default_factory=list)

    def middle(self, metric: str) -> float:
        """The median of a figure."""
        return median(float(getattr(run, metric)) for run in self.runs)

    def ratio(self, metric: str, anchor: Series) -> float:
        """The median of the ratios to the anchor's runs of the same rounds."""
        pairs = zip(self.runs, anchor.runs, strict=True)
        return median(float(getattr(a, metric) / getattr(b, metric)) for a, b in pairs)

    @property
    def peak_mb(self) -> float:
        """The highest of all runs."""
        return max(run.peak_mb for run in self.runs)

    @property
    def right(self) -> int:
        """Runs that ended well with the right file."""
        return sum(run.is_right and run.status == 0 for run in self.runs)


def measure(tool: Tool, suite: Suite, environment: dict[str, str]) -> Run:
    """One run into an empty folder; what arrived is checked afterwards."""
    shutil.rmtree(suite.out, ignore_errors=True)
    suite.out.mkdir(parents=True)
    if not suite.out.is_relative_to(MEMORY):
        # What the tool before has left to be written must not slow down this one.
        os.sync()
    command = tool.words(suite.out)
    is_peak_known = Path(TIME).exists()
    if is_peak_known:
        # A small process starts the tool: one that is started from here would inherit our peak.
        command = [TIME, "-f", "%M", "-o", str(WORK / "peak"), *command]
    with (WORK / "last.log").open("wb") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=environment | tool.environment,
            start_new_session=True,
        )
        status, usage = _wait(process.pid)
        seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    peak = usage.ru_maxrss
    if is_peak_known and process.returncode == 0:
        peak = int((WORK / "peak").read_text().split()[-1])
    cpu = usage.ru_utime + usage.ru_stime
    is_right = process.returncode == 0 and suite.check(suite.out)
    return Run(seconds, cpu, peak / 1024, is_right, process.returncode)


def _wait(leader: int) -> tuple[int, resource.struct_rusage]:
    """Status and usage of a process, which is killed with its children when it hangs."""
    timer = threading.Timer(TIMEOUT_SECONDS, os.killpg, (leader, signal.SIGKILL))
    timer.daemon = True
    timer.start()
    try:
        _, status, usage = os.wait4(leader, 0)
    except KeyboardInterrupt:
        os.killpg(leader, signal.SIGKILL)
        raise
    finally:
        timer.cancel()
    return status, usage


def run_suite(suite: Suite, rounds: int, environment: dict[str, str]) -> dict[str, Series]:
    """Every round runs each tool once, in shuffled order."""
    tools = {name: tool for name, tool in suite.tools.items() if tool.is_installed}
    for name in suite.tools.keys() - tools.keys():
        print(f"  notice: {name} is not installed and is left out of {suite.name}")
    results = {name: Series() for name in tools}
    order = list(tools)
    if suite.anchor in tools and not suite.ideal_seconds:
        # The first run after much memory was freed is slow, whichever tool it is; where the origin
        # is slower still, nobody feels it.
        measure(tools[suite.anchor], suite, environment)
    for number in range(rounds):
        random.Random(number).shuffle(order)  # noqa: S311 - to be repeated
        for name in order:
            run = measure(tools[name], suite, environment)
            if not run.is_right:
                _tell_failure(suite, name, run)
            results[name].runs.append(run)
        print(f"  {suite.name}: round {number + 1} of {rounds}", flush=True)
    shutil.rmtree(suite.out, ignore_errors=True)
    return results


def _tell_failure(suite: Suite, name: str, run: Run) -> None:
    words = (WORK / "last.log").read_text(errors="replace").strip().splitlines()[-1:]
    print(f"  {suite.name}: {name} went wrong, exit {run.status}: {' '.join(words)[:200]}")


def same_as(expected: Path) -> Callable[[Path], bool]:
    """A check that the one file in a folder is this one, byte for byte."""

    def check(folder: Path) -> bool:
        files = [path for path in folder.rglob("*") if path.is_file()]
        compare = found("cmp")
        assert compare is not None, "cmp is missing"
        return len(files) == 1 and not subprocess.call(
            [compare, "-s", str(files[0]), str(expected)]
        )

    return check
