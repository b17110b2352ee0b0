"""What the benchmarks share: a database of their own, and one way to print."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One measured figure and the goal it is held against; "" when there is none."""

    what: str
    figure: str
    goal: str = ""


def print_table(title: str, rows: list[Row]) -> None:
    """Print figures beside their goals."""
    width = max(len(row.what) for row in rows)
    print(f"\n{title}")
    for row in rows:
        goal = f"   goal {row.goal}" if row.goal else ""
        print(f"  {row.what:<{width}}  {row.figure:>12}{goal}")
    sys.stdout.flush()


@contextmanager
def prepared_database() -> Iterator[str]:
    """Django on an empty, migrated database in a temporary folder; yields the database's kind.

    A `DATABASE_URL` in the environment is used as it is, through a test database beside it.
    """
    with tempfile.TemporaryDirectory(prefix="tsuzuku-bench-") as folder:
        os.environ["DATA_DIR"] = folder
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlist_project.settings")
        import django

        django.setup()
        from django.db import connection
        from django.test.utils import setup_databases, teardown_databases

        if connection.vendor == "postgresql":
            kept = setup_databases(verbosity=0, interactive=False)
            try:
                yield "Postgres"
            finally:
                teardown_databases(kept, verbosity=0)
            return
        from django.core.management import call_command

        call_command("migrate", verbosity=0)
        yield "SQLite"


@contextmanager
def running_broker() -> Iterator[None]:
    """A real broker for `settings.REDIS_URL`, inside `prepared_database`."""
    from django.conf import settings

    from watchlist_project.embedded_broker import EmbeddedBroker

    server = EmbeddedBroker(settings.DATA_DIR)
    server.start()
    try:
        yield
    finally:
        server.stop()
