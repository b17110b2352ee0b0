"""What a check costs the worker, through Celery and a real broker, database writes included.

Run: `python bench/checks.py`, with DATABASE_URL for Postgres.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import psutil  # noqa: E402 - the path is set above

from bench.stage import Row, prepared_database, print_table, running_broker  # noqa: E402 - as above

SERIES = 500
ROUNDS = 5


def main() -> None:
    """Check 500 series again and again: nothing new, then one new episode each."""
    with ExitStack() as stack:
        origin = subprocess.Popen(
            [sys.executable, str(ROOT / "bench/origin.py")], stdout=subprocess.PIPE, text=True
        )
        stack.callback(origin.kill)
        assert origin.stdout is not None
        port = int(origin.stdout.readline())
        os.environ["ANIMESAMA_URL"] = f"http://127.0.0.1:{port}"
        os.environ["ALLOWED_PRIVATE_HOSTS"] = f"127.0.0.1:{port}"
        os.environ["PROVIDER_REQUESTS_PER_SECOND"] = "1000"
        vendor = stack.enter_context(prepared_database())
        stack.enter_context(running_broker())
        worker = stack.enter_context(_Worker())
        _follow_all(port)
        worker.check_all()  # every episode is new, connections are opened
        unchanged = [worker.check_all() for _ in range(ROUNDS)]
        changed = []
        for _ in range(ROUNDS):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/publish", data=b"", timeout=10).close()
            changed.append(worker.check_all())
        print_table(
            f"{SERIES} checks through Celery on {vendor} (CPU of the whole worker)",
            [
                Row("unchanged (304), median ms a check", _ms(unchanged), "<= 1.5"),
                Row("one new episode, median ms a check", _ms(changed), "<= 3.5"),
                Row(f"{SERIES} unchanged, median CPU s", f"{_median(unchanged):.2f}", "<= 2"),
            ],
        )


def _median(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def _ms(values: list[float]) -> str:
    return f"{_median(values) / SERIES * 1000:.2f}"


def _follow_all(port: int) -> None:
    from django.contrib.auth.models import User
    from django.utils import timezone

    from watchlist.models import Series, WatchlistItem
    from watchlist.services.scheduler import install_schedule

    install_schedule()
    user = User.objects.create(username="bench")
    rows = Series.objects.bulk_create(
        Series(
            provider_id="animesama",
            ref=f"paper-lanterns-{n}/saison1/vostfr",
            lang="vostfr",
            title=f"Paper Lanterns {n}",
            details_at=timezone.now(),
        )
        for n in range(SERIES)
    )
    WatchlistItem.objects.bulk_create(
        WatchlistItem(
            user=user,
            series=row,
            anime_url=f"http://127.0.0.1:{port}/catalogue/{row.ref}/",
            anime_title=row.title,
            auto_download=False,
        )
        for row in rows
    )


class _Worker:
    """A checks worker as `manage.py up` starts it."""

    def __enter__(self) -> _Worker:
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "celery", "-A", "watchlist_project", "worker"),
                *("-Q", "control,manual,checks", "-c", "2", "--loglevel", "WARNING"),
            ],
            cwd=ROOT,
        )
        time.sleep(5)
        return self

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.wait(30)

    def check_all(self) -> float:
        """Check every series once; the CPU seconds that it cost."""
        from django.utils import timezone

        from watchlist.models import Check, CheckStatus, Series
        from watchlist.services import due

        Check.objects.all().delete()
        Series.objects.update(next_check_at=timezone.now())
        before = self._cpu()
        due.queue_due_checks(interval=timedelta(hours=6))
        deadline = time.monotonic() + 60
        while Check.objects.filter(status=CheckStatus.SUCCEEDED).count() < SERIES:
            if time.monotonic() > deadline:
                raise SystemExit(set(Check.objects.values_list("status", "error_text")))
            time.sleep(0.2)
        return self._cpu() - before

    def _cpu(self) -> float:
        tree = [psutil.Process(self.process.pid)]
        tree += tree[0].children(recursive=True)
        return sum(sum(process.cpu_times()[:2]) for process in tree)


if __name__ == "__main__":
    main()
