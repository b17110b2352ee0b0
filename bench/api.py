"""What `GET /api/watchlist` with 50 items costs.

Run: `python bench/api.py`, with DATABASE_URL for Postgres.
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.stage import Row, prepared_database, print_table, running_broker

REQUESTS = 200


def main() -> None:
    """Ask through Django's own handler, so that the web server's cost is left out."""
    with prepared_database() as vendor, running_broker():
        from django.contrib.auth.models import User
        from django.db import connection
        from django.test import Client

        from watchlist.models import ApiToken, Series, WatchlistItem

        user = User.objects.create(username="bench")
        _, token = ApiToken.objects.create(user)
        for n in range(60):
            series = Series.objects.create(
                provider_id="feed", ref=f"http://feeds.example/{n}", lang="vostfr", title=f"S {n}"
            )
            WatchlistItem.objects.create(
                user=user, series=series, anime_url=series.ref, anime_title=series.title
            )
        client = Client(headers={"Authorization": f"Bearer {token}", "Host": "localhost"})
        path = "/api/watchlist?page_size=50"
        for _ in range(20):
            assert client.get(path).status_code == 200
        queries: list[str] = []

        def count(execute: Any, sql: str, *arguments: Any) -> Any:
            queries.append(sql)
            return execute(sql, *arguments)

        with connection.execute_wrapper(count):
            assert len(client.get(path).json()["results"]) == 50
        costs = []
        for _ in range(REQUESTS):
            before = time.process_time()
            client.get(path)
            costs.append((time.process_time() - before) * 1000)
        print_table(
            f"GET /api/watchlist, 50 items, on {vendor} (test client included)",
            [
                Row("queries", str(len(queries)), "<= 6"),
                Row("CPU, median ms", f"{statistics.median(costs):.2f}", "<= 4"),
            ],
        )


if __name__ == "__main__":
    main()
