"""Run checks: claim them, ask the provider for each series once, and record what came back.

Three kinds of threads share a worker's process. The one that Celery calls claims and hands over;
those of the lanes (`lanes`) wait for sites; one records, the answers of about a second together.
"""

from __future__ import annotations

import functools
import logging
import os
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from queue import Empty, SimpleQueue
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from providers import gateway
from providers.errors import LayoutChanged, ProviderError, UnknownProvider
from providers.types import PageValidator, SeriesDetails
from watchlist.models import Check, CheckStatus, Series
from watchlist.services import listing, outcomes, posters
from watchlist.services.due import LEASE
from watchlist.services.lanes import Lanes
from watchlist.services.outcomes import Answer
from watchlist.services.workers import new_owner
from watchlist.wakeup import wake_for_checks

logger = logging.getLogger(__name__)

MAX_THREADS: Final = 4  # for one site
# A check that waited longer than this for its turn is given back, so that others may take it.
BUDGET_SECONDS: Final = 100.0
# Answers are recorded together: what a check costs is its queries.
GROUP: Final = 25
GATHER_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 5.0
DETAILS_AGE: Final = timedelta(days=7)
# A database that is started again is back by then; a longer trouble ends with the leases.
AGAIN_AFTER_SECONDS: Final = (0.0, 1.0, 5.0, 15.0)
_BROKE: Final = "The answer could not be read at all; the log of the server says why."

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Claimed:
    check: Check
    ends_at: float  # `time.monotonic()`


def run_checks(*, check_ids: list[uuid.UUID]) -> None:
    """Begin those of the given checks that nobody else has taken; does not wait for their end.

    What a full lane does not take stays queued and is fetched by it later.
    """
    queued = Check.objects.filter(pk__in=check_ids, status=CheckStatus.QUEUED)
    by_site: dict[str, list[uuid.UUID]] = defaultdict(list)
    for pk, provider_id, ref in queued.values_list("pk", "series__provider_id", "series__ref"):
        by_site[_site_of(provider_id, ref)].append(pk)
    for site, ids in by_site.items():
        _desk(os.getpid()).begin(site, ids)


def finish(*, patience_seconds: float) -> None:
    """Before the process ends: record what is answered, give back the rest for others."""
    _desk(os.getpid()).close(patience_seconds)
    _desk.cache_clear()


class _Desk:
    """The lanes of this process, and the thread that records what they bring."""

    def __init__(self) -> None:
        self._answers: SimpleQueue[Answer | None] = SimpleQueue()
        self._lanes = Lanes(
            ask=self._ask,
            at_once=_at_once,
            fetch_more=lambda site: _patiently(lambda: _claim_more(site)),
            at_rest=_leave_database,
        )
        self._posters = ThreadPoolExecutor(1, thread_name_prefix="posters")
        self._recorder = threading.Thread(target=self._record, name="recorder", daemon=True)
        self._recorder.start()

    def begin(self, site: str, check_ids: list[uuid.UUID]) -> None:
        if self._lanes.has_room(site):
            self._lanes.add(site, _claim(check_ids))

    def close(self, patience_seconds: float) -> None:
        for claimed in self._lanes.close(patience_seconds):
            _give_back(claimed.check)
        self._answers.put(None)
        self._recorder.join(patience_seconds)
        self._posters.shutdown(wait=False, cancel_futures=True)

    def _ask(self, claimed: _Claimed) -> None:
        answer = _answer_of(claimed)
        if answer is not None:
            self._answers.put(answer)

    def _record(self) -> None:
        is_open = True
        while is_open:
            group = _next_group(self._answers)
            is_open = None not in group
            answers = [answer for answer in group if answer is not None]
            try:
                _patiently(functools.partial(_write_down, answers))
            except Exception:
                # The checks stay leased, and are taken again when the lease ends.
                logger.exception("%d answers could not be recorded", len(answers))
                connection.close()
            described = [str(one.check.pk) for one in answers if one.details is not None]
            if described:
                self._posters.submit(_fetch_posters, described)
        connection.close()


