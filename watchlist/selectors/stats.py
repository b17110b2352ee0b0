"""A user's own figures."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db.models import Count, Q, Sum

from downloads.states import ACTIVE, WAITING, State
from watchlist.models import Grab, ItemStatus, WatchlistItem


@dataclass(frozen=True, slots=True)
class Stats:
    """How much is followed and what came of it; providers that are not followed are left out."""

    total: int
    active: int
    paused: int
    completed: int
    archived: int
    auto_download_enabled: int  # items with automatic download on
    providers: dict[str, int]
    failing: int  # items whose last check failed
    episodes_known: int
    episodes_downloaded: int
    downloads_running: int
    downloads_waiting: int
    downloads_failed: int
    bytes_downloaded: int


def stats_of(user: User) -> Stats:
    """Count what this user follows and has."""
    items = WatchlistItem.objects.filter(user_id=user.pk)
    by_status = {status.value: Count("pk", filter=Q(status=status)) for status in ItemStatus}
    figures = items.aggregate(
        total=Count("pk"),
        auto=Count("pk", filter=Q(auto_download=True)),
        failing=Count("pk", filter=~Q(series__last_error_code="")),
        known=Sum("series__episodes_known", default=0),
        **by_status,
    )
    grabs = _grab_figures(user)
    providers = items.values_list("series__provider_id").annotate(Count("pk"))
    return Stats(
        total=figures["total"],
        active=figures["active"],
        paused=figures["paused"],
        completed=figures["completed"],
        archived=figures["archived"],
        auto_download_enabled=figures["auto"],
        providers=dict(providers.order_by("series__provider_id")),
        failing=figures["failing"],
        episodes_known=figures["known"],
        episodes_downloaded=grabs["done"],
        downloads_running=grabs["running"],
        downloads_waiting=grabs["waiting"],
        downloads_failed=grabs["failed"],
        bytes_downloaded=grabs["size"],
    )


def _grab_figures(user: User) -> dict[str, int]:
    wanted = Q(cancelled_at=None)
    return Grab.objects.filter(item__user_id=user.pk).aggregate(
        done=Count("pk", filter=Q(completed_at__isnull=False)),
        running=Count("pk", filter=wanted & Q(download__state__in=_names(ACTIVE))),
        waiting=Count("pk", filter=wanted & Q(download__state__in=_names(WAITING))),
        failed=Count("pk", filter=wanted & Q(download__state=State.FAILED)),
        size=Sum(
            "download__final_size_bytes",
            filter=Q(download__state=State.COMPLETED),
            default=0,
        ),
    )


def _names(states: frozenset[State]) -> list[str]:
    return [state.value for state in states]
