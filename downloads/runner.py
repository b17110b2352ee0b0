"""One claimed download from start to end: resolve, fetch, verify, publish, and what if not."""

from __future__ import annotations

import logging
import os
import shutil
import socket
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final, TypeVar
from urllib.parse import urlsplit

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from downloads import failures, publishing, upkeep
from downloads.claims import (
    Claim,
    LeaseLost,
    advance,
    claim_next,
    release,
    renew_lease,
    runnable_count,
)
from downloads.control import RunControl
from downloads.engine.errand import Errand
from downloads.engine.errors import (
    DiskFull,
    EngineError,
    FolderUnwritable,
    Interrupted,
    WrongLength,
)
from downloads.engine.fetch import fetch
from downloads.engine.types import Command, FetchedFile, FetchRequest
from downloads.errands import closing_connections
from downloads.libraryfolder import incomplete_dir, require_library
from downloads.models import Download, DownloadAttempt, DownloadEvent
from downloads.policies import Failure, Outcome, combine, judge
from downloads.samples import refuse_sample
from downloads.signals import download_failed
from downloads.states import State
from downloads.stopping import stop_requested
from downloads.transitions import move
from downloads.wakeup import wake_workers
from providers import gateway
from providers.errors import ProviderError
from providers.streams import Stream, VideoSource
from providers.text import safe_name

logger = logging.getLogger(__name__)

HEIGHTS = {"1080p": 1080, "720p": 720, "480p": 480}
_LOOK_SECONDS: Final = 0.1

T = TypeVar("T")


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
        self.control = RunControl(claim)
        self.folder = upkeep.work_folder(claim.download_id)
        self.failures: list[Failure] = []

    def work(self) -> None:
        """Go from resolving to completed, or record why not."""
        try:
            if publishing.finish_interrupted(self.claim, self.download):
                return
            self._ensure_room()
            sources = self._attended(self._resolve)
            advance(self.claim, State.RESOLVING, State.DOWNLOADING)
            fetched = self._fetch_first_good(sources)
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

    def _fetch_first_good(self, sources: list[VideoSource]) -> FetchedFile:
        used: dict[str, int] = {}
        for source in sources:
            name = f"{source.label}-{source.lang}-{source.height or ''}"
            used[name] = used.get(name, 0) + 1
            work_dir = self.folder / safe_name(f"{name}-{used[name]}", fallback="source")
            fetched = self._try_source(source, work_dir)
            if fetched is not None:
                return fetched
        raise failures.AllSourcesFailed(combine(self.failures))

    def _try_source(self, source: VideoSource, work_dir: Path) -> FetchedFile | None:
        """Try one source; a failure is recorded, and the next source is tried if that may help."""
        attempt = DownloadAttempt.objects.create(
            download=self.download,
            fence=self.claim.fence,
            source_label=source.label[:120],
            source_host=(urlsplit(source.url).hostname or "")[:255],
        )
        self.control.latest = None
        if not renew_lease(self.claim, source_label=source.label[:120], stage="resolving"):
            raise Interrupted("Stopped while the source was being chosen.")
        try:
            streams = self._attended(lambda: self._open(source))
            fetched = self._fetch(source, streams[0], work_dir)
        except Interrupted:
            self._close(attempt, Failure("interrupted", "Stopped on request."))
            raise
        except ProviderError as error:
            self._reject(attempt, source, failures.of_provider(error, of_host=True), work_dir)
            return None
        except EngineError as error:
            self._reject(attempt, source, failures.of_engine(error), work_dir)
            if not error.tries_next_source:
                raise
            return None
        except (OperationalError, InterfaceError, OSError):
            raise
        except Exception as error:
            logger.exception("A source of %s has a form that nobody foresaw", self.download.pk)
            self._reject(attempt, source, failures.of_surprise(error), work_dir)
            return None
        self._close(attempt, None, bytes_done=fetched.size_bytes)
        return fetched

    def _fetch(self, source: VideoSource, stream: Stream, work_dir: Path) -> FetchedFile:
        max_height = HEIGHTS.get(self.download.quality)
        request = FetchRequest(
            stream=stream,
            work_dir=work_dir,
            egress=settings.EGRESS_POLICY,
            max_height=max_height,
            expected_duration_seconds=stream.duration_seconds,
            refresh=closing_connections(lambda: self._refreshed(source)),
            host_connections=self.control.host_connections,
        )
        fetched = fetch(request, self.control)
        try:
            refuse_sample(self.download, fetched.duration_seconds)
        except WrongLength:
            # What is there would be found whole again, and never be asked for.
            shutil.rmtree(work_dir, ignore_errors=True)
            raise
        return fetched

    def _refreshed(self, source: VideoSource) -> Stream:
        """The same source again, when its signed address has expired."""
        same = [other for other in self._resolve() if other.label == source.label] or [source]
        chosen = next((other for other in same if other.url == source.url), same[0])
        return self._open(chosen)[0]

    def _resolve(self) -> list[VideoSource]:
        row = self.download
        return gateway.resolve(row.provider_id, row.series_ref, row.episode_ref, row.lang)

    def _open(self, source: VideoSource) -> list[Stream]:
        return gateway.open_source(source, HEIGHTS.get(self.download.quality))

    def _attended(self, work: Callable[[], T]) -> T:
        """Let a site take its time beside this thread, which keeps the claim. Raises Interrupted.

        A site that is no longer waited for has time limits of its own.
        """
        errand = Errand(closing_connections(work))
        while not errand.wait(_LOOK_SECONDS):
            if self.control.poll() is not Command.GO_ON:
                raise Interrupted("Stopped on request.")
        return errand.result()

    def _reject(
        self, attempt: DownloadAttempt, source: VideoSource, failure: Failure, work_dir: Path
    ) -> None:
        self._close(attempt, failure)
        self.failures.append(replace(failure, text=f"{source.label}: {failure.text}"))
        if not failure.retryable:
            shutil.rmtree(work_dir, ignore_errors=True)

    def _close(
        self, attempt: DownloadAttempt, failure: Failure | None, bytes_done: int | None = None
    ) -> None:
        attempt.finished_at = timezone.now()
        latest = self.control.latest
        attempt.bytes_done = bytes_done or (latest.bytes_done if latest else 0)
        if failure is not None:
            attempt.error_code, attempt.error_text = failure.code, failure.text
        attempt.save()

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