def _patiently(act: Callable[[], _Result]) -> _Result:
    """Do it again with a new connection when the database has ended this one, or is away.

    Django looks after connections between requests and tasks only, and our threads know neither.
    """
    for wait_seconds in AGAIN_AFTER_SECONDS:
        try:
            return act()
        except (OperationalError, InterfaceError) as error:
            logger.warning("The database is asked again in %g seconds: %s", wait_seconds, error)
            connection.close()
            time.sleep(wait_seconds)
    return act()


def _write_down(answers: list[Answer]) -> None:
    # May be done again: what was recorded before is no longer held.
    listing.record(answers=answers, around=outcomes.circumstances())


def _next_group(answers: SimpleQueue[Answer | None]) -> list[Answer | None]:
    """The next answers, those of about a second together; None is the last of all."""
    group = [_first(answers)]
    ends_at = time.monotonic() + GATHER_SECONDS
    while len(group) < GROUP and group[-1] is not None:
        patience = 0.0 if _is_awaited(group) else max(0.0, ends_at - time.monotonic())
        try:
            group.append(answers.get(timeout=patience))
        except Empty:
            break
    return group


def _first(answers: SimpleQueue[Answer | None]) -> Answer | None:
    try:
        return answers.get(timeout=IDLE_SECONDS)
    except Empty:
        # Nothing is going on: the database gets its connection back until there is.
        connection.close()
        return answers.get()


def _is_awaited(group: list[Answer | None]) -> bool:
    """Whether a person waits for one of these."""
    return any(answer is not None and answer.check.is_urgent for answer in group)


def _leave_database() -> None:
    # Looked up when it is called: each thread has a connection of its own.
    connection.close()


def _fetch_posters(check_ids: list[str]) -> None:
    try:
        posters.fetch_for_checks(check_ids=check_ids)
    finally:
        connection.close()


@functools.cache
def _desk(_process_id: int) -> _Desk:
    """One for each process: threads do not survive a fork."""
    return _Desk()


def _site_of(provider_id: str, ref: str) -> str:
    """The name of a lane: the provider, with the host where a provider has many sites."""
    host = urlsplit(ref).netloc if "://" in ref else ""
    return f"{provider_id} {host}" if host else provider_id


def _at_once(site: str) -> int:
    try:
        pace = gateway.pace_of(site.partition(" ")[0])
    except UnknownProvider:
        # An older version of the program does not have it; each check of it fails with this word.
        return 1
    return min(pace.max_concurrent, MAX_THREADS)


def _claim(check_ids: Iterable[uuid.UUID]) -> list[_Claimed]:
    ids = list(check_ids)
    owner = new_owner()
    now = timezone.now()
    Check.objects.filter(pk__in=ids, status=CheckStatus.QUEUED).update(
        status=CheckStatus.RUNNING, owner=owner, started_at=now, lease_expires_at=now + LEASE
    )
    mine = Check.objects.filter(pk__in=ids, status=CheckStatus.RUNNING, owner=owner)
    ends_at = time.monotonic() + BUDGET_SECONDS
    ordered = mine.select_related("series").order_by("-is_urgent", "created_at")
    return [_Claimed(check, ends_at) for check in ordered]


def _claim_more(site: str) -> list[_Claimed]:
    """What was left when the lane was full, those that a person waits for first."""
    provider_id, _, host = site.partition(" ")
    queued = Check.objects.filter(status=CheckStatus.QUEUED, series__provider_id=provider_id)
    if host:
        queued = queued.filter(series__ref__contains=f"//{host}")
    ids = queued.order_by("-is_urgent", "created_at").values_list("pk", flat=True)
    while batch := list(ids[:GROUP]):
        # Others may have taken all of these meanwhile, which does not mean that none is left.
        if claimed := _claim(batch):
            return claimed
    return []


def _answer_of(claimed: _Claimed) -> Answer | None:
    check = claimed.check
    try:
        if time.monotonic() > claimed.ends_at:
            _give_back(check)
            return None
        return _patiently(lambda: _ask(check))
    except (OperationalError, InterfaceError):
        # This says nothing of the site. The check is taken again when its lease ends.
        logger.exception("Check %s found no database", check.pk)
        connection.close()
        return None
    except Exception:
        # A page that breaks our code must neither take others with it nor be asked for again and
        # again.
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
