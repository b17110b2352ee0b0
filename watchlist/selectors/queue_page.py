"""The downloads page: what runs, what waits and why, what failed and how, what is done."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from downloads.engine.library import free_bytes
from downloads.models import Download, DownloadAttempt
from downloads.states import ACTIVE, WAITING, State
from watchlist import reasons
from watchlist.decisions import GlobalFacts, explain
from watchlist.models import Grab
from watchlist.selectors.downloads import DownloadRow, download_row, state_for
from watchlist.selectors.facts import episode_facts, grab_facts, item_facts, present_facts

# More than anybody reads; the figures above the lists count all of them.
SHOWN: Final = 100
DONE_SHOWN: Final = 20
DONE_AGE: Final = timedelta(days=7)
SECTIONS: Final = ("now", "queue", "failed", "done")
# What `download_row` reads; the rest of five tables is half of the time.
_DONE_COLUMNS: Final = (
    *("download_id", "item_id", "episode_id", "is_manual", "cancelled_at", "completed_at"),
    *("item__anime_title", "item__poster_image", "item__series__poster_url"),
    *("episode__number", "episode__title", "episode__season"),
    *(
        f"download__{name}"
        for name in (
            *("provider_id", "state", "stage", "source_label", "quality", "height", "bytes_done"),
            *("bytes_total", "speed_bps", "eta_seconds", "attempts", "reason_code", "reason_text"),
            *("not_before", "final_path", "final_size_bytes", "created_at", "started_at"),
            "finished_at",
        )
    ),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """A download in the queue and why it does not run."""

    row: DownloadRow
    place: int  # in the user's own queue, from 1
    reason: str
    is_last: bool


@dataclass(frozen=True, slots=True)
class Failed:
    """A failed download and every source that was tried, in order."""

    row: DownloadRow
    tries: list[DownloadAttempt]


@dataclass(frozen=True, slots=True)
class QueuePage:
    """Everything that the page shows; lists are cut, figures are whole."""

    now: list[DownloadRow]
    queue: list[Waiting]
    failed: list[Failed]
    done: Sequence[DownloadRow]  # of the last days: in the library, or given up
    done_version: str
    queue_count: int
    failed_count: int
    left_bytes: int  # of what runs or waits, as far as sizes are known
    has_unknown_sizes: bool
    free_bytes: int | None  # on the library's disk; None when it cannot be asked
    is_disk_low: bool
    others_count: int  # of other people, running or waiting

    @property
    def versions(self) -> dict[str, str]:
        """A short text for each section that changes when what it shows does."""
        head = (get_language(), self.queue_count, self.left_bytes // 10**7, self.is_disk_low)
        return {
            "now": _digest(head[:1], self.now),
            "queue": _digest((*head, (self.free_bytes or 0) // 10**8), self.queue),
            "failed": _digest((head[0], self.failed_count), self.failed),
            "done": _digest(head[:1], [self.done_version]),
        }


def queue_page(user: User) -> QueuePage:
    """The downloads of one user; a constant number of queries."""
    open_grabs = _open_grabs(user)
    by_kind: dict[str, list[Grab]] = defaultdict(list)
    for grab in open_grabs:
        by_kind[_kind_of(State(grab.download.state))].append(grab)
    moving = [*by_kind["now"], *by_kind["queue"]]
    free = _free_bytes()
    return QueuePage(
        now=[download_row(grab) for grab in by_kind["now"]],
        queue=_waiting(by_kind["queue"][:SHOWN]),
        failed=_with_tries(by_kind["failed"][:SHOWN]),
        # A poll asks several times a minute and nearly always needs only the version.
        done=cast("Sequence[DownloadRow]", SimpleLazyObject(lambda: _done(user))),
        done_version=_done_version(user),
        queue_count=len(by_kind["queue"]),
        failed_count=len(by_kind["failed"]),
        left_bytes=sum(_left(grab.download) for grab in moving),
        has_unknown_sizes=any(grab.download.bytes_total is None for grab in moving),
        free_bytes=free,
        is_disk_low=free is not None and free < settings.MIN_FREE_DISK_MB * 1_000_000,
        others_count=_others_count(moving),
    )


def neighbour(user: User, download: Download, *, step: int) -> Download | None:
    """The download `step` places further in the user's own queue; None beyond its ends."""
    queue = [grab.download for grab in _open_grabs(user) if grab.download.state in WAITING]
    ids = [row.pk for row in queue]
    if download.pk not in ids:
        return None
    place = ids.index(download.pk) + step
    return queue[place] if 0 <= place < len(queue) else None


