"""`manage.py up`: the whole program under one supervisor."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from watchlist_project.start import up


class Command(BaseCommand):
    """Start web server, workers, beat and the embedded broker, and look after them."""

    help = "Start everything: web server, workers, beat, embedded broker. Ctrl-C stops it all."
    # The checks look at every app and cost a second at each start; `make check` runs them.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch."""
        parser.add_argument(
            "--demo",
            action="store_true",
            help="against a demo site that ships with the program, account demo / demo",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Run until stopped; the exit code is the supervisor's."""
        raise SystemExit(up(is_demo=options["demo"]))
