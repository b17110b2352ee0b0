"""What the tick repairs: dead leases, causes that are gone, lost wake-ups, leftovers."""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
import time
import uuid
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db.models import Q
from django.utils import timezone

from downloads.claims import LEASE, Claim, release, runnable_count
from downloads.engine.errors import FolderUnwritable
from downloads.engine.library import free_bytes
from downloads.libraryfolder import incomplete_dir, require_library
from downloads.models import Download
from downloads.policies import LONGEST_WAIT
from downloads.states import ACTIVE, State
from downloads.transitions import move
from downloads.wakeup import wake_workers
from providers import gateway
from providers.errors import ProviderError

logger = logging.getLogger(__name__)

LEFTOVER_AGE = timedelta(hours=24)


def keep_queue_moving() -> None:
    """One idempotent round; cheap when there is nothing to do."""
    clamp_times()
    requeue_expired_leases()
    unblock()
    waiting = runnable_count()
    if waiting:
        wake_workers(min(waiting, settings.MAX_PARALLEL_DOWNLOADS))


def requeue_expired_leases() -> int:
    """Give the downloads of dead workers back to the queue. Returns how many."""
    now = timezone.now()
    # Nobody works on what is active without a lease.
    unheld = Q(lease_expires_at=None, state__in=ACTIVE)
    expired = Download.objects.filter(Q(lease_expires_at__lte=now) | unheld)
    count = 0
    for row in expired.only("id", "state", "fence"):
        state = State(row.state)
        if state in ACTIVE:
            count += move(
                row.pk,
                state,
                State.QUEUED,
                held_fence=row.fence,
                reason_code="worker_lost",
                reason_text="The worker that was downloading it has gone; another one goes on.",
                owner="",
                lease_expires_at=None,
            )
        else:
            release(Claim(row.pk, row.fence))
    return count


def clamp_times() -> None:
    """Let no lease and no wait last longer than it may: the clock has been set back meanwhile.

    A lease is shortened, not ended, because a worker that lives renews it.
    """
    now = timezone.now()
    leased = Download.objects.filter(lease_expires_at__gt=now + 2 * LEASE)
    waiting = Download.objects.filter(state__in=[State.QUEUED, State.BLOCKED])
    latest = now + LONGEST_WAIT
    late = waiting.filter(not_before__gt=latest)
    # Asked first: an idle tick writes nothing.
    if leased.exists():
        leased.update(lease_expires_at=now + LEASE)
    if late.exists():
        late.update(not_before=latest)


def unblock() -> int:
    """Let blocked downloads go on when what blocked them has gone. Returns how many."""
    now = timezone.now()
    blocked = Download.objects.filter(state=State.BLOCKED, not_before__lte=now)
    count = 0
    verdicts: dict[tuple[str, object], bool] = {}
    for row in blocked.only("id", "reason_code", "provider_id", "needed_bytes", "target_folder"):
        cause = _cause_of(row)
        if cause not in verdicts:
            verdicts[cause] = _has_gone(row)
        if verdicts[cause]:
            count += move(row.pk, State.BLOCKED, State.QUEUED, not_before=None)
    return count


def is_disk_low() -> bool:
    """Whether the library's disk has less free space than MIN_FREE_DISK_MB."""
    try:
        return free_bytes(settings.DOWNLOAD_DIR) < settings.MIN_FREE_DISK_MB * 1_000_000
    except OSError:
        return False


def remove_leftovers() -> int:
    """Delete work folders whose download is done, given up or unknown. Returns how many."""
    root = incomplete_dir()
    if not root.is_dir():
        return 0
    removed = 0
    for folder in root.iterdir():
        if folder.is_dir() and _is_leftover(folder):
            shutil.rmtree(folder, ignore_errors=True)
            removed += 1
    return removed


def work_folder(download_id: uuid.UUID) -> Path:
    """Where the work on one download lies; it belongs to whoever holds the claim."""
    return incomplete_dir() / str(download_id)


def _cause_of(row: Download) -> tuple[str, object]:
    """What it waits for; the same for all whose waiting ends together."""
    if row.reason_code == "disk_low":
        return row.reason_code, row.needed_bytes
    if row.reason_code == "folder_unwritable":
        return row.reason_code, row.target_folder
    return "provider", row.provider_id


def _has_gone(row: Download) -> bool:
    if row.reason_code == "disk_low":
        return _has_room(row.needed_bytes)
    if row.reason_code == "folder_unwritable":
        return _is_library_writable(row.target_folder)
    try:
        gateway.availability(row.provider_id)
    except ProviderError:
        return False
    return True


def _has_room(needed_bytes: int) -> bool:
    """Whether so much fits where the work is done, and MIN_FREE_DISK_MB stay free."""
    if is_disk_low():
        return False
    try:
        return free_bytes(incomplete_dir()) >= needed_bytes + settings.MIN_FREE_DISK_MB * 1_000_000
    except OSError:
        return True


def _is_library_writable(target_folder: str) -> bool:
    try:
        place = require_library() / target_folder
        incomplete_dir().mkdir(exist_ok=True)
        while not os.path.lexists(place):
            place = place.parent
        for folder in (incomplete_dir(), place):
            with tempfile.TemporaryFile(dir=folder):
                pass
    except (OSError, FolderUnwritable):
        return False
    return True


def _is_leftover(folder: Path) -> bool:
    try:
        download_id = uuid.UUID(folder.name)
    except ValueError:
        return False
    row = Download.objects.filter(pk=download_id).only("state", "lease_expires_at").first()
    if row is not None and (row.lease_expires_at or row.state not in _NEEDS_NO_FOLDER):
        return False
    return time.time() - folder.stat().st_mtime > LEFTOVER_AGE.total_seconds()


_NEEDS_NO_FOLDER = frozenset({State.COMPLETED, State.CANCELLED, State.FAILED})
