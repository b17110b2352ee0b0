"""The download engine beside its peers, on this machine: `run.py [SUITE ...] [--rounds 5]`.

Every round runs each tool of a suite once as a whole process, in shuffled order. A row states the
command, the median of seconds, the median of the ratios to the anchor's run of the same round, CPU
seconds a gigabyte and the peak memory of the largest process. What arrived is checked each time.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import av

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
from origins import (
    BIG_BYTES,
    FILES,
    MEMORY,
    MIDDLE_BYTES,
    SEGMENT_SECONDS,
    SEGMENTS,
    WORK,
    Origins,
    make_files,
    running,
)

ROOT = Path(__file__).resolve().parents[2]
DEBIAN_PEERS = ["nginx-light", "curl", "wget", "aria2", "axel", "ffmpeg", "time"]
TIME = "/usr/bin/time"
HLS_BYTES = 310_000_000
OWN = "tsuzuku"


@dataclass(frozen=True)
class Tool:
    """One command; `{out}` stands for an empty folder."""

    command: list[str]
    note: str = ""


@dataclass(frozen=True)
class Suite:
    """Tools that do the same work."""

    name: str
    tools: dict[str, Tool]
    anchor: str
    size: int
    check: Callable[[Path], bool]
    goal: str
    out: Path = MEMORY / "out"
    ideal_seconds: float = 0.0


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
    runs: list[Run] = field(default_factory=list)

    def middle(self, what: str) -> float:
        return median(getattr(run, what) for run in self.runs)


def own(url: str, connections: int, *words: str, django: bool = False) -> Tool:
    front = [str(ROOT / "manage.py"), "fetch"] if django else ["-m", "downloads.engine"]
    return Tool([sys.executable, *front, url, "{out}", "--connections", str(connections), *words])


def aria(url: str, *words: str) -> Tool:
    quiet = ["--no-conf", "-q", "--allow-overwrite=true", "--auto-file-renaming=false"]
    return Tool(["aria2c", *quiet, "-d", "{out}", "-o", "x.mp4", *words, url])


def yt_dlp(url: str, *words: str) -> Tool:
    binary = str(Path(sys.executable).parent / "yt-dlp")
    quiet = ["--ignore-config", "-q", "--no-warnings", "--no-mtime", "--no-cache-dir"]
    return Tool([binary, *quiet, "-o", "{out}/x.mp4", *words, url])


def curl(url: str, *words: str) -> Tool:
    return Tool(["curl", "-sS", *words, "-o", "{out}/x.mp4", url])


def tool(name: str) -> str:
    """The full path of a program that must be there."""
    path = shutil.which(name)
    assert path is not None, f"{name} is missing"
    return path


def single_file(folder: Path) -> Path | None:
    found = [path for path in folder.rglob("*") if path.is_file() and not path.name.startswith(".")]
    return found[0] if len(found) == 1 else None


def same_as(name: str) -> Callable[[Path], bool]:
    def check(folder: Path) -> bool:
        path = single_file(folder)
        return path is not None and not subprocess.call(
            [tool("cmp"), "-s", str(path), str(FILES / name)]
        )

    return check


def whole_stream(folder: Path) -> bool:
    path = single_file(folder)
    if path is None:
        return False
    with av.open(str(path)) as media:
        seconds = (media.duration or 0) / 1_000_000
        return abs(seconds - SEGMENTS * SEGMENT_SECONDS) < 2 and bool(media.streams.audio)


def single_suites(origins: Origins) -> list[Suite]:
    url, tls, ca = f"{origins.plain}/1g.mp4", f"{origins.tls}/1g.mp4", str(origins.ca_file)
    check = same_as("1g.mp4")
    plain = {
        OWN: own(url, 1),
        "tsuzuku, with sha256": own(url, 1, "--json"),
        "manage.py fetch": own(url, 1, django=True),
        "curl": curl(url),
        "wget": Tool(["wget", "-q", "-O", "{out}/x.mp4", url]),
        "aria2c -x1": aria(url, "-x1", "-s1"),
        "yt-dlp": yt_dlp(url),
    }
    secure = {
        OWN: own(tls, 1),
        "tsuzuku, with sha256": own(tls, 1, "--json"),
        "curl": curl(tls, "--cacert", ca),
        "wget": Tool(["wget", "-q", f"--ca-certificate={ca}", "-O", "{out}/x.mp4", tls]),
        "aria2c -x1": aria(tls, "-x1", "-s1", f"--ca-certificate={ca}"),
    }
    goal = "time and CPU <= 0.90x curl; peak <= 60 MB, manage.py <= 110 MB"
    return [
        Suite("single", plain, "curl", BIG_BYTES, check, goal),
        Suite("single-disk", plain, "curl", BIG_BYTES, check, goal, out=WORK / "out"),
        Suite("single-tls", secure, "curl", BIG_BYTES, check, "<= 1.0x curl"),
    ]


def parallel_suites(origins: Origins) -> list[Suite]:
    suites = []
    smooth = f"{origins.throttled}/rate=4m,lat=20/256m.mp4"
    uneven = f"{origins.throttled}/rate=4m,lat=20,slow=5/256m.mp4"
    goals = {
        "throttled": (smooth, 4.0, "<= 1.03x aria2c -k1M, <= 1.06x ideal (4.00 s), CPU <= 1.1x"),
        "uneven": (uneven, 4.81, "<= 0.95x aria2c -k1M"),
    }
    for name, (url, ideal, goal) in goals.items():
        tools = {
            OWN: own(url, 16),
            "aria2c -x16 -k1M": aria(url, "-x16", "-s16", "-k1M", "--file-allocation=none"),
            "axel -n16": Tool(["axel", "-q", "-n16", "-o", "{out}/x.mp4", url]),
        }
        check = same_as("256m.mp4")
        suites.append(
            Suite(name, tools, "aria2c -x16 -k1M", MIDDLE_BYTES, check, goal, ideal_seconds=ideal)
        )
    ca = str(origins.ca_file)
    for name, base, words, goal in (
        ("parallel", origins.plain, [], "<= 1.25x curl"),
        ("parallel-tls", origins.tls, ["--cacert", ca], "<= 1.1x curl"),
    ):
        url = f"{base}/1g.mp4"
        extra = [f"--ca-certificate={ca}"] if words else []
        tools = {
            OWN: own(url, 4),
            "curl": curl(url, *words),
            "aria2c -x4": aria(url, "-x4", "-s4", "-k1M", "--file-allocation=none", *extra),
        }
        suites.append(Suite(name, tools, "curl", BIG_BYTES, same_as("1g.mp4"), goal))
    return suites


def stream_suites(origins: Origins) -> list[Suite]:
    places = {
        "hls-ts": f"{origins.plain}/ts/index.m3u8",
        "hls-fmp4": f"{origins.plain}/fmp4/index.m3u8",
        "hls-aes": f"{origins.plain}/aes/index.m3u8",
        "hls-tls": f"{origins.tls}/ts/index.m3u8",
        "hls-late": f"{origins.plain}/late/ts/index.m3u8",
        "hls-slow": f"{origins.throttled}/rate=1m,lat=50/ts/index.m3u8",
    }
    suites = []
    for name, url in places.items():
        words = ["--no-check-certificates"] if name == "hls-tls" else []
        tools = {
            OWN: own(url, 16),
            "yt-dlp -N16": yt_dlp(url, "--downloader", "m3u8:native", "-N", "16", *words),
        }
        if name in {"hls-ts", "hls-fmp4", "hls-aes"}:
            tools["ffmpeg"] = Tool(
                [
                    "ffmpeg",
                    "-v",
                    "error",
                    "-nostdin",
                    "-allowed_extensions",
                    "ALL",
                    "-i",
                    url,
                    "-c",
                    "copy",
                    "{out}/x.mp4",
                ]
            )
        goal = "<= 0.33x yt-dlp -N16, CPU <= 0.45x, peak <= 160 MB"
        ideal = 0.0
        if name == "hls-slow":
            goal, ideal = "<= 0.95x yt-dlp -N16, <= 1.05x the bound", bound_seconds()
        suites.append(
            Suite(name, tools, "yt-dlp -N16", HLS_BYTES, whole_stream, goal, ideal_seconds=ideal)
        )
    return suites


def bound_seconds() -> float:
    """Whole segments over sixteen connections of 1 MiB/s, each beginning 50 ms late."""
    free = [0.0] * 16
    for path in sorted((FILES / "ts").glob("*.ts")):
        first = free.index(min(free))
        free[first] += 0.05 + path.stat().st_size / 1024**2
    return max(free)


def measure(tool: Tool, suite: Suite, environment: dict[str, str]) -> Run:
    shutil.rmtree(suite.out, ignore_errors=True)
    suite.out.mkdir(parents=True)
    command = [word.replace("{out}", str(suite.out)) for word in tool.command]
    if Path(TIME).exists():
        # A small process starts the tool: one that is started from here would inherit our peak.
        command = [TIME, "-f", "%M", "-o", str(WORK / "peak"), *command]
    null = os.open(os.devnull, os.O_RDWR)
    log = os.open(WORK / "last.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    started = time.perf_counter()
    process = os.posix_spawnp(
        command[0],
        command,
        environment,
        file_actions=[
            (os.POSIX_SPAWN_DUP2, null, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
    )
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    os.close(null)
    os.close(log)
    cpu = usage.ru_utime + usage.ru_stime
    is_right = suite.check(suite.out)
    peak = usage.ru_maxrss
    if Path(TIME).exists():
        peak = int((WORK / "peak").read_text().split()[-1])
    return Run(seconds, cpu, peak / 1024, is_right, os.waitstatus_to_exitcode(status))


def run_suite(suite: Suite, rounds: int, environment: dict[str, str]) -> dict[str, Series]:
    tools = {name: tool for name, tool in suite.tools.items() if shutil.which(tool.command[0])}
    for name in suite.tools.keys() - tools.keys():
        print(f"  {suite.name}: {name} is not installed and is left out")
    results = {name: Series() for name in tools}
    order = list(tools)
    for number in range(rounds):
        random.Random(number).shuffle(order)  # noqa: S311 - to be repeated
        for name in order:
            results[name].runs.append(measure(tools[name], suite, environment))
    shutil.rmtree(suite.out, ignore_errors=True)
    return results


def print_suite(suite: Suite, results: dict[str, Series]) -> None:
    anchor = results.get(suite.anchor)
    print(f"\n{suite.name}: goal {suite.goal}")
    titles = f"{'seconds':>9}{'ratio':>8}{'ideal':>8}{'CPU s/GB':>10}{'ratio':>8}{'MB':>7}"
    print(f"{'tool':24}{titles}  right")
    for name, series in results.items():
        ratios = cpus = ""
        if anchor is not None:
            pairs = list(zip(series.runs, anchor.runs, strict=True))
            ratios = f"{median(a.seconds / b.seconds for a, b in pairs):.2f}"
            cpus = f"{median(a.cpu / b.cpu for a, b in pairs):.2f}"
        right = sum(run.is_right and run.status == 0 for run in series.runs)
        seconds = series.middle("seconds")
        ideal = f"{seconds / suite.ideal_seconds:.2f}" if suite.ideal_seconds else ""
        print(
            f"{name:24}{seconds:9.2f}{ratios:>8}{ideal:>8}"
            f"{series.middle('cpu') / suite.size * 1e9:10.2f}{cpus:>8}"
            f"{max(run.peak_mb for run in series.runs):7.0f}  {right}/{len(series.runs)}"
        )
    for name in results:
        print(f"    {name}: {shlex.join(suite.tools[name].command)}")


def install_peers() -> None:
    """Debian's and PyPI's peers, as far as this user may install them."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.call(
            [tool("apt-get"), "install", "-y", "-q", "--no-install-recommends", *DEBIAN_PEERS]
        )
    else:
        print("not root: Debian's peers are left as they are")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("suites", nargs="*", help="names or beginnings of names; all when none")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default="", help="tools whose name contains this, and the anchor")
    parser.add_argument("--install", action="store_true", help="install missing peers first")
    arguments = parser.parse_args()
    if arguments.install:
        install_peers()
    make_files()
    with running() as origins:
        environment = os.environ | {
            "ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
            "SSL_CERT_FILE": str(origins.ca_file),
            "PYTHONPATH": str(ROOT),
        }
        suites = single_suites(origins) + parallel_suites(origins) + stream_suites(origins)
        chosen = [
            suite
            for suite in suites
            if not arguments.suites or any(suite.name.startswith(s) for s in arguments.suites)
        ]
        for suite in chosen:
            if arguments.only:
                kept = {
                    n: t for n, t in suite.tools.items() if arguments.only in n or n == suite.anchor
                }
                suite.tools.clear()
                suite.tools.update(kept)
            results = run_suite(suite, arguments.rounds, environment)
            print_suite(suite, results)
            save(suite, results)
    shutil.rmtree(MEMORY / "out", ignore_errors=True)


def save(suite: Suite, results: dict[str, Series]) -> None:
    folder = ROOT / "bench" / "results"
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: [vars(run) for run in series.runs] for name, series in results.items()}
    (folder / f"downloads-{suite.name}.json").write_text(json.dumps(rows, indent=1))


if __name__ == "__main__":
    main()
