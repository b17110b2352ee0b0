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

from bench.stage import Row, prepared_database, print_table, running_broker

REPEATS = 40


def fill(items: int) -> None:
    """One series for each item, spread over the next six hours, 25 of them due for each repeat.

    One statement for each table: a million rows through the ORM take minutes.
    """
    from django.contrib.auth.models import User
    from django.db import connection
    from django.utils import timezone

    user = User.objects.create(username="bench")
    now = timezone.now()
    is_postgres = connection.vendor == "postgresql"
    numbers = (
        f"SELECT n FROM generate_series(0, {items - 1}) AS g(n)"
        if is_postgres
        else "WITH RECURSIVE g(n) AS "
        f"(SELECT 0 UNION ALL SELECT n + 1 FROM g WHERE n < {items - 1}) "
        "SELECT n FROM g"
    )
    due_at = (
        f"CASE WHEN n < {25 * REPEATS} THEN %s::timestamptz - interval '1 minute' "
        "ELSE %s::timestamptz + (600 + n %% 21000) * interval '1 second' END"
        if is_postgres
        else f"CASE WHEN n < {25 * REPEATS} THEN datetime(%s, '-1 minute') "
        "ELSE datetime(%s, '+' || (600 + n %% 21000) || ' seconds') END"
    )
    key = "md5(n::text)::uuid" if is_postgres else "printf('%%032x', n)"
    json = "'[]'::jsonb" if is_postgres else "'[]'"
    no = "false" if is_postgres else "0"
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO watchlist_series (id, provider_id, ref, lang, title, is_title_guessed, "
            "folder, has_seasons, other_titles, synopsis, genres, poster_url, airing_status, "
            "episodes_known, validators, next_check_at, "
            "failures, last_error_code, last_error_text, suspect_count, created_at, "
            f"updated_at) SELECT {key}, 'feed', 'http://feeds.example/' || n, 'vostfr', "
            f"'Series ' || n, {no}, '', {no}, {json}, '', {json}, '', 'unknown', 0, {json}, "
            f"{due_at}, 0, '', '', 0, %s, %s FROM ({numbers}) AS numbers",
            [now, now, now, now],
        )
        cursor.execute(
            "INSERT INTO watchlist_watchlistitem (id, user_id, series_id, anime_url, lang, "
            "anime_title, is_title_guessed, poster_image, synopsis, status, status_changed_at, "
            "auto_download, quality_preference, needs_decision, created_at, updated_at) "
            f"SELECT id, %s, id, ref, lang, title, {no}, '', '', 'active', %s, "
            f"{no}, 'auto', {no}, %s, %s FROM watchlist_series",
            [user.pk, now, now, now],
        )
        cursor.execute("ANALYZE")


def main() -> None:
    """Fill, then time each claim of a batch as the tick does it."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--items", type=int, default=1_000_000)
    items = parser.parse_args().items
    with prepared_database() as vendor, running_broker():
        from watchlist.models import Check, Series
        from watchlist.services import due

        fill(items)
        walls, cpus, handed = [], [], []
        due_before = Series.objects.count()
        for _ in range(REPEATS):
            wall, cpu = time.perf_counter(), time.process_time()
            claim = due.claim_due(timedelta(hours=6))
            walls.append((time.perf_counter() - wall) * 1000)
            cpus.append((time.process_time() - cpu) * 1000)
            for check_ids in claim.batches:
                due.wake_for_checks(check_ids, urgent=False)
            handed.append((time.perf_counter() - wall) * 1000)
        claimed = Check.objects.count()
        if claimed != 25 * REPEATS:
            raise SystemExit(f"claimed {claimed} instead of {25 * REPEATS}")
        print_table(
            f"Select and claim 25 due series of {due_before:,} on {vendor}",
            [
                Row("wall, median ms", f"{statistics.median(walls):.2f}", "< 5"),
                Row("wall, 95th percentile ms", f"{sorted(walls)[int(REPEATS * 0.95)]:.2f}", ""),
                Row("wall with the message, median ms", f"{statistics.median(handed):.2f}", ""),
                Row("CPU of our process, median ms", f"{statistics.median(cpus):.2f}", ""),
            ],
        )


if __name__ == "__main__":
    main()
