from __future__ import annotations

import hashlib
import os
from pathlib import Path
from threading import Event

from downloads.engine.digest import RunningDigest

OLD = os.urandom(3_000_001)
NEW = os.urandom(2_500_003)


def test_the_running_sum_is_that_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(OLD)
    running = RunningDigest(path)
    for front in (10, 1_100_000, 1_100_001, 2_900_000):
        running.advance(front)

    assert running.finish(len(OLD), Event()) == hashlib.sha256(OLD).hexdigest()


def test_a_file_that_begins_anew_is_summed_anew(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(OLD)
    running = RunningDigest(path)
    running.advance(len(OLD))
    running.advance(0)
    path.write_bytes(NEW)
    running.advance(2_000_000)

    assert running.finish(len(NEW), Event()) == hashlib.sha256(NEW).hexdigest()


def test_a_front_that_was_wrong_costs_time_but_no_sum(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"")
    running = RunningDigest(path)
    running.advance(2_000_000)
    path.write_bytes(NEW)

    assert running.finish(len(NEW), Event()) == hashlib.sha256(NEW).hexdigest()


def test_a_closed_sum_leaves_no_thread(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(OLD)
    running = RunningDigest(path)
    running.advance(100)
    running.close()

    assert not running._thread.is_alive()
