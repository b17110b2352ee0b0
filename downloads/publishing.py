"""Puts a fetched file into the library; a kill at any instant is repaired by the next worker."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final, TypeVar

from django.conf import settings

from downloads import upkeep
from downloads.claims import Claim, LeaseLost, advance, renew_lease
from downloads.engine import library
from downloads.engine.errand import Errand
from downloads.engine.errors import NameTaken
from downloads.engine.types import FetchedFile, Stage
from downloads.errands import closing_connections
from downloads.libraryfolder import require_library
from downloads.models import Download
from downloads.signals import download_completed
from downloads.states import State

_RENEW_SECONDS: Final = 3.0
_SPECIALS_FOLDER: Final = "Season 00"
_SAME_LENGTH: Final = 0.05  # sites cut an opening or an end card

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
    _move_and_complete(claim, fetched.path, relative, seconds=fetched.duration_seconds)


def finish_interrupted(claim: Claim, download: Download) -> bool:
    """Whether an earlier worker was killed between its intent and `completed`; then end it.

    Raises EngineError, Interrupted and LeaseLost.
    """
    if not download.final_path:
        return False
    relative = PurePosixPath(download.final_path)
    final, staged = require_library() / relative, Path(download.staged_path)
    if final.is_file() and not staged.exists():
        if _is_intended(claim, download, final):
            advance(claim, State.RESOLVING, State.IMPORTING)
            _complete(claim)
            return True
    elif staged.is_file() and _is_intended(claim, download, staged):
        advance(claim, State.RESOLVING, State.IMPORTING)
        _move_and_complete(claim, staged, relative, seconds=download.duration_seconds)
        return True
    Download.objects.filter(pk=claim.download_id, fence=claim.fence).update(
        final_path="", final_size_bytes=None, final_sha256="", staged_path=""
    )
    return False


def _is_intended(claim: Claim, download: Download, path: Path) -> bool:
    if path.stat().st_size != download.final_size_bytes:
        return False
    return _keeping(claim, lambda: library.sha256_of(path)) == download.final_sha256


def _move_and_complete(
    claim: Claim, staged: Path, relative: PurePosixPath, *, seconds: float | None
) -> None:
    root, umask = require_library(), settings.UMASK
    try:
        confirm = partial(_require, claim)
        place = staged, root, relative
        _keeping(claim, lambda: library.publish(*place, umask=umask, confirm=confirm))
    except NameTaken:
        twin = _from_another_site(claim, root / relative, relative, seconds=seconds)
        if twin is None:
            raise
        _complete(claim, **_as_in_library(twin))
    else:
        _complete(claim)


def _from_another_site(
    claim: Claim, path: Path, relative: PurePosixPath, *, seconds: float | None
) -> Download | None:
    """The download that brought the same episode, followed at another site too, before."""
    # Each site numbers its specials in its own way, so their names tell nothing.
    if relative.parent.name == _SPECIALS_FOLDER or not seconds:
        return None
    own = Download.objects.only("provider_id", "lang").get(pk=claim.download_id)
    twins = Download.objects.filter(
        state=State.COMPLETED,
        final_path=str(relative),
        lang=own.lang,
        duration_seconds__range=(seconds * (1 - _SAME_LENGTH), seconds * (1 + _SAME_LENGTH)),
    )
    twin = twins.exclude(provider_id=own.provider_id).first()
    if twin is None or not path.is_file() or path.stat().st_size != twin.final_size_bytes:
        return None
    return twin


def _as_in_library(twin: Download) -> dict[str, Any]:
    return {
        "final_size_bytes": twin.final_size_bytes,
        "final_sha256": twin.final_sha256,
        "height": twin.height,
        "duration_seconds": twin.duration_seconds,
        "bytes_done": twin.final_size_bytes,
        "bytes_total": twin.final_size_bytes,
        "reason_code": "already_in_library",
        "reason_text": f"Already in the library from {twin.provider_id}; that file is kept.",
    }


def _complete(claim: Claim, **facts: Any) -> None:
    facts |= {"staged_path": "", "owner": "", "lease_expires_at": None}
    advance(claim, State.IMPORTING, State.COMPLETED, **facts)
    shutil.rmtree(upkeep.work_folder(claim.download_id), ignore_errors=True)
    download_completed.send(sender=Download, download_id=claim.download_id)


def _require(claim: Claim) -> None:
    """Raises LeaseLost, for work that may have been asleep for longer than its lease."""
    if not renew_lease(claim):
        raise LeaseLost


def _keeping(claim: Claim, work: Callable[[], T]) -> T:
    """Do work on the disk, and keep the claim: a copy to another disk outlasts a lease."""
    errand = Errand(closing_connections(work))
    while not errand.wait(_RENEW_SECONDS):
        renew_lease(claim)
    return errand.result()
