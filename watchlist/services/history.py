"""Forget old history, so that the database of a small server stays small."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.utils import timezone

from downloads.models import DownloadEvent
from downloads.states import FINISHED
from watchlist.models import ApiToken, Check

UNCHANGED_AGE: Final = timedelta(days=7)
CHECK_AGE: Final = timedelta(days=90)
EVENT_AGE: Final = timedelta(days=365)
SIGN_IN_AGE: Final = timedelta(days=90)
# Such a row holds what somebody typed as a name, and from where. It counts for minutes.
WRONG_TRY_AGE: Final = timedelta(days=1)
BATCH: Final = 5000


def forget_old() -> None:
    """Delete what is past its age: checks, events, traces of sign-ins; in short transactions."""
    now = timezone.now()
    dull = Check.objects.filter(is_unchanged=True, finished_at__lt=now - UNCHANGED_AGE)
    old = Check.objects.filter(finished_at__lt=now - CHECK_AGE)
    events = DownloadEvent.objects.filter(
        at__lt=now - EVENT_AGE, download__state__in=[state.value for state in FINISHED]
    )
    sign_ins = AccessLog.objects.filter(attempt_time__lt=now - SIGN_IN_AGE)
    wrong_tries = AccessAttempt.objects.filter(attempt_time__lt=now - WRONG_TRY_AGE)
    sessions = Session.objects.filter(expire_date__lt=now)
    # Those without an end have no expiry; comparing leaves them out.
    tokens = ApiToken.objects.filter(expiry__lt=now)
    for rows in (dull, old, events, sign_ins, wrong_tries, sessions, tokens):
        while True:
            ids = list(rows.values_list("pk", flat=True)[:BATCH])
            if not ids:
                break
            rows.model._default_manager.filter(pk__in=ids).delete()  # noqa: SLF001 - Django's documented way
