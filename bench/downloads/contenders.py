"""Tools that are killed and lied to: how each goes on with what it has, and how it is ended."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.downloads.origins import MEMORY, WORK
from bench.downloads.tools import OWN, Tool, aria, axel, curl, own, wget, yt_dlp

OUT = MEMORY / "behaviour"


@dataclass(frozen=True)
class Contender:
    """A tool in the way that goes on with an earlier run's bytes."""

    name: str
    connections: int
    make: Callable[[str], Tool]

    @property
    def is_own(self) -> bool:
        """Whether the goals are ours."""
        return self.name.startswith(OWN)


def contenders(only: str = "") -> list[Contender]:
    """Those that are installed and whose name contains `only`."""
    split = ["-x16", "-s16", "-k1M", "--file-allocation=none", "-c"]
    listed = [
        Contender(f"{OWN}, 1 connection", 1, lambda url: own(url, 1)),
        Contender(f"{OWN}, 16 connections", 16, lambda url: own(url, 16)),
        Contender("curl -C -", 1, lambda url: curl(url, "-f", "-C", "-")),
        Contender("wget -c", 1, lambda url: wget(url, "-c", "--tries=5", "--waitretry=1")),
        Contender("yt-dlp", 1, yt_dlp),
        Contender("aria2c -x16 -c", 16, lambda url: aria(url, *split, *_PATIENCE)),
        Contender(
            "aria2c -x16, auto-save 1 s",
            16,
            lambda url: aria(url, *split, *_PATIENCE, "--auto-save-interval=1"),
        ),
        Contender("axel -n16", 16, axel),
    ]
    found = [one for one in listed if one.make("http://127.0.0.1/").is_installed]
    for one in listed:
        if one not in found:
            print(f"  notice: {one.name} is not installed and is left out")
    return [one for one in found if only in one.name]


_PATIENCE = ("--max-tries=5", "--retry-wait=1")


class Attempt:
    """One process in the folder `OUT`, which is kept for the next one."""

    def __init__(self, tool: Tool, environment: dict[str, str]) -> None:
        with (WORK / "last.log").open("wb") as log:
            self._process = subprocess.Popen(
                tool.words(OUT),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=environment | tool.environment,
                start_new_session=True,
            )

    def until(self, condition: Callable[[], bool], timeout_seconds: float = 60) -> bool:
        """Wait for something while it runs; False when it ended before."""
        end = time.monotonic() + timeout_seconds
        while not condition():
            if self._process.poll() is not None or time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    def kill(self) -> None:
        """kill -9 for it and its children."""
        # It leads a session of its own, so that nobody else is met.
        os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def end(self, timeout_seconds: float) -> int | None:
        """Its exit status; None when it had to be ended."""
        try:
            return self._process.wait(timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return None


def fresh_folder() -> Path:
    """`OUT`, empty."""
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    return OUT


def last_words() -> str:
    """What the last process said at its end."""
    lines = (WORK / "last.log").read_text(errors="replace").strip().splitlines()
    return lines[-1].strip()[:120] if lines else ""
