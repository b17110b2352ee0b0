"""The engine's entry point: one request in, one whole and verified file out."""

from __future__ import annotations

from downloads.engine.storage import WorkFolder, storage_error
from downloads.engine.types import Control, FetchedFile, FetchRequest


def fetch(request: FetchRequest, control: Control) -> FetchedFile:
    """Fetch, join and verify one stream; goes on where an earlier call with its folder stopped.

    Calls `control` from this thread. Raises only the EngineError family; after Interrupted and
    after errors of network or disk everything fetched stays in the folder for the next call.
    """
    from downloads.engine.run import run  # noqa: PLC0415 - an idle worker must not carry libcurl

    try:
        with WorkFolder(request.work_dir) as folder:
            return run(request, control, folder)
    except OSError as error:
        raise storage_error(error) from error
