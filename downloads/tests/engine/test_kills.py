"""kill -9 at random moments of direct and HLS downloads loses, doubles and spoils nothing."""

from __future__ import annotations

import multiprocessing
import os
import random
import shutil
import signal
import time
from dataclasses import replace
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from downloads.engine.fetch import fetch
from downloads.engine.types import FetchRequest
from downloads.tests.engine.clips import FPS
from downloads.tests.engine.conftest import CLIP_SECONDS, FAST, Owner
from downloads.tests.engine.origin import Answer, Origin
from downloads.tests.engine.test_hls import packet_counts
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind

# `TSUZUKU_KILLS=200` is the long run; the seed of a failing one is in its name.
KILLS = int(os.environ.get("TSUZUKU_KILLS", "12"))
SEEDS = range(
    int(os.environ.get("TSUZUKU_SEED", "1")), int(os.environ.get("TSUZUKU_SEED", "1")) + 2
)


def fetch_it(url: str, kind: StreamKind, work_dir: Path) -> None:
    request = FetchRequest(
        Stream(url, kind), work_dir, EgressPolicy.parse(["127.0.0.0/8"]), want_sha256=False
    )
    fetch(request, Owner(replace(FAST, max_connections=4)))


def start(context: multiprocessing.context.ForkServerContext, *words: object) -> BaseProcess:
    process = context.Process(target=fetch_it, args=words)
    process.start()
    return process


@pytest.mark.parametrize("seed", SEEDS)
def test_random_kills_lose_double_and_spoil_nothing(
    origin: Origin, clip: bytes, ts_stream: Path, tmp_path: Path, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - to be repeated
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["downloads.tests.engine.test_kills", "downloads.engine.run"])
    rate = len(clip) / 6
    file = origin.serve("/a.mp4", Answer(clip, bytes_per_second=rate))
    for path in ts_stream.iterdir():
        slow = Answer(path.read_bytes(), bytes_per_second=rate)
        origin.serve(f"/v/{path.name}", slow)
    works = [
        (file, StreamKind.HTTP, tmp_path / "file"),
        (origin.url("/v/index.m3u8"), StreamKind.HLS, tmp_path / "stream"),
    ]
    kills = 0
    while kills < KILLS // 2:
        processes = [start(context, *work) for work in works]
        time.sleep(chance.uniform(0.05, 0.6))
        for process in processes:
            if process.is_alive() and process.pid is not None:
                os.kill(process.pid, signal.SIGKILL)
                kills += 1
            process.join()
        if all(process.exitcode == 0 for process in processes):
            _check(works, clip)
    _check(works, clip)

    assert kills > 0


def _check(works: list[tuple[str, StreamKind, Path]], clip: bytes) -> None:
    """Go on to the end, look at both files, and begin with empty folders again."""
    results = [_finish(*work) for work in works]
    assert results[0].read_bytes() == clip
    assert packet_counts(results[1])["video"] == CLIP_SECONDS * FPS
    for _, _, folder in works:
        shutil.rmtree(folder)


def _finish(url: str, kind: StreamKind, work_dir: Path) -> Path:
    request = FetchRequest(Stream(url, kind), work_dir, EgressPolicy.parse(["127.0.0.0/8"]))
    return fetch(request, Owner(replace(FAST, max_connections=4))).path
