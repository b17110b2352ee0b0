#!/usr/bin/env python
"""Django's command line."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Run the command of the command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlist_project.settings")
    words = sys.argv[1:]
    if words[:1] == ["fetch"]:
        _fetch(words[1:])
    _run_command(words)


def _run_command(words: list[str]) -> None:
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - see `_fetch`

    from watchlist_project import demo_environment  # noqa: PLC0415 - as above

    # The demo's variables must be set before the settings are read.
    if words[:1] == ["up"] and "--demo" in words:
        demo_environment.apply()
    execute_from_command_line(sys.argv)


def _fetch(words: list[str]) -> None:
    """Fetch with the settings alone, because loading all apps costs more than a small file.

    Returns only when the words hold options of Django's own: then it takes the usual way.
    """
    from downloads.engine import arguments as told  # noqa: PLC0415 - for this command only
    from downloads.engine import cli  # noqa: PLC0415 - as above

    arguments = told.own_arguments(words, prog="manage.py fetch")
    if arguments is None:
        return
    from watchlist_project import settings  # noqa: PLC0415 - read after the arguments are right

    cli.leave(cli.run(arguments, egress=settings.EGRESS_POLICY, umask=settings.UMASK))


if __name__ == "__main__":
    main()
