"""The only writer of Download.state: compare-and-set, with its event in the same transaction."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from downloads.models import Download, DownloadEvent
from downloads.states import FINISHED, State, is_legal


class IllegalMove(Exception):
    """The table of moves does not have this one: a mistake in our code."""


def move(
    download_id: uuid.UUID,
    from_: State,
    to: State,
    *,
    held_fence: int | None = None,
    reason_code: str = "",
    reason_text: str = "",
    **facts: Any,
) -> bool:
    """Move a download, if it still is where the caller believes.

    Args:
        download_id: Which download.
        from_: The state that the caller saw.
        to: The state to move to.
        held_fence: When given, the claim that the caller holds; an older claim changes nothing.
        reason_code: Why, in a word that code can compare.
        reason_text: Why, in a sentence that a person can read.
        facts: Other columns to set in the same statement.

    Returns:
        False when somebody else moved it first; then nothing was written.

    Raises:
        IllegalMove: `from_` -> `to` is not in the table.
    """
    if not is_legal(from_, to):
        raise IllegalMove(f"{from_} -> {to}")
    now = timezone.now()
    with transaction.atomic():
        rows = Download.objects.filter(pk=download_id, state=from_)
        if held_fence is not None:
            rows = rows.filter(fence=held_fence)
        columns = _columns_for(to, now) | facts
        columns |= {"reason_code": reason_code, "reason_text": reason_text, "updated_at": now}
        if rows.update(state=to, **columns) != 1:
            return False
        DownloadEvent.objects.create(
            download_id=download_id,
            at=now,
            from_state=from_,
            to_state=to,
            reason_code=reason_code,
            reason_text=reason_text,
        )
    return True


def _columns_for(to: State, now: datetime) -> dict[str, Any]:
    """What always goes with a state, so that no half-done look is ever shown."""
    columns: dict[str, Any] = {"speed_bps": 0, "eta_seconds": None}
    if to in FINISHED:
        columns |= {"finished_at": now, "stage": "", "not_before": None}
    elif to is State.QUEUED:
        columns |= {"finished_at": None, "stage": ""}
    elif to in {State.PAUSED, State.BLOCKED}:
        columns |= {"stage": ""}
    return columns
