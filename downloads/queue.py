"""What people want of the durable queue: order, pause, resume, cancel, retry, reorder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from downloads.models import Download, Limiter
from downloads.states import State
from downloads.transitions import move
from downloads.wakeup import wake_workers

GLOBAL_SCOPE: Final = "global"

PRIORITY_BACKLOG: Final = 0
PRIORITY_NEW: Final = 10  # an episode that just appeared goes before a long back catalogue
PRIORITY_MANUAL: Final = 20


class NotLegalNow(Exception):
    """The wish does not fit the download's present state; the message names the state."""

    def __init__(self, state: str) -> None:
        super().__init__(f"This is not possible while the download is {state}.")
        self.state = state


@dataclass(frozen=True, slots=True)
class Order:
    """Everything that is needed to fetch one episode, whoever asked for it."""

    label: str
    provider_id: str
    series_ref: str
    episode_ref: str
    lang: str
    quality: str  # auto, 1080p, 720p or 480p
    target_folder: str  # relative to the library
    target_stem: str
    variant: str = ""
    is_automatic: bool = True
    priority: int = PRIORITY_BACKLOG

    @property
    def dedupe_key(self) -> str:
        """The same for every user who wants this episode in this language and quality."""
        parts = (self.provider_id, self.series_ref, self.episode_ref, self.lang, self.quality)
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def limiter(*, lock: bool = False) -> Limiter:
    """The row of limits that hold over all workers; `lock` needs an open transaction.

    Its lock is the first of all: ARCHITECTURE.md has the order.
    """
    rows = Limiter.objects.select_for_update() if lock else Limiter.objects
    found = rows.filter(scope=GLOBAL_SCOPE).first()
    if found is None:
        Limiter.objects.get_or_create(scope=GLOBAL_SCOPE)
        found = rows.get(scope=GLOBAL_SCOPE)
    return found


def automatic_cap() -> int:
    """How many automatic downloads may run at once."""
    return limiter().automatic_cap


def set_automatic_cap(cap: int) -> None:
    """Change how many automatic downloads may run at once (1 to 16)."""
    Limiter.objects.update_or_create(scope=GLOBAL_SCOPE, defaults={"automatic_cap": cap})
    wake_workers(cap)


def enqueue_many(orders: list[Order]) -> dict[str, Download]:
    """Queue each order once; an order somebody already gave is shared, not repeated.

    A download that was cancelled is wanted again and goes back to the queue; one that failed stays
    failed until a person retries it. Returns the downloads by `Order.dedupe_key`.
    """
    by_key = {order.dedupe_key: order for order in orders}
    with transaction.atomic():
        limits = limiter(lock=True)
        known = {row.dedupe_key: row for row in Download.objects.filter(dedupe_key__in=by_key)}
        missing = [order for key, order in by_key.items() if key not in known]
        created = Download.objects.bulk_create(
            [_row_for(order, limits.next_position + step) for step, order in enumerate(missing)]
        )
        Limiter.objects.filter(pk=limits.pk).update(next_position=F("next_position") + len(missing))
        for row in known.values():
            _join(row, by_key[row.dedupe_key])
        if created or known:
            wake_workers(min(len(by_key), settings.MAX_PARALLEL_DOWNLOADS))
    return {row.dedupe_key: row for row in [*created, *known.values()]}


def enqueue(order: Order) -> Download:
    """Queue one order; see `enqueue_many`."""
    return enqueue_many([order])[order.dedupe_key]


def pause(download: Download) -> None:
    """Stop without losing what is on disk. Raises NotLegalNow."""
    download.refresh_from_db()
    if download.state == State.PAUSED:
        return
    _move_or_refuse(
        download,
        {State.QUEUED, State.BLOCKED, State.RESOLVING, State.DOWNLOADING},
        State.PAUSED,
        "paused_by_user",
    )


def resume(download: Download) -> None:
    """Let a paused download go on. Raises NotLegalNow."""
    download.refresh_from_db()
    if download.state in {State.QUEUED, State.RESOLVING, State.DOWNLOADING, State.IMPORTING}:
        return
    _move_or_refuse(download, {State.PAUSED, State.BLOCKED}, State.QUEUED, "", not_before=None)
    wake_workers()


def cancel(download: Download, *, reason_code: str = "cancelled_by_user") -> None:
    """Give the download up. Raises NotLegalNow."""
    download.refresh_from_db()
    if download.state == State.CANCELLED:
        return
    _move_or_refuse(
        download,
        {
            State.QUEUED,
            State.PAUSED,
            State.BLOCKED,
            State.FAILED,
            State.RESOLVING,
            State.DOWNLOADING,
        },
        State.CANCELLED,
        reason_code,
    )


