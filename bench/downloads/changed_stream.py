"""All segments of a stream change while their names and the playlist stay the same."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import av

from bench.downloads.contenders import OUT, Attempt, fresh_folder, last_words
from bench.downloads.goals import Outcome
from bench.downloads.origins import FILES
from bench.downloads.outcomes import Content, Verdict, final_file
from bench.downloads.scripted import Origin
from bench.downloads.tools import OWN, Tool, own, yt_dlp

OLD, NEW = FILES / "short-old", FILES / "short-new"
CASES = ("HLS, between two runs", "HLS, while running")
WORDS = "rate=512k"
TIMEOUT_SECONDS = 60


def run(
    rounds: int, only: str, environment: dict[str, str]
) -> tuple[list[dict[str, Any]], list[Outcome]]:
    """Rows as JSON and the goals."""
    rows: list[dict[str, Any]] = []
    outcomes = []
    versions = {"old version": _video_of(OLD), "new version": _video_of(NEW)}
    with Origin() as origin:
        url = origin.url("short/index.m3u8", WORDS)
        tools = {
            f"{OWN}, HLS": own(url, 16),
            "yt-dlp -N16, HLS": yt_dlp(url, "--downloader", "m3u8:native", "-N", "16"),
        }
        for name, tool in tools.items():
            if only not in name or not tool.is_installed:
                continue
            for case in CASES:
                found = [_changed(tool, case, origin, environment, versions) for _ in range(rounds)]
                rows.append(_row(name, tool, case, found))
                if name.startswith(OWN):
                    texts = ", ".join(sorted({verdict.text for verdict in found}))
                    goal = f"{name}, {case[5:]}: one version, whole"
                    met = all(verdict.is_whole for verdict in found)
                    outcomes.append(Outcome("changed", goal, texts, met=met))
    return rows, outcomes


def _changed(
    tool: Tool,
    case: str,
    origin: Origin,
    environment: dict[str, str],
    versions: dict[str, Counter[str]],
) -> Verdict:
    fresh_folder()
    origin.publish_folder(OLD, "short", age_seconds=86_400)
    origin.forget()
    size = sum(path.stat().st_size for path in OLD.glob("*.ts"))
    attempt = Attempt(tool, environment)
    if not attempt.until(lambda: origin.sent_bytes() >= size / 2):
        attempt.end(0)
        raise SystemExit(f"{tool.line} did not reach half: {last_words()}")
    if case == CASES[0]:
        attempt.kill()
    origin.publish_folder(NEW, "short")
    second = Attempt(tool, environment) if case == CASES[0] else attempt
    status = second.end(TIMEOUT_SECONDS)
    verdict = judge_stream(final_file(OUT), versions, status)
    print(f"  {tool.command[0]}, {case}: {verdict.text} {verdict.detail}", flush=True)
    return verdict


def judge_stream(
    path: Path | None, versions: dict[str, Counter[str]], status: int | None
) -> Verdict:
    """Compare the pictures of a joined file with those of each version."""
    if path is None:
        return Verdict(Content.NOTHING, "", status)
    found = pictures_of(path)
    for name, known in versions.items():
        if found == known:
            return Verdict(Content.WHOLE, name, status)
    shares = {name: (found & known).total() for name, known in versions.items()}
    detail = ", ".join(f"{count} pictures of the {name}" for name, count in shares.items())
    is_mixed = sum(count > 0 for count in shares.values()) > 1
    content = Content.MIX if is_mixed else Content.SPOILED
    return Verdict(content, "", status, f"{detail}, {found.total()} in all")


def _video_of(folder: Path) -> Counter[str]:
    """The pictures of all segments, as they are after joining: without start codes and headers."""
    pictures: Counter[str] = Counter()
    for path in sorted(folder.glob("*.ts")):
        pictures += pictures_of(path)
    return pictures


def pictures_of(path: Path) -> Counter[str]:
    """A digest of each decoded picture; empty when it cannot be read."""
    pictures: Counter[str] = Counter()
    try:
        with av.open(str(path)) as media:
            for frame in media.decode(video=0):
                plane = bytes(frame.planes[0])
                pictures[hashlib.sha256(plane).hexdigest()] += 1
    except (av.FFmpegError, IndexError):
        return Counter()
    return pictures


def _row(name: str, tool: Tool, case: str, found: list[Verdict]) -> dict[str, Any]:
    return {
        "tool": name,
        "case": case,
        "command": tool.line,
        "outcomes": [verdict.text for verdict in found],
        "details": [verdict.detail for verdict in found],
        "messages": [""] * len(found),
    }
