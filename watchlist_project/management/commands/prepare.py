"""`manage.py prepare`: what `up` does before it starts the parts, for those started one by one."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from watchlist_project.preparation import prepare


class Command(BaseCommand):
    """Migrate, prepare static files, create the first administrator or print the setup code."""

    help = "Migrate the database, prepare static files, create the first account or its code."
    requires_system_checks: list[str] = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Everything is safe to repeat."""
        prepare()
