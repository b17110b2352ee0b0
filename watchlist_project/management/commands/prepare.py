"""`manage.py prepare`: what `up` does before it starts the parts, for those started one by one."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from watchlist_project.preparation import collect_static, prepare


class Command(BaseCommand):
    """Migrate, prepare static files, create the first administrator or print the setup code."""

    help = "Migrate the database, prepare static files, create the first account or its code."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """One switch."""
        parser.add_argument(
            "--static-only",
            action="store_true",
            help="only copy and compress the static files, without a database",
        )

    def handle(self, *_args: Any, **options: Any) -> None:
        """Everything is safe to repeat."""
        if options["static_only"]:
            collect_static()
        else:
            prepare()
