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
from dataclasses import dataclass
from datetime import timedelta
from queue import SimpleQueue
from typing import Final

from django.db import connection
from django.utils import timezone

from providers import gateway
from providers.errors import ProviderError
from providers.types import EpisodeList, PageValidator, SeriesDetails
from watchlist.models import Check, CheckStatus, Series
from watchlist.services import listing
from watchlist.wakeup import wake_for_checks

logger = logging.getLogger(__name__)

LEASE: Final = timedelta(seconds=240)
# A batch that takes longer than this (a slow site) gives the rest back, so that others get a turn.
BUDGET_SECONDS: Final = 100.0
MAX_THREADS: Final = 8
UNCHANGED_GROUP: Final = 25
DETAILS_AGE: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the provider said to one check; exactly one of `episodes` and `error` is set."""

    check: Check
    episodes: EpisodeList | None = None
    details: SeriesDetails | None = None
    error: ProviderError | None = None


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
    unchanged: list[Check] = []
    around = listing.circumstances()
    for answer in _ask_all(provider_id, checks, deadline):
        if answer.error is not None:
            listing.record_failure(check=answer.check, error=answer.error, around=around)
        elif answer.episodes is not None and answer.episodes.unchanged:
            unchanged.append(answer.check)
        elif answer.episodes is not None:
            listing.record_list(
                check=answer.check,
                found=answer.episodes,
                details=answer.details,
                around=around,
            )
        if len(unchanged) >= UNCHANGED_GROUP:
            listing.record_unchanged(checks=unchanged, around=around)
            unchanged = []
    listing.record_unchanged(checks=unchanged, around=around)


def _ask_all(provider_id: str, checks: list[Check], deadline: float) -> Iterator[Answer]:
    """Ask for each series, as many at once as the provider's pace allows."""
    at_once = min(len(checks), gateway.pace_of(provider_id).max_concurrent, MAX_THREADS)
    if at_once <= 1:
        for check in checks:
            yield from _ask_in_time(check, deadline)
        return
    waiting = deque(checks)
    answers: SimpleQueue[list[Answer]] = SimpleQueue()
    for _ in range(at_once):
        _pool(os.getpid()).submit(_ask_waiting, waiting, answers, deadline)
    for _ in checks:
        yield from answers.get()


@functools.cache
def _pool(_process_id: int) -> ThreadPoolExecutor:
    """Threads that live as long as the process, and with them their open connections to sites."""
    return ThreadPoolExecutor(MAX_THREADS, thread_name_prefix="check")


def _ask_waiting(
    waiting: deque[Check], answers: SimpleQueue[list[Answer]], deadline: float
) -> None:
    while True:
        try:
            check = waiting.popleft()
        except IndexError:
            break
        try:
            answers.put(list(_ask_in_time(check, deadline)))
        except Exception:
            # One series whose page breaks our code must not take the others of its batch with it;
            # its check is retaken when the lease ends.
            logger.exception("A check broke")
            answers.put([])
    connection.close()


def _ask_in_time(check: Check, deadline: float) -> Iterator[Answer]:
    if time.monotonic() > deadline:
        _give_back(check)
        return
    yield _ask(check)


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
