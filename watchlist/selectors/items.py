"""What a user follows, as the API and the pages show it: one query for a page of it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import User
from django.db.models import Case, Expression, F, Q, QuerySet, Value, When
from django.db.models.functions import Lower

from watchlist.models import ItemStatus, Preferences, WatchlistItem
from watchlist.selectors.rows import Rows

MAX_SEARCH_WORDS: Final = 8
# What a list may be sorted by; a leading "-" turns it round.
ORDERINGS: Final = (
    "anime_title",
    "created_at",
    "updated_at",
    "next_check_at",
    "last_checked_at",
    "latest_episode",
    "status",
)


class ItemRow(NamedTuple):
    """One item with what is known of its series; the first fields are columns, in this order."""

    id: uuid.UUID
    anime_title: str
    anime_url: str
    lang: str
    auto_download: bool
    quality_preference: str
    status: str
    own_poster: str
    own_synopsis: str
    own_genres: list[str] | None
    last_episode_downloaded: Decimal | None
    created_at: datetime
    updated_at: datetime
    series_id: uuid.UUID
    provider_id: str
    series_poster: str
    series_synopsis: str
    series_genres: list[str]
    airing_status: str
    latest_episode: Decimal | None
    latest_episode_at: datetime | None
    episodes_known: int
    last_checked_at: datetime | None
    series_next_check_at: datetime | None
    last_error_code: str
    last_error_text: str
    is_checked: bool  # whether the schedule checks an item of this status

    @property
    def poster_image(self) -> str:
        """The user's own choice, else the provider's."""
        return self.own_poster or self.series_poster

    @property
    def synopsis(self) -> str:
        """The user's own text, else the provider's."""
        return self.own_synopsis or self.series_synopsis

    @property
    def genres(self) -> list[str]:
        """The user's own list, else the provider's."""
        return self.series_genres if self.own_genres is None else self.own_genres

    @property
    def next_check_at(self) -> datetime | None:
        """When the schedule checks it next; None while it does not."""
        return self.series_next_check_at if self.is_checked else None

    @property
    def last_error(self) -> str | None:
        """Why the last check failed, in a sentence; None when it did not."""
        if not self.last_error_code:
            return None
        return self.last_error_text or self.last_error_code


_COLUMNS: Final = (
    "id",
    "anime_title",
    "anime_url",
    "lang",
    "auto_download",
    "quality_preference",
    "status",
    "poster_image",
    "synopsis",
    "genres",
    "last_episode_downloaded",
    "created_at",
    "updated_at",
    "series_id",
    "series__provider_id",
    "series__poster_url",
    "series__synopsis",
    "series__genres",
    "series__airing_status",
    "series__latest_episode",
    "series__latest_episode_at",
    "series__episodes_known",
    "series__last_checked_at",
    "series__next_check_at",
    "series__last_error_code",
    "series__last_error_text",
)
# Naming the columns costs more than the rest of the query's making, so it is done once.
_READ: Final[QuerySet[WatchlistItem, Any]] = WatchlistItem.objects.values_list(*_COLUMNS)


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Which items, in which order; empty fields do not filter."""

    statuses: tuple[str, ...] = ()
    provider_id: str = ""
    search: str = ""
    ordering: str = "anime_title"  # one of ORDERINGS, with an optional leading "-"


def items_of(user: User, query: ItemQuery | None = None) -> Rows[ItemRow]:
    """The items of a user, sorted and filtered; each row costs nothing more."""
    wanted = query or ItemQuery()
    checked = checked_statuses()
    rows = _filtered(_READ.filter(user_id=user.pk), wanted)
    ordered = rows.order_by(_order(wanted.ordering, checked), "id")
    counted = _filtered(WatchlistItem.objects.filter(user_id=user.pk), wanted)
    return Rows(ordered, lambda window: _fetch(window, checked), counted=counted)


def find_item(user: User, item_id: uuid.UUID) -> ItemRow | None:
    """One item of this user; None for anybody else's, and for one that does not exist."""
    rows = _READ.filter(user_id=user.pk, pk=item_id)
    return next(iter(_fetch(rows, checked_statuses())), None)


def item_of(user: User, item_id: uuid.UUID) -> WatchlistItem | None:
    """The same as a row to change, with its series."""
    rows = WatchlistItem.objects.select_related("series")
    return rows.filter(user_id=user.pk, pk=item_id).first()


def checked_statuses() -> frozenset[str]:
    """Items of which status the schedule checks."""
    if Preferences.objects.filter(include_completed_anime=True).exists():
        return frozenset({ItemStatus.ACTIVE.value, ItemStatus.COMPLETED.value})
    return frozenset({ItemStatus.ACTIVE.value})


def due_series_of(user: User, *, now: datetime | None) -> list[uuid.UUID]:
    """The series of this user's checked items: those due at `now`, or all when it is None."""
    rows = WatchlistItem.objects.filter(user_id=user.pk, status__in=checked_statuses())
    if now is not None:
        rows = rows.filter(series__next_check_at__lte=now)
    return list(rows.order_by("anime_title", "id").values_list("series_id", flat=True))


def followed_refs(user: User) -> dict[tuple[str, str, str], uuid.UUID]:
    """The user's items by provider, reference and language of their series."""
    rows = WatchlistItem.objects.filter(user_id=user.pk).values_list(
        "series__provider_id", "series__ref", "series__lang", "id"
    )
    return {(provider_id, ref, lang): item_id for provider_id, ref, lang, item_id in rows}


def _fetch(rows: QuerySet[Any, Any], checked: frozenset[str]) -> list[ItemRow]:
    # The seventh column is the status.
    return [ItemRow._make((*row, row[6] in checked)) for row in rows]


def _filtered(rows: QuerySet[WatchlistItem, Any], query: ItemQuery) -> QuerySet[WatchlistItem, Any]:
    if query.statuses:
        rows = rows.filter(status__in=query.statuses)
    if query.provider_id:
        rows = rows.filter(series__provider_id=query.provider_id)
    for word in query.search.split()[:MAX_SEARCH_WORDS]:
        rows = rows.filter(Q(anime_title__icontains=word) | Q(series__title__icontains=word))
    return rows


def _order(ordering: str, checked: frozenset[str]) -> Any:
    name = ordering.removeprefix("-")
    if name == "anime_title":
        return Lower(name).desc() if ordering.startswith("-") else Lower(name)
    expressions: dict[str, Expression | F] = {
        "next_check_at": Case(
            When(status__in=checked, then=F("series__next_check_at")), default=Value(None)
        ),
        "last_checked_at": F("series__last_checked_at"),
        "latest_episode": F("series__latest_episode"),
    }
    expression = expressions.get(name, F(name))
    if ordering.startswith("-"):
        return expression.desc(nulls_last=True)
    return expression.asc(nulls_last=True)
