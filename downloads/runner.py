"""One claimed download from start to end: resolve, fetch, verify, publish, and what if not."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from datetime import timedelta

from django.db import InterfaceError, OperationalError
from django.utils import timezone

from downloads import failures, publishing, upkeep
from downloads.claims import Claim, LeaseLost, advance, claim_next, release, runnable_count
from downloads.engine.errors import DiskFull, EngineError, FolderUnwritable, Interrupted
from downloads.libraryfolder import incomplete_dir, require_library
from downloads.models import Download, DownloadEvent
from downloads.policies import Failure, Outcome, judge
from downloads.signals import download_failed
from downloads.sources import SourceTrials
from downloads.states import State
from downloads.stopping import stop_requested
from downloads.transitions import move
from downloads.wakeup import wake_workers
from providers.errors import ProviderError

logger = logging.getLogger(__name__)


def run_next() -> bool:
    """Claim one download and work on it. Returns whether there was one."""
    if stop_requested():
        return False
    claim = claim_next(_owner())
    if claim is None:
        return False
    try:
        Run(claim).work()
    finally:
        release(claim)
    if runnable_count():
        wake_workers()
    return True


def _owner() -> str:
    return f"{socket.gethostname()}:{os.getpid()}"


class Run:
    """The work on one claim; every write carries the fence."""

    def __init__(self, claim: Claim) -> None:
        self.claim = claim
        self.download = Download.objects.get(pk=claim.download_id)
        self.folder = upkeep.work_folder(claim.download_id)

    def work(self) -> None:
        """Go from resolving to completed, or record why not."""
        try:
            if publishing.finish_interrupted(self.claim, self.download):
                return
            self._ensure_room()
            trials = SourceTrials(self.claim, self.download)
            sources = trials.resolve()
            advance(self.claim, State.RESOLVING, State.DOWNLOADING)
            fetched = trials.fetch_first_good(sources)
            publishing.publish(self.claim, self.download, fetched)
        except LeaseLost:
            logger.info("Lost the claim on %s", self.download.pk)
        except Interrupted:
            self._hand_back()
        except (OperationalError, InterfaceError):
            # Not this download's fault: the lease runs out, and the tick gives it back.
            logger.exception("The database failed in the middle of %s", self.download.pk)
        except Exception as error:  # noqa: BLE001 - whatever it was, the row must say so
            self._give_up_for_now(_failure_of(error))

    def _ensure_room(self) -> None:
        require_library()
        incomplete_dir().mkdir(exist_ok=True)
        if upkeep.is_disk_low():
            raise DiskFull("There is too little free space on the library's disk.")

    def _hand_back(self) -> None:
        """Paused or cancelled by a person: nothing to write. Stopping: somebody else goes on."""
        row = Download.objects.only("state", "fence").get(pk=self.download.pk)
        if row.fence == self.claim.fence and row.state in {State.RESOLVING, State.DOWNLOADING}:
            move(row.pk, State(row.state), State.QUEUED, held_fence=self.claim.fence)
            release(self.claim)
            wake_workers()
        elif row.state == State.CANCELLED:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _give_up_for_now(self, failure: Failure) -> None:
        row = Download.objects.only("state", "attempts", "fence").get(pk=self.download.pk)
        if row.fence != self.claim.fence or not row.is_active:
            return
        attempts = row.attempts + 1
        verdict = judge(failure, attempts, blocked_lately=self._blocked_lately(failure))
        to = {
            Outcome.RETRY: State.QUEUED,
            Outcome.BLOCK: State.BLOCKED,
            Outcome.FAIL: State.FAILED,
        }[verdict.outcome]
        # What waits for the disk is still to be moved into the library.
        intent = {} if to is State.BLOCKED else {"staged_path": "", "final_path": ""}
        moved = move(
            row.pk,
            State(row.state),
            to,
            held_fence=self.claim.fence,
            reason_code=failure.code,
            reason_text=failure.text,
            attempts=row.attempts if to is State.BLOCKED else attempts,
            not_before=None if to is State.FAILED else timezone.now() + verdict.delay,
            needed_bytes=failure.needed_bytes,
            owner="",
            lease_expires_at=None,
            **intent,
        )
        if moved and to is State.FAILED:
            shutil.rmtree(self.folder, ignore_errors=True)
            download_failed.send(sender=Download, download_id=row.pk)

    def _blocked_lately(self, failure: Failure) -> int:
        """How often trouble of the machine seemed to have gone within the last hour, and had not.

        A site says itself how long it wants to be left alone.
        """
        if failure.code not in {DiskFull.code, FolderUnwritable.code}:
            return 0
        since = timezone.now() - timedelta(hours=1)
        events = DownloadEvent.objects.filter(download=self.download, at__gt=since)
        return events.filter(to_state=State.BLOCKED, reason_code=failure.code).count()


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, ProviderError):
        return failures.of_provider(error)
    if isinstance(error, EngineError):
        return failures.of_engine(_cause_of(error))
    logger.error("The work on a download broke off", exc_info=error)
    if isinstance(error, OSError):
        refused = FolderUnwritable(f"The disk refused: {error.strerror}.")
        return failures.of_engine(_cause_of(refused))
    return failures.of_surprise(error)


def _cause_of(error: EngineError) -> EngineError:
    """The same error, or what lies behind it: the library has gone with its disk."""
    if isinstance(error, FolderUnwritable):
        try:
            require_library()
        except FolderUnwritable as cause:
            return cause
    return error
