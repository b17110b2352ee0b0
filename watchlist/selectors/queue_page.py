"""The downloads page: what runs, what waits and why, what failed and how, what is done."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.functional import SimpleLazyObject
from django.utils.translation import get_language

from downloads.engine.library import free_bytes
from downloads.models import Download, DownloadAttempt
from downloads.states import ACTIVE, WAITING, State
from watchlist import reasons
from watchlist.decisions import EpisodeFacts, GlobalFacts, GrabFacts, ItemFacts, explain
from watchlist.models import Grab
from watchlist.selectors.downloads import WISHES, DownloadRow, Wish, download_row
from watchlist.selectors.facts import present_facts

# More than anybody reads; the figures above the lists count all of them.
SHOWN: Final = 100
DONE_SHOWN: Final = 20
DONE_AGE: Final = timedelta(days=7)
SECTIONS: Final = ("now", "queue", "failed", "done")
_ORDER: Final = ("-download__priority", "download__position", "-created_at")
_OPEN_STATES: Final = tuple(state.value for state in (*ACTIVE, *WAITING, State.FAILED))
_OPEN: Final = Q(cancelled_at=None, completed_at=None, download__state__in=_OPEN_STATES)
_READ_OPEN: Final = WISHES.filter(_OPEN).order_by(*_ORDER)
_ENDED: Final[QuerySet[Grab, Any]] = Grab.objects.order_by(
    Coalesce("completed_at", "cancelled_at").desc(), "-created_at"
).values_list("pk", "download_id", "completed_at", "cancelled_at")


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
    by_kind: dict[str, list[Wish]] = defaultdict(list)
    for wish in _open(user):
        by_kind[_kind_of(wish.state)].append(wish)
    moving = [*by_kind["now"], *by_kind["queue"]]
    free = _free_bytes()
    ended = _ended(user)
    return QueuePage(
        now=[download_row(wish) for wish in by_kind["now"]],
        queue=_waiting(by_kind["queue"][:SHOWN]),
        failed=_with_tries(by_kind["failed"][:SHOWN]),
        # A poll asks several times a minute and nearly always needs only the version.
        done=cast("Sequence[DownloadRow]", SimpleLazyObject(lambda: _done(ended))),
        done_version=repr((timezone.localdate(), ended)),
        queue_count=len(by_kind["queue"]),
        failed_count=len(by_kind["failed"]),
        left_bytes=sum(_left(wish) for wish in moving),
        has_unknown_sizes=any(wish.bytes_total is None for wish in moving),
        free_bytes=free,
        is_disk_low=free is not None and free < settings.MIN_FREE_DISK_MB * 1_000_000,
        others_count=_others_count(moving),
    )


def waiting_downloads(user: User) -> list[Download]:
    """The user's own queue, in its order; of each only where it stands."""
    mine = Grab.objects.filter(item__user_id=user.pk, cancelled_at=None, completed_at=None)
    rows = Download.objects.filter(pk__in=mine.values("download_id"), state__in=WAITING)
    return list(rows.only("priority", "position").order_by("-priority", "position"))


def neighbour(user: User, download: Download, *, step: int) -> Download | None:
    """The download `step` places further in the user's own queue; None beyond its ends."""
    queue = waiting_downloads(user)
    if download not in queue:
        return None
    place = queue.index(download) + step
    return queue[place] if 0 <= place < len(queue) else None


def failed_grabs(user: User) -> list[Grab]:
    """The user's wishes whose downloads failed, one for each."""
    failed = Grab.objects.filter(_OPEN, item__user_id=user.pk, download__state=State.FAILED)
    found: dict[uuid.UUID, Grab] = {}
    for grab in failed.select_related("download").order_by(*_ORDER):
        found.setdefault(grab.download_id, grab)
    return list(found.values())


def _open(user: User) -> list[Wish]:
    """One wish for each download, in the order of the queue."""
    found: dict[uuid.UUID, Wish] = {}
    for row in _READ_OPEN.filter(item__user_id=user.pk):
        wish = Wish._make(row)
        found.setdefault(wish.download_id, wish)
    return list(found.values())


def _kind_of(state: State) -> str:
    if state in ACTIVE:
        return "now"
    return "failed" if state is State.FAILED else "queue"


def _waiting(wishes: Sequence[Wish]) -> list[Waiting]:
    if not wishes:
        return []
    facts, now = present_facts(), timezone.now()
    return [
        Waiting(download_row(wish), place, _reason(wish, facts, now), is_last=place == len(wishes))
        for place, wish in enumerate(wishes, start=1)
    ]


def _reason(wish: Wish, everybody: GlobalFacts, now: datetime) -> str:
    episode = EpisodeFacts(wish.season, wish.number, wish.is_special, wish.first_seen_at)
    item = ItemFacts(
        wish.item_status,
        wish.auto_download,
        wish.last_episode_downloaded,
        wish.last_season_downloaded,
        wish.specials_since,
        wish.has_seasons,
    )
    grab = GrabFacts(
        state=State(wish.download_state),
        reason_code=wish.reason_code,
        reason_text=wish.reason_text,
        not_before=wish.not_before,
        attempts=wish.attempts,
        is_automatic=wish.is_automatic,
        is_cancelled_here=wish.cancelled_at is not None,
    )
    _state, verdict = explain(episode, item, everybody, grab, now)
    return reasons.sentence(verdict.reason, verdict.facts)


def _with_tries(wishes: Sequence[Wish]) -> list[Failed]:
    if not wishes:
        return []
    tries: dict[Any, list[DownloadAttempt]] = defaultdict(list)
    ids = [wish.download_id for wish in wishes]
    for attempt in DownloadAttempt.objects.filter(download__in=ids):
        tries[attempt.download_id].append(attempt)
    return [Failed(download_row(wish), tries[wish.download_id]) for wish in wishes]


def _ended(user: User) -> list[tuple[Any, ...]]:
    """The last endings, by their ids alone: a week may hold hundreds, and few of them are read."""
    since = timezone.now() - DONE_AGE
    ended = Q(completed_at__gte=since) | Q(completed_at=None, cancelled_at__gte=since)
    return list(_ENDED.filter(ended, item__user_id=user.pk)[: 2 * DONE_SHOWN])


def _done(ended: list[tuple[Any, ...]]) -> list[DownloadRow]:
    last: dict[Any, Any] = {}
    for pk, download_id, *_moments in ended:
        last.setdefault(download_id, pk)
    ids = list(last.values())[:DONE_SHOWN]
    by_id = {wish.download_id: wish for wish in map(Wish._make, WISHES.filter(pk__in=ids))}
    rows = (download_row(by_id[download_id]) for download_id in last if download_id in by_id)
    return [row for row in rows if row.state in {State.COMPLETED, State.CANCELLED}]


def _left(wish: Wish) -> int:
    return max((wish.bytes_total or 0) - wish.bytes_done, 0)


def _others_count(mine: Sequence[Wish]) -> int:
    states = [state.value for state in (*ACTIVE, *WAITING)]
    return max(Download.objects.filter(state__in=states).count() - len(mine), 0)


def _free_bytes() -> int | None:
    try:
        return free_bytes(settings.DOWNLOAD_DIR)
    except OSError:
        return None


def _digest(head: Sequence[object], rows: Sequence[object]) -> str:
    return hashlib.blake2b(repr((head, rows)).encode(), digest_size=8).hexdigest()
