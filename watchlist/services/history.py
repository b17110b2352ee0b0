"""Forget old history, so that the database of a small server stays small."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.utils import timezone

from downloads.models import DownloadEvent
from downloads.states import FINISHED
from watchlist.models import Check

UNCHANGED_AGE: Final = timedelta(days=7)
CHECK_AGE: Final = timedelta(days=90)
EVENT_AGE: Final = timedelta(days=365)
BATCH: Final = 5000


def forget_old() -> None:
    """Delete checks and events past their age, in short transactions."""
    now = timezone.now()
    dull = Check.objects.filter(is_unchanged=True, finished_at__lt=now - UNCHANGED_AGE)
    old = Check.objects.filter(finished_at__lt=now - CHECK_AGE)
    events = DownloadEvent.objects.filter(
        at__lt=now - EVENT_AGE, download__state__in=[state.value for state in FINISHED]
    )
    for rows in (dull, old, events):
        while True:
            ids = list(rows.values_list("pk", flat=True)[:BATCH])
            if not ids:
                break
            rows.model._default_manager.filter(pk__in=ids).delete()  # noqa: SLF001 - Django's documented way
