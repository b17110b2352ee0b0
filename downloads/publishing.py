"""Puts a fetched file into the library; a kill at any instant is repaired by the next worker."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Final, TypeVar

from django.conf import settings

from downloads import upkeep
from downloads.claims import Claim, advance, renew_lease
from downloads.engine import library
from downloads.engine.errand import Errand
from downloads.engine.types import FetchedFile, Stage
from downloads.libraryfolder import require_library
from downloads.models import Download
from downloads.signals import download_completed
from downloads.states import State

_RENEW_SECONDS: Final = 3.0

T = TypeVar("T")


def publish(claim: Claim, download: Download, fetched: FetchedFile) -> None:
    """Record the intent, rename, then call it completed.

    Raises EngineError, Interrupted and LeaseLost.
    """
    name = library.file_name(
        download.target_stem,
        height=fetched.height,
        extension=fetched.extension,
        variant=download.variant,
    )
    relative = PurePosixPath(download.target_folder) / name
    advance(
        claim,
        State.DOWNLOADING,
        State.IMPORTING,
        stage=Stage.MOVING,
        final_path=str(relative),
        final_size_bytes=fetched.size_bytes,
        final_sha256=fetched.sha256,
        staged_path=str(fetched.path),
        height=fetched.height,
        duration_seconds=fetched.duration_seconds,
        bytes_done=fetched.size_bytes,
        bytes_total=fetched.size_bytes,
    )
    _move_and_complete(claim, fetched.path, relative)


def finish_interrupted(claim: Claim, download: Download) -> bool:
    """Whether an earlier worker was killed between its intent and `completed`; then end it.

    Raises EngineError, Interrupted and LeaseLost.
    """
    if not download.final_path:
        return False
    relative = PurePosixPath(download.final_path)
    final, staged = Path(settings.DOWNLOAD_DIR) / relative, Path(download.staged_path)
    if final.is_file() and not staged.exists():
        if _is_intended(claim, download, final):
            advance(claim, State.RESOLVING, State.IMPORTING)
            _complete(claim)
            return True
    elif staged.is_file() and _is_intended(claim, download, staged):
        advance(claim, State.RESOLVING, State.IMPORTING)
        _move_and_complete(claim, staged, relative)
        return True
    Download.objects.filter(pk=claim.download_id, fence=claim.fence).update(
        final_path="", final_size_bytes=None, final_sha256="", staged_path=""
    )
    return False


def _is_intended(claim: Claim, download: Download, path: Path) -> bool:
    if path.stat().st_size != download.final_size_bytes:
        return False
    return _keeping(claim, lambda: library.sha256_of(path)) == download.final_sha256


def _move_and_complete(claim: Claim, staged: Path, relative: PurePosixPath) -> None:
    root, umask = require_library(), settings.UMASK
    _keeping(claim, lambda: library.publish(staged, root, relative, umask=umask))
    _complete(claim)


def _complete(claim: Claim) -> None:
    facts = {"staged_path": "", "owner": "", "lease_expires_at": None}
    advance(claim, State.IMPORTING, State.COMPLETED, **facts)
    shutil.rmtree(upkeep.work_folder(claim.download_id), ignore_errors=True)
    download_completed.send(sender=Download, download_id=claim.download_id)


def _keeping(claim: Claim, work: Callable[[], T]) -> T:
    """Do work on the disk, and keep the claim: a copy to another disk outlasts a lease."""
    errand = Errand(work)
    while not errand.wait(_RENEW_SECONDS):
        renew_lease(claim)
    return errand.result()
