"""Beat's scheduler, for a clock that may be set back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone
from django_celery_beat.models import PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler, ModelEntry

LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Entry(ModelEntry):  # type: ignore[misc]  # the library has no types
    """One row of the schedule."""

    last_run_at: datetime

    def is_due(self) -> Any:
        """Whether to send it, and in how many seconds to ask again.

        What ran in the future ran before the clock was set back. Its next run is not waited for:
        it may be a year away.
        """
        now = timezone.now()
        if self.last_run_at > now:
            self.last_run_at = LONG_AGO
        return super().is_due()


class Scheduler(DatabaseScheduler):  # type: ignore[misc]  # the library has no types
    """Reads the schedule from the database, and again when the clock was set back."""

    Entry = Entry
    _latest = LONG_AGO

    def tick(self, *args: Any, **kwargs: Any) -> Any:
        """Send what is due; returns the seconds until it wants to be called again."""
        now = timezone.now()
        if now < self._latest:
            # Everything that it planned and noted has a time of the clock as it was: what comes
            # next, when it read the rows, and when they were changed last.
            PeriodicTasks.update_changed()
            self._initial_read, self._heap = True, None
        self._latest = now
        return super().tick(*args, **kwargs)
