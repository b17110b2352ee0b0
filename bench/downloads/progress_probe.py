"""One transfer through the engine's public face, with one of several listeners; prints JSON.

Run: `progress_probe.py URL FOLDER LISTENER`. Listeners: `deaf` takes nothing in, `console` writes a
line for each update as a page or a terminal would, `database` is the product's own, which writes
the order's row. CPU is that of the fetch alone, without interpreter, imports and database set-up.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.stage import prepared_database  # noqa: E402 - the path is set above
from downloads.engine.fetch import fetch  # noqa: E402 - as above
from downloads.engine.types import (  # noqa: E402 - as above
    Command,
    Control,
    FetchRequest,
    Limits,
    Progress,
)
from providers.safe_url import EgressPolicy  # noqa: E402 - as above
from providers.streams import Stream, StreamKind  # noqa: E402 - as above

LIMITS = Limits(max_connections=16)


class Deaf:
    """Takes nothing in."""

    def poll(self) -> Command:
        return Command.GO_ON

    def limits(self) -> Limits:
        return LIMITS

    def progress(self, progress: Progress) -> None:
        pass


class Console(Deaf):
    """Writes each update down as a line of JSON."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")

    def progress(self, progress: Progress) -> None:
        self._file.write(json.dumps(asdict(progress)) + "\n")
        self._file.flush()


class Metered:
    """Passes everything on and takes the time that it costs, from the second second on.

    In the first one a listener opens its files and connections, which a long download does once.
    """

    def __init__(self, inner: Control) -> None:
        self._inner = inner
        self._begins_at = time.monotonic() + 1.0
        self._has_begun = False
        self.updates: list[float] = []
        self.cpu_seconds = 0.0
        self.cpu_at_begin = time.process_time()

    def _look_at_clock(self) -> None:
        if not self._has_begun and time.monotonic() >= self._begins_at:
            self._has_begun = True
            self.cpu_seconds, self.cpu_at_begin = 0.0, time.process_time()

    def poll(self) -> Command:
        self._look_at_clock()
        started = time.thread_time()
        command = self._inner.poll()
        self.cpu_seconds += time.thread_time() - started
        return command

    def limits(self) -> Limits:
        started = time.thread_time()
        self._inner.limits()
        self.cpu_seconds += time.thread_time() - started
        return LIMITS

    def progress(self, progress: Progress) -> None:
        started = time.thread_time()
        self._inner.progress(progress)
        self.cpu_seconds += time.thread_time() - started
        self.updates.append(time.monotonic())


@contextmanager
def database_control() -> Iterator[tuple[Control, dict[str, int]]]:
    """The runner's control on a claimed order, and a count of what it writes."""
    with prepared_database():
        from django.db import connection

        from downloads import claims, queue
        from downloads.control import RunControl

        queue.limiter()
        words = ("feed", "http://feeds.example/a.xml", "episode-1", "vostfr", "auto")
        names = ("provider_id", "series_ref", "episode_ref", "lang", "quality")
        places = {"target_folder": "Paper Lanterns", "target_stem": "Paper Lanterns - S01E01"}
        order = queue.Order("Episode", **dict(zip(names, words, strict=True)), **places)
        queue.enqueue(order)
        claim = claims.claim_next("bench")
        assert claim is not None, "the order could not be claimed"
        counts = {"writes": 0, "reads": 0}

        def count(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
            counts["reads" if sql.lstrip().startswith("SELECT") else "writes"] += 1
            return execute(sql, params, many, context)

        with connection.execute_wrapper(count):
            yield RunControl(claim), counts


def transfer(url: str, folder: Path, control: Control) -> dict[str, float]:
    """Fetch with a control; returns what it took."""
    metered = Metered(control)
    request = FetchRequest(
        Stream(url, StreamKind.HTTP),
        folder / "transfer",
        EgressPolicy.parse(["127.0.0.1"]),
        want_sha256=False,
    )
    started, cpu = time.monotonic(), time.process_time()
    fetched = fetch(request, metered)
    now = time.process_time()
    cpu, later = now - cpu, now - metered.cpu_at_begin
    fetched.path.unlink()
    # Between the first and the last of them, so that start and end do not count.
    gaps = len(metered.updates) - 1
    span = metered.updates[-1] - metered.updates[0] if gaps > 0 else 1.0
    return {
        "seconds": time.monotonic() - started,
        "cpu": cpu,
        "later_cpu": later,
        "listener_cpu": metered.cpu_seconds,
        "updates_per_second": gaps / span,
    }


def main() -> None:
    url, folder, listener = sys.argv[1], Path(sys.argv[2]), sys.argv[3]
    counts: dict[str, int] = {}
    if listener == "database":
        with database_control() as (control, counts):
            counts.update(writes=0, reads=0)
            figures = transfer(url, folder, control)
    else:
        console: Control = Console(folder / "updates") if listener == "console" else Deaf()
        figures = transfer(url, folder, console)
    print(json.dumps(figures | counts))


if __name__ == "__main__":
    main()
