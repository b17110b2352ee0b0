"""How long one tick takes to select and claim 25 due series when a million items exist.

Run: `python bench/due.py [--items 1000000]`, with DATABASE_URL for Postgres.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from datetime import timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.stage import Row, prepared_database, print_table

REPEATS = 40


def fill(items: int) -> None:
    """One series for each item, spread over the next six hours, 25 of them due for each repeat."""
    from django.contrib.auth.models import User
    from django.utils import timezone

    from watchlist.models import Series, WatchlistItem

    user = User.objects.create(username="bench")
    now = timezone.now()
    due_count = 25 * REPEATS
    for start in range(0, items, 20_000):
        numbers = range(start, min(start + 20_000, items))
        series = Series.objects.bulk_create(
            [
                Series(
                    provider_id="feed",
                    ref=f"http://feeds.example/{n}.xml",
                    lang="vostfr",
                    title=f"Series {n}",
                    next_check_at=now - timedelta(minutes=1)
                    if n < due_count
                    else now + timedelta(seconds=600 + n % 21_000),
                )
                for n in numbers
            ],
            batch_size=500,
        )
        WatchlistItem.objects.bulk_create(
            [
                WatchlistItem(user=user, series=row, anime_url=row.ref, anime_title=row.title)
                for row in series
            ],
            batch_size=500,
        )


def main() -> None:
    """Fill, then time each claim of a batch as the tick does it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1_000_000)
    items = parser.parse_args().items
    with prepared_database() as vendor:
        from watchlist.models import Check, Series
        from watchlist.services import due

        fill(items)
        walls, cpus = [], []
        due_before = Series.objects.count()
        for _ in range(REPEATS):
            wall, cpu = time.perf_counter(), time.process_time()
            due.claim_batch(timedelta(hours=6))
            walls.append((time.perf_counter() - wall) * 1000)
            cpus.append((time.process_time() - cpu) * 1000)
        claimed = Check.objects.count()
        if claimed != 25 * REPEATS:
            raise SystemExit(f"claimed {claimed} instead of {25 * REPEATS}")
        print_table(
            f"Select and claim 25 due series of {due_before:,} on {vendor}",
            [
                Row("wall, median ms", f"{statistics.median(walls):.2f}", "< 5"),
                Row("wall, 95th percentile ms", f"{sorted(walls)[int(REPEATS * 0.95)]:.2f}", ""),
                Row("CPU of our process, median ms", f"{statistics.median(cpus):.2f}", ""),
            ],
        )


if __name__ == "__main__":
    main()
