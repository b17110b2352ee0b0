"""Whoever looks at a page: how they want it, and the few figures that stand on every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from downloads.states import ACTIVE
from watchlist.models import (
    Grab,
    ItemStatus,
    ListView,
    Notification,
    Preferences,
    Theme,
    WatchlistItem,
)


@dataclass(frozen=True, slots=True)
class Reader:
    """One user's wishes about the pages; empty texts mean that nothing was chosen."""

    user_id: int
    language: str = ""
    time_zone: str = ""
    theme: str = Theme.SYSTEM.value
    list_view: str = ListView.GRID.value
    shortcuts_enabled: bool = True
    unread: int = 0
    downloads_running: int = 0
    next_check_at: datetime | None = None  # of all that this user follows, the soonest
    auto_download_enabled: bool = True


def reader_of(user_id: int) -> Reader:
    """One query, whatever the user has or has not chosen."""
    row = _READ.filter(pk=user_id).first()
    if row is None:
        return Reader(user_id)
    language, zone, theme, view, shortcuts, unread, running, soonest, auto = row
    return Reader(
        user_id=user_id,
        language=language or "",
        time_zone=zone or "",
        theme=theme or Theme.SYSTEM.value,
        list_view=view or ListView.GRID.value,
        shortcuts_enabled=shortcuts is not False,
        unread=unread,
        downloads_running=running,
        next_check_at=soonest,
        auto_download_enabled=auto is not False,
    )


def _running() -> QuerySet[Grab]:
    return Grab.objects.filter(
        item__user=OuterRef("pk"),
        completed_at=None,
        cancelled_at=None,
        download__state__in=[state.value for state in ACTIVE],
    )


def _soonest() -> QuerySet[Any, Any]:
    return (
        WatchlistItem.objects.filter(
            user=OuterRef("pk"), status=ItemStatus.ACTIVE, series__next_check_at__isnull=False
        )
        .order_by("series__next_check_at")
        .values("series__next_check_at")[:1]
    )


def _number_of(rows: QuerySet[Any], owner: str) -> Coalesce:
    grouped = rows.order_by().values(owner).annotate(number=Count("pk"))
    return Coalesce(Subquery(grouped.values("number")), 0)


# Every page asks this. Making the query costs more than running it, so it is made once.
_READ: Final[QuerySet[User, Any]] = User.objects.order_by().values_list(
    F("profile__language"),
    F("profile__time_zone"),
    F("profile__theme"),
    F("profile__list_view"),
    F("profile__shortcuts_enabled"),
    _number_of(Notification.objects.filter(user=OuterRef("pk"), read_at=None), "user"),
    _number_of(_running(), "item__user"),
    Subquery(_soonest()),
    Subquery(Preferences.objects.values("auto_download_enabled")[:1]),
)