def retry(download: Download, *, priority: int | None = None) -> None:
    """Try a failed or cancelled download again from the first attempt. Raises NotLegalNow.

    One that waits for its next attempt is let go at once.
    """
    download.refresh_from_db()
    facts: dict[str, Any] = {"attempts": 0, "not_before": None}
    if priority is not None:
        facts |= {"priority": priority, "is_automatic": False}
    if download.state in {State.QUEUED, State.BLOCKED}:
        Download.objects.filter(pk=download.pk, state=State.QUEUED).update(**facts)
        if download.state == State.BLOCKED:
            _move_or_refuse(download, {State.BLOCKED}, State.QUEUED, "", **facts)
    else:
        _move_or_refuse(download, {State.FAILED, State.CANCELLED}, State.QUEUED, "", **facts)
    download.refresh_from_db()
    wake_workers()


def download_again(download: Download) -> None:
    """Fetch a completed download once more, for example because its file was deleted."""
    facts = {"attempts": 0, "not_before": None, "bytes_done": 0, "bytes_total": None}
    intent = {"final_path": "", "final_size_bytes": None, "final_sha256": "", "staged_path": ""}
    _move_or_refuse(download, {State.COMPLETED}, State.QUEUED, "", **facts, **intent)
    wake_workers()


def make_manual(download: Download) -> None:
    """A person asked for it: the automatic rules no longer hold it back."""
    Download.objects.filter(pk=download.pk).update(is_automatic=False, priority=PRIORITY_MANUAL)


def move_to_position(download: Download, *, before: Download | None) -> None:
    """Reorder the queue: put a waiting download before another one, or at the very end."""
    with transaction.atomic():
        limits = limiter(lock=True)
        if before is None:
            position, priority = limits.next_position, download.priority
        else:
            before.refresh_from_db(fields=["position", "priority"])
            position, priority = before.position, before.priority
            later = Q(priority=priority, position__gte=position)
            Download.objects.filter(later).update(position=F("position") + 1)
        Download.objects.filter(pk=download.pk).update(position=position, priority=priority)
        Limiter.objects.filter(pk=limits.pk).update(next_position=F("next_position") + 1)


def _row_for(order: Order, position: int) -> Download:
    return Download(
        label=order.label[:300],
        provider_id=order.provider_id,
        series_ref=order.series_ref,
        episode_ref=order.episode_ref,
        lang=order.lang,
        quality=order.quality,
        dedupe_key=order.dedupe_key,
        target_folder=order.target_folder,
        target_stem=order.target_stem,
        variant=order.variant,
        is_automatic=order.is_automatic,
        priority=order.priority,
        position=position,
    )


def _join(row: Download, order: Order) -> None:
    """Somebody wants what is already ordered: the stronger wish counts."""
    if not order.is_automatic and row.is_automatic:
        make_manual(row)
    if row.state == State.CANCELLED:
        facts: dict[str, Any] = {"attempts": 0, "not_before": None}
        facts["is_automatic"] = order.is_automatic
        move(row.pk, State.CANCELLED, State.QUEUED, priority=order.priority, **facts)
    row.refresh_from_db()


def _move_or_refuse(
    download: Download, from_: set[State], to: State, reason_code: str, **facts: Any
) -> None:
    """Move from whatever allowed state it is in now; a worker may be moving it at the same time."""
    for _ in range(5):
        download.refresh_from_db()
        state = State(download.state)
        if state not in from_:
            raise NotLegalNow(state)
        if move(download.pk, state, to, reason_code=reason_code, **facts):
            download.refresh_from_db()
            return
    raise NotLegalNow(download.state)


def is_inside_window(limits: Limiter, now: datetime) -> bool:
    """Whether automatic downloads may run at this hour."""
    return is_open(limits.window_start, limits.window_end, now)


def is_open(window_start: time | None, window_end: time | None, now: datetime) -> bool:
    """Whether a window of the server's hours is open; it may pass midnight.

    Without one it always is.
    """
    if window_start is None or window_end is None:
        return True
    # Not in the zone of whoever looks at a page.
    clock = timezone.localtime(now, timezone.get_default_timezone()).time()
    if window_start <= window_end:
        return window_start <= clock < window_end
    return clock >= window_start or clock < window_end
