"""The log of `manage.py up` as files in the data folder, beside what the terminal shows."""

from __future__ import annotations

import logging.config
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings

from watchlist_project.env import refuse

MAX_BYTES: Final = 5_000_000
KEPT: Final = 3  # older files, the newest of them first: tsuzuku.log.1


class LogFile:
    """One file that all parts write to; only the supervisor puts it aside when it is large."""

    def __init__(self, data_dir: Path) -> None:
        self.path = data_dir / "logs" / "tsuzuku.log"

    def open(self) -> None:
        """Write to it from now on, in this process and in all that are forked from it."""
        try:
            # Addresses of what people watch are nobody else's business.
            self.path.parent.mkdir(mode=0o700, exist_ok=True)
            self.path.touch(mode=0o600)
        except OSError as error:
            accepted = f"a folder in which {self.path} can be written ({error.strerror})"
            refuse("DATA_DIR", str(self.path.parent.parent), accepted)
        # In the settings, because Celery lets Django set up its logging again in each worker.
        console = settings.LOGGING["handlers"]["console"]
        settings.LOGGING["handlers"]["file"] = {
            # It looks whether the file is still the same before each line.
            "class": "logging.handlers.WatchedFileHandler",
            "filename": str(self.path),
            "encoding": "utf-8",
            "errors": "backslashreplace",
            "filters": console["filters"],
            "formatter": console["formatter"],
        }
        settings.LOGGING["root"]["handlers"] = ["console", "file"]
        logging.config.dictConfig(settings.LOGGING)

    def put_aside(self) -> None:
        """Begin a new file when this one is large, and forget the oldest."""
        with suppress(OSError):
            if self.path.stat().st_size < MAX_BYTES:
                return
            for number in range(KEPT, 0, -1):
                older = self._numbered(number - 1)
                if older.exists():
                    older.replace(self._numbered(number))

    def _numbered(self, number: int) -> Path:
        return self.path.with_name(f"{self.path.name}.{number}") if number else self.path
