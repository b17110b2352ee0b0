"""Run checks: claim them, ask the provider for each series once, and record what came back."""

from __future__ import annotations

import functools
import logging
import os
import socket
import time
import uuid
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Final

from django.db import connection
from django.utils import timezone

from providers import gateway
from providers.errors import LayoutChanged, ProviderError
from providers.types import PageValidator, SeriesDetails
from watchlist.models import Check, CheckStatus, Series
from watchlist.services import listing, outcomes
from watchlist.services.outcomes import Answer
from watchlist.wakeup import wake_for_checks

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=240)
# A batch that takes longer than this (a slow site) gives the rest back, so that others get a turn.
BUDGET_SECONDS: Final = 100.0
MAX_THREADS: Final = 8
# Answers are recorded together: what a check costs is its queries.
GROUP: Final = 25
GATHER_SECONDS: Final = 1.0
DETAILS_AGE: Final = timedelta(days=7)
_BROKE: Final = "The answer could not be read at all; the log of the server says why."


def run_checks(*, check_ids: list[uuid.UUID]) -> None:
    """Run those of the given checks that nobody else has taken."""
    by_provider: dict[str, list[Check]] = defaultdict(list)
    for check in _claim(check_ids):
        by_provider[check.series.provider_id].append(check)
    deadline = time.monotonic() + BUDGET_SECONDS
    for provider_id, checks in by_provider.items():
        _run_provider(provider_id, checks, deadline)


def _claim(check_ids: list[uuid.UUID]) -> list[Check]:
    owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:12]}"
    now = timezone.now()
    Check.objects.filter(pk__in=check_ids, status=CheckStatus.QUEUED).update(
        status=CheckStatus.RUNNING, owner=owner, started_at=now, lease_expires_at=now + LEASE
    )
    return list(
        Check.objects.filter(pk__in=check_ids, status=CheckStatus.RUNNING, owner=owner)
        .select_related("series")
        .order_by("-is_urgent", "created_at")
    )


def _run_provider(provider_id: str, checks: list[Check], deadline: float) -> None:
    around = outcomes.circumstances()
    for answers in _groups(_ask_all(provider_id, checks, deadline), len(checks)):
        listing.record(answers=answers, around=around)


def _groups(answers: SimpleQueue[Answer | None], expected: int) -> Iterator[list[Answer]]:
    """Answers as they come, those of about a second together."""
    while expected:
        group = [answers.get()]
        ends_at = time.monotonic() + GATHER_SECONDS
        while len(group) < min(GROUP, expected):
            patience = 0.0 if _is_awaited(group) else max(0.0, ends_at - time.monotonic())
            try:
                group.append(answers.get(timeout=patience))
            except Empty:
                break
        expected -= len(group)
        yield [answer for answer in group if answer is not None]


def _is_awaited(group: list[Answer | None]) -> bool:
    """Whether a person waits for one of these."""
    return any(answer is not None and answer.check.is_urgent for answer in group)


def _ask_all(provider_id: str, checks: list[Check], deadline: float) -> SimpleQueue[Answer | None]:
    """Ask for each series, as many at once as the provider's pace allows.

    The queue gets one entry for each check; None where the check was given back.
    """
    answers: SimpleQueue[Answer | None] = SimpleQueue()
    if len(checks) == 1:
        answers.put(_ask_in_time(checks[0], deadline))
        return answers
    waiting = deque(checks)
    for _ in range(min(len(checks), gateway.pace_of(provider_id).max_concurrent, MAX_THREADS)):
        _pool(os.getpid()).submit(_ask_waiting, waiting, answers, deadline)
    return answers


@functools.cache
def _pool(_process_id: int) -> ThreadPoolExecutor:
    """Threads that live as long as the process, and with them their open connections to sites."""
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="check")


def _ask_waiting(
    waiting: deque[Check], answers: SimpleQueue[Answer | None], deadline: float
) -> None:
    while True:
        try:
            check = waiting.popleft()
        except IndexError:
            break
        answers.put(_ask_in_time(check, deadline))
    connection.close()


def _ask_in_time(check: Check, deadline: float) -> Answer | None:
    try:
        if time.monotonic() > deadline:
            _give_back(check)
            return None
        return _ask(check)
    except Exception:
        # A page that breaks our code must neither take the others of its batch with it nor be
        # asked for again and again.
        logger.exception("Check %s broke", check.pk)
        return Answer(check, error=LayoutChanged(_BROKE))


def _ask(check: Check) -> Answer:
    series = check.series
    known = {role: PageValidator(**stored) for role, stored in series.validators.items()}
    try:
        found = gateway.list_episodes(
            series.provider_id, series.ref, series.lang, known, by_hand=check.is_urgent
        )
        details = None if found.unchanged else _details_of(series)
    except ProviderError as error:
        return Answer(check, error=error)
    return Answer(check, episodes=found, details=details)


def _details_of(series: Series) -> SeriesDetails | None:
    """Title and poster, when missing or old; a series page that fails does not fail the check."""
    fresh = series.details_at is not None and timezone.now() - series.details_at < DETAILS_AGE
    if fresh and not series.is_title_guessed:
        return None
    try:
        return gateway.details(series.provider_id, series.ref, series.lang)
    except ProviderError as error:
        logger.info("No details of %s: %s", series.pk, error)
        return None


def _give_back(check: Check) -> None:
    given = Check.objects.filter(pk=check.pk, status=CheckStatus.RUNNING, owner=check.owner).update(
        status=CheckStatus.QUEUED, owner="", lease_expires_at=None, started_at=None
    )
    if given:
        wake_for_checks([check.pk], urgent=check.is_urgent)
