"""The downloads page: what runs, what waits and why, what failed and how, what is done."""

from __future__ import annotations

import hashlib
import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
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
from watchlist.decisions import GlobalFacts, explain
from watchlist.models import Grab
from watchlist.selectors.downloads import DownloadRow, download_row
from watchlist.selectors.facts import episode_facts, grab_facts, item_facts, present_facts

# More than anybody reads; the figures above the lists count all of them.
SHOWN: Final = 100
DONE_SHOWN: Final = 20
DONE_AGE: Final = timedelta(days=7)
SECTIONS: Final = ("now", "queue", "failed", "done")
# What `download_row` reads; the rest of five tables is half of the time.
_SHOWN_COLUMNS: Final = (
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
# What the sentence beside a waiting one needs besides.
_REASON_COLUMNS: Final = (
    *("item__status", "item__auto_download", "item__last_episode_downloaded"),
    *("item__specials_since", "episode__is_special", "episode__first_seen_at"),
    "download__is_automatic",
)
_ORDER: Final = ("-download__priority", "download__position", "-created_at")
_WAITING_STATES: Final = tuple(state.value for state in WAITING)
_OPEN_STATES: Final = tuple(state.value for state in (*ACTIVE, *WAITING, State.FAILED))
# Making a query over five tables costs more than running it, so it is made once.
_OPEN: Final = Grab.objects.filter(
    cancelled_at=None, completed_at=None, download__state__in=_OPEN_STATES
).order_by(*_ORDER)
_READ_OPEN: Final = _OPEN.select_related("item__series", "episode", "download").only(
    *_SHOWN_COLUMNS, *_REASON_COLUMNS
)
_READ_DONE: Final = Grab.objects.select_related("item__series", "episode", "download").only(
    *_SHOWN_COLUMNS
)
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
    by_kind: dict[str, list[Grab]] = defaultdict(list)
    for grab in _once(_READ_OPEN.filter(item__user_id=user.pk)):
        by_kind[_kind_of(State(grab.download.state))].append(grab)
    moving = [*by_kind["now"], *by_kind["queue"]]
    free = _free_bytes()
    ended = _ended(user)
    return QueuePage(
        now=[download_row(grab) for grab in by_kind["now"]],
        queue=_waiting(by_kind["queue"][:SHOWN]),
        failed=_with_tries(by_kind["failed"][:SHOWN]),
        # A poll asks several times a minute and nearly always needs only the version.
        done=cast("Sequence[DownloadRow]", SimpleLazyObject(lambda: _done(ended))),
        done_version=repr((timezone.localdate(), ended)),
        queue_count=len(by_kind["queue"]),
        failed_count=len(by_kind["failed"]),
        left_bytes=sum(_left(grab.download) for grab in moving),
        has_unknown_sizes=any(grab.download.bytes_total is None for grab in moving),
        free_bytes=free,
        is_disk_low=free is not None and free < settings.MIN_FREE_DISK_MB * 1_000_000,
        others_count=_others_count(moving),
    )


def waiting_ids(user: User) -> list[uuid.UUID]:
    """The downloads of the user's own queue, in its order."""
    rows = _OPEN.filter(item__user_id=user.pk, download__state__in=_WAITING_STATES)
    return list(dict.fromkeys(rows.values_list("download_id", flat=True)))


def neighbour(user: User, download: Download, *, step: int) -> Download | None:
    """The download `step` places further in the user's own queue; None beyond its ends."""
    ids = waiting_ids(user)
    if download.pk not in ids:
        return None
    place = ids.index(download.pk) + step
    if not 0 <= place < len(ids):
        return None
    return Download.objects.only("priority", "position").get(pk=ids[place])


def failed_grabs(user: User) -> list[Grab]:
    """The user's wishes whose downloads failed."""
    failed = _OPEN.filter(item__user_id=user.pk, download__state=State.FAILED)
    return _once(failed.select_related("item__series", "episode", "download"))


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
    grabs = {grab.pk: grab for grab in _READ_DONE.filter(pk__in=ids)}
    rows = (download_row(grabs[pk]) for pk in ids if pk in grabs)
    return [row for row in rows if row.state in {State.COMPLETED, State.CANCELLED}]


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
