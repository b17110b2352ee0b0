"""Taking an action back: what it changed is remembered for a while in the user's session."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from watchlist.models import WatchlistItem
from watchlist.pages import toasts
from watchlist.pages.changes import cards_changed, list_changed
from watchlist.services import items, restoring

_KEPT: Final = 5
_KEY: Final = "undo"


def remember(
    request: HttpRequest,
    *,
    change: Mapping[uuid.UUID, Mapping[str, Any]] | None = None,
    restore: Iterable[dict[str, Any]] = (),
    unfollow: Iterable[uuid.UUID] = (),
) -> str:
    """Keep what takes the action back; returns the address to post to.

    Args:
        request: whose session keeps it.
        change: by item, the columns as they were.
        restore: memories of removed items.
        unfollow: items that were added.
    """
    key = secrets.token_hex(6)
    changes = {str(pk): _plain(columns) for pk, columns in (change or {}).items()}
    record = {
        "key": key,
        "change": changes,
        "restore": list(restore),
        "unfollow": [str(pk) for pk in unfollow],
    }
    request.session[_KEY] = [*request.session.get(_KEY, []), record][-_KEPT:]
    return reverse("undo", args=[key])


@login_required
@require_POST
def undo(request: HttpRequest, key: str) -> HttpResponse:
    """Take one remembered action back, once."""
    records = request.session.get(_KEY, [])
    record = next((one for one in records if one["key"] == key), None)
    if record is None:
        text = _("This can no longer be undone.")
        return toasts.answer(request, text, level=toasts.ERROR)
    request.session[_KEY] = [one for one in records if one["key"] != key]
    assert isinstance(request.user, User)  # noqa: S101 - login_required
    _take_back(request.user, record)
    response = toasts.answer(
        request, _("Undone."), to=reverse("watchlist") if record["unfollow"] else ""
    )
    if not toasts.is_fragment(request):
        return response
    if record["restore"] or record["unfollow"]:
        return list_changed(response)
    return cards_changed(response, [uuid.UUID(pk) for pk in record["change"]])


def _take_back(user: User, record: Mapping[str, Any]) -> None:
    mine = WatchlistItem.objects.filter(user=user)
    still_there = mine.filter(pk__in=list(record["change"])).values_list("pk", flat=True)
    items.change_each(changes={pk: _typed(record["change"][str(pk)]) for pk in still_there})
    for memory in record["restore"]:
        restoring.restore(user=user, memory=memory)
    items.unfollow_each(items=list(mine.filter(pk__in=record["unfollow"])))


def _plain(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value) if isinstance(value, Decimal) else value for name, value in columns.items()
    }


def _typed(columns: Mapping[str, Any]) -> dict[str, Any]:
    last = columns.get("last_episode_downloaded")
    return dict(columns) | ({"last_episode_downloaded": Decimal(last)} if last else {})
