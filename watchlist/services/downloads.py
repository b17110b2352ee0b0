"""What one user may do to a download that others may share: give it up, retry, pause, resume."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from downloads import queue
from downloads.models import Download
from downloads.states import State
from watchlist.models import Grab
from watchlist.services import grabbing, progress


class SharedDownload(Exception):
    """Somebody else waits for the same download, so one user alone may not hold it up."""

    def __init__(self) -> None:
        super().__init__(
            _("Others wait for this download too; you can cancel it for yourself instead.")
        )


def cancel_for(*, grab: Grab) -> None:
    """Take one user's wish back; the download itself goes on while others wait for it.

    Raises NotLegalNow when the file is in the library, or on its way there this very moment.
    """
    with transaction.atomic():
        row = _locked(grab)
        state = State(row.download.state)
        if state in {State.IMPORTING, State.COMPLETED}:
            raise queue.NotLegalNow(state)
        if row.cancelled_at is None:
            row.cancelled_at = timezone.now()
            row.save(update_fields=["cancelled_at"])
        if grabbing.is_wanted_by_nobody(row.download):
            queue.cancel(row.download)


def retry_for(*, grab: Grab) -> None:
    """Try again what failed or was cancelled; let go what waits. Raises NotLegalNow."""
    with transaction.atomic():
        row = _locked(grab)
        was_cancelled = row.cancelled_at is not None
        if was_cancelled:
            _reopen(row)
        goes_on = State(row.download.state) not in {State.FAILED, State.CANCELLED}
        if not (was_cancelled and goes_on):
            queue.retry(row.download, priority=queue.PRIORITY_MANUAL)
    if row.completed_at is not None:
        progress.follow_progress(item=row.item)


def pause_for(*, grab: Grab, may_hold_up_others: bool) -> None:
    """Stop without losing what is on disk. Raises NotLegalNow and SharedDownload."""
    with transaction.atomic():
        queue.pause(_own_alone(grab, may_hold_up_others=may_hold_up_others))


def resume_for(*, grab: Grab, may_hold_up_others: bool) -> None:
    """Let a paused download go on. Raises NotLegalNow and SharedDownload."""
    with transaction.atomic():
        queue.resume(_own_alone(grab, may_hold_up_others=may_hold_up_others))


def _locked(grab: Grab) -> Grab:
    queue.limiter(lock=True)
    rows = Grab.objects.select_for_update(of=("self",)).select_related("download", "item")
    return rows.get(pk=grab.pk)


def _reopen(grab: Grab) -> None:
    grab.cancelled_at = None
    if grab.download.state == State.COMPLETED:
        grab.completed_at = timezone.now()
    grab.save(update_fields=["cancelled_at", "completed_at"])


def _own_alone(grab: Grab, *, may_hold_up_others: bool) -> Download:
    row = _locked(grab)
    if row.cancelled_at is not None:
        raise queue.NotLegalNow(State.CANCELLED)
    others = Grab.objects.filter(download=row.download, completed_at=None, cancelled_at=None)
    if not may_hold_up_others and others.exclude(item__user_id=row.item.user_id).exists():
        raise SharedDownload
    return row.download
