"""Checks as one follower of the series sees them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet

from watchlist.models import Check, CheckStatus, CheckTrigger, Episode, Grab, WatchlistItem
from watchlist.selectors.rows import Rows


@dataclass(frozen=True, slots=True)
class FoundEpisode:
    """An episode that a check has found."""

    number: Decimal
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One check and what it brought this user."""

    id: uuid.UUID
    item_id: uuid.UUID
    status: str
    trigger: str
    is_unchanged: bool
    new_episodes: list[FoundEpisode]
    download_ids: list[uuid.UUID]
    error_code: str  # "" unless it failed
    error_text: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def find_check(user: User, check_id: uuid.UUID) -> CheckRow | None:
    """One check of a series that this user follows, else None."""
    item = WatchlistItem.objects.filter(user_id=user.pk, series__checks=check_id).first()
    if item is None:
        return None
    return next(iter(_rows(Check.objects.filter(pk=check_id), [item])), None)


def checks_of(item: WatchlistItem) -> Rows[CheckRow]:
    """The checks of an item's series since it is followed, newest first."""
    # What ended before was asked for by others, or by the schedule for them.
    since = Q(finished_at=None) | Q(finished_at__gte=item.created_at)
    rows = Check.objects.filter(since, series_id=item.series_id).order_by("-created_at", "id")
    return Rows(rows, lambda window: _rows(window, [item]))


def check_rows(user: User, checks: list[Check]) -> list[CheckRow]:
    """The given checks in their order, without those of series that this user does not follow."""
    items = WatchlistItem.objects.filter(
        user_id=user.pk, series_id__in={check.series_id for check in checks}
    )
    return _rows(checks, list(items))


def _rows(checks: QuerySet[Check] | list[Check], items: list[WatchlistItem]) -> list[CheckRow]:
    item_by_series = {item.series_id: item for item in items}
    followed = [check for check in checks if check.series_id in item_by_series]
    episodes: dict[Any, list[Episode]] = {}
    for episode in _new_episodes(followed):
        episodes.setdefault(episode.found_by_id, []).append(episode)
    downloads: dict[Any, list[uuid.UUID]] = {}
    for check_id, download_id in _downloads(items, episodes):
        downloads.setdefault(check_id, []).append(download_id)
    return [_row(check, item_by_series[check.series_id], episodes, downloads) for check in followed]


def _new_episodes(checks: list[Check]) -> list[Episode]:
    fruitful = [check.pk for check in checks if check.new_count]
    if not fruitful:
        return []
    return list(Episode.objects.filter(found_by__in=fruitful))


def _downloads(
    items: list[WatchlistItem], episodes: dict[Any, list[Episode]]
) -> list[tuple[Any, uuid.UUID]]:
    if not episodes:
        return []
    grabs = Grab.objects.filter(item__in=items, episode__found_by__in=list(episodes))
    ordered = grabs.order_by("episode__is_special", "episode__number", "episode__position")
    return list(ordered.values_list("episode__found_by_id", "download_id"))


def _row(
    check: Check,
    item: WatchlistItem,
    episodes: dict[Any, list[Episode]],
    downloads: dict[Any, list[uuid.UUID]],
) -> CheckRow:
    has_failed = check.status == CheckStatus.FAILED
    is_own = check.asked_by_id == item.user_id
    return CheckRow(
        id=check.pk,
        item_id=item.pk,
        status=check.status,
        # Nobody sees what others do: for them it is one like any other.
        trigger=check.trigger if is_own else CheckTrigger.SCHEDULED.value,
        is_unchanged=check.is_unchanged,
        new_episodes=[
            FoundEpisode(episode.number, episode.title, episode.url)
            for episode in episodes.get(check.pk, [])
        ],
        download_ids=downloads.get(check.pk, []),
        error_code=(check.error_code or "failed") if has_failed else "",
        error_text=check.error_text if has_failed else "",
        created_at=check.created_at,
        started_at=check.started_at,
        finished_at=check.finished_at,
    )
