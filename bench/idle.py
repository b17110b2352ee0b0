"""What the whole product costs while nothing happens, and how soon it is up.

Run: `python bench/idle.py`.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402 - the path is set above

from bench.stage import Row, print_table  # noqa: E402 - as above

WATCHED_SECONDS = 30


def main() -> None:
    """Start it twice on one folder; measure the second start, then half a minute of rest."""
    with tempfile.TemporaryDirectory(prefix="tsuzuku-bench-") as folder:
        first, process = start(folder)
        stop(process)
        second, process = start(folder)
        try:
            time.sleep(10)
            tree = [psutil.Process(process.pid)]
            tree += tree[0].children(recursive=True)
            before = cpu_seconds(tree)
            time.sleep(WATCHED_SECONDS)
            busy = (cpu_seconds(tree) - before) / WATCHED_SECONDS * 100
            memory = sum(part.memory_full_info().pss for part in tree) / 1e6
        finally:
            stop(process)
        print_table(
            "The whole product at rest",
            [
                Row("first start to healthy, s", f"{first:.1f}"),
                Row("second start to healthy, s", f"{second:.1f}", "< 4"),
                Row("CPU of all processes, % of a core", f"{busy:.2f}", "< 1"),
                Row("proportional memory of all processes, MB", f"{memory:.0f}", "aim 250"),
            ],
        )


def start(folder: str) -> tuple[float, subprocess.Popen[bytes]]:
    """Seconds until `/healthz` says that all is well, and the process."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=ROOT,
        env={**os.environ, "DATA_DIR": folder, "PORT": str(port)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while time.monotonic() - began < 60:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5):
                return time.monotonic() - began, process
        except (OSError, urllib.error.HTTPError):
            time.sleep(0.05)
    stop(process)
    raise SystemExit("it did not become healthy")


def stop(process: subprocess.Popen[bytes]) -> None:
    """End it as a person would."""
    process.terminate()
    process.wait(30)


def cpu_seconds(tree: list[psutil.Process]) -> float:
    """CPU seconds of all processes so far."""
    return sum(sum(part.cpu_times()[:2]) for part in tree)


if __name__ == "__main__":
    main()
