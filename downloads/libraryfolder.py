"""The library's folder, which may vanish while the program runs, with the disk that it is on.

Made anew in its place it would lie on the disk below and fill that one. So the folder is made once,
when the settings are read at the start. From then on it has to be there, and what was mounted at
the start has to be mounted.
"""

from __future__ import annotations

import os
from pathlib import Path

from django.conf import settings

from downloads.engine.errors import FolderUnwritable

_mount_point: Path | None = None


def note_disk() -> None:
    """Remember where the library's disk is mounted; called once, at the start."""
    global _mount_point  # noqa: PLW0603 -- a fact of the process, like its settings
    path = Path(settings.DOWNLOAD_DIR).resolve()
    _mount_point = next(one for one in (path, *path.parents) if os.path.ismount(one))


def require_library() -> Path:
    """The library's folder. Raises FolderUnwritable, which says what to do, when it has gone."""
    if _mount_point is not None and not os.path.ismount(_mount_point):
        raise FolderUnwritable(
            "The library's disk is not mounted any more. Mount it again; "
            "then downloads go on by themselves."
        )
    path = Path(settings.DOWNLOAD_DIR)
    if not path.is_dir():
        raise FolderUnwritable(
            "The library folder (DOWNLOAD_DIR) is no longer there. Connect its disk again, or "
            "make the folder; then downloads go on by themselves."
        )
    return path


def incomplete_dir() -> Path:
    """Where work in progress lies."""
    return Path(settings.DOWNLOAD_DIR) / ".incomplete"
