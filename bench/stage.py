"""What the benchmarks share: a database of their own, and one way to print."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit, urlunsplit


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
    """Django on an empty, migrated database of its own; yields the database's kind.

    With a Postgres in `DATABASE_URL` it is made beside the one that is named there, else it is a
    file in a temporary folder. Processes that are started inside use the same.
    """
    with (
        tempfile.TemporaryDirectory(prefix="tsuzuku-bench-") as folder,
        _own_postgres(os.environ.get("DATABASE_URL", "")) as url,
    ):
        os.environ["DATA_DIR"] = folder
        if url:
            os.environ["DATABASE_URL"] = url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlist_project.settings")
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        yield "Postgres" if url else "SQLite"
        connections.close_all()


@contextmanager
def _own_postgres(url: str) -> Iterator[str]:
    if not url.startswith("postgres"):
        yield ""
        return
    import psycopg

    name = f"tsuzuku_bench_{os.getpid()}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            server.execute(f'DROP DATABASE "{name}" WITH (FORCE)')


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
