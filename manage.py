#!/usr/bin/env python
"""Django's command line."""

from __future__ import annotations

import os
import sys

from django.core.management import execute_from_command_line

from watchlist_project import demo_environment


def main() -> None:
    """Run the command of the command line; the demo's variables must be set before settings."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "watchlist_project.settings")
    if sys.argv[1:2] == ["up"] and "--demo" in sys.argv:
        demo_environment.apply()
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
