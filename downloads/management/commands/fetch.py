"""`manage.py fetch URL DIR`: the download engine for people and for benchmarks."""

from __future__ import annotations

import argparse
import sys

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext_lazy as _

from downloads.engine import arguments, cli


class Command(BaseCommand):
    """Fetches one video; run again after an interruption it goes on where it was."""

    help = str(_("Download one video file or stream and verify it."))
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Take the engine's own arguments."""
        arguments.add_arguments(parser)

    def handle(self, *_words: object, **options: object) -> None:
        """Fetch as the options say and end with the engine's exit status."""
        status = cli.run(
            argparse.Namespace(**options),
            egress=settings.EGRESS_POLICY,
            umask=settings.UMASK,
        )
        if status:
            sys.exit(status)