def failed_grabs(user: User) -> list[Grab]:
    """The user's wishes whose downloads failed."""
    return [grab for grab in _open_grabs(user) if grab.download.state == State.FAILED]


def _open_grabs(user: User) -> list[Grab]:
    """One wish for each download, in the order of the queue."""
    states = [state.value for state in (*ACTIVE, *WAITING, State.FAILED)]
    rows = Grab.objects.filter(
        item__user_id=user.pk, cancelled_at=None, completed_at=None, download__state__in=states
    )
    ordered = rows.select_related("item__series", "episode", "download").order_by(
        "-download__priority", "download__position", "-created_at"
    )
    return _once(ordered)


def _once(grabs: Iterable[Grab]) -> list[Grab]:
    found: dict[Any, Grab] = {}
    for grab in grabs:
        found.setdefault(grab.download_id, grab)
    return list(found.values())


def _kind_of(state: State) -> str:
    if state in ACTIVE:
        return "now"
    return "failed" if state is State.FAILED else "queue"


def _waiting(grabs: Sequence[Grab]) -> list[Waiting]:
    if not grabs:
        return []
    facts = present_facts()
    return [
        Waiting(download_row(grab), place, _reason(grab, facts), is_last=place == len(grabs))
        for place, grab in enumerate(grabs, start=1)
    ]


def _reason(grab: Grab, facts: GlobalFacts) -> str:
    _state, verdict = explain(
        episode_facts(grab.episode, is_ignored=False),
        item_facts(grab.item),
        facts,
        grab_facts(grab),
        timezone.now(),
    )
    return reasons.sentence(verdict.reason, verdict.facts)


def _with_tries(grabs: Sequence[Grab]) -> list[Failed]:
    if not grabs:
        return []
    tries: dict[Any, list[DownloadAttempt]] = defaultdict(list)
    for attempt in DownloadAttempt.objects.filter(download__in=[g.download_id for g in grabs]):
        tries[attempt.download_id].append(attempt)
    return [Failed(download_row(grab), tries[grab.download_id]) for grab in grabs]


def _ended(user: User) -> QuerySet[Grab]:
    since = timezone.now() - DONE_AGE
    ended = Q(completed_at__gte=since) | Q(completed_at=None, cancelled_at__gte=since)
    return Grab.objects.filter(ended, item__user_id=user.pk)


def _done_version(user: User) -> str:
    ends = _ended(user).aggregate(Count("pk"), Max("completed_at"), Max("cancelled_at"))
    return repr((timezone.localdate(), sorted(ends.items())))


def _done(user: User) -> list[DownloadRow]:
    ordered = (
        _ended(user)
        .select_related("item__series", "episode", "download")
        .only(*_DONE_COLUMNS)
        .order_by("-download__finished_at", "-created_at")
    )
    shown = [grab for grab in _once(ordered[: 2 * DONE_SHOWN]) if _is_over(grab)]
    return [download_row(grab) for grab in shown[:DONE_SHOWN]]


def _is_over(grab: Grab) -> bool:
    return state_for(grab) in {State.COMPLETED, State.CANCELLED}


def _left(download: Download) -> int:
    return max((download.bytes_total or 0) - download.bytes_done, 0)


def _others_count(mine: Sequence[Grab]) -> int:
    states = [state.value for state in (*ACTIVE, *WAITING)]
    rows = Download.objects.filter(state__in=states)
    return max(rows.count() - len({grab.download_id for grab in mine}), 0)


def _free_bytes() -> int | None:
    try:
        return free_bytes(settings.DOWNLOAD_DIR)
    except OSError:
        return None


def _digest(head: Sequence[object], rows: Sequence[object]) -> str:
    return hashlib.blake2b(repr((head, rows)).encode(), digest_size=8).hexdigest()
