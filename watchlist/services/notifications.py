"""Tell users in the page what happened: one notice for each cause.

News of one series is gathered in one notice until it has been read, so that a season put online in
one go is one line and not twenty-four.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from downloads.models import Download
from downloads.states import State
from watchlist.decisions import plain_number
from watchlist.models import (
    Episode,
    Grab,
    ItemStatus,
    Notification,
    NotificationKind,
    Series,
    WatchlistItem,
)

# Enough to name the ones that matter; a longer history is in the series' own page.
KEPT_FOR: Final = timedelta(days=90)
# A failure that nobody heard of for longer than this is no news.
TOLD_WITHIN: Final = timedelta(days=7)


def new_episodes(
    *, series: Series, episodes: Sequence[Episode], items: Iterable[WatchlistItem]
) -> None:
    """A check found episodes; everybody who watches the series is told.

    The caller knows whether the settings switch this on.
    """
    numbers = [episode.number for episode in episodes]
    watching = [item for item in items if item.status == ItemStatus.ACTIVE]
    only = episodes[0] if len(episodes) == 1 else None
    _gather(NotificationKind.NEW_EPISODE, f"new:{series.pk}", watching, numbers, only)


def download_finished(*, download: Download) -> None:
    """A download is in the library; call it while the grabs that it fulfils are still open."""
    with transaction.atomic():
        for grab in _open_grabs(download):
            number = [grab.episode.number]
            cause = f"finished:{grab.item_id}"
            _gather(NotificationKind.FINISHED, cause, [grab.item], number, grab.episode)
        close(Notification.objects.filter(cause=f"failed:{download.pk}"))


def download_failed(*, download: Download) -> None:
    """A download was given up; everybody who still wants the episode is told why."""
    _tell_of_failures(_open_grabs(download))


def tell_missed_failures(*, limit: int = 500) -> int:
    """Tell of failed downloads whose signal was lost. Returns how many wishes had one."""
    told = Notification.objects.filter(
        Q(closed_at=None) | Q(created_at__gte=OuterRef("download__finished_at")),
        kind=NotificationKind.FAILED,
        item=OuterRef("item"),
        episode=OuterRef("episode"),
    )
    waited = _failed_grabs().filter(
        ~Exists(told),
        download__finished_at__gte=timezone.now() - TOLD_WITHIN,
        # Who joins a failed download sees in the list that it failed.
        created_at__lte=F("download__finished_at"),
    )
    grabs = list(waited.select_related("item", "episode", "download").order_by("item_id")[:limit])
    _tell_of_failures(grabs)
    return len(grabs)


def close_solved_failures() -> None:
    """A failed download that was retried, cancelled or is wanted no more is no failure now.

    Others may still wait for it; for who gave the episode up it is over.
    """
    lasting = _failed_grabs().filter(item=OuterRef("item"), episode=OuterRef("episode"))
    rows = Notification.objects.filter(~Exists(lasting), kind=NotificationKind.FAILED)
    over = list(rows.filter(closed_at=None).values_list("pk", flat=True))
    if over:
        close(Notification.objects.filter(pk__in=over))


def close(rows: QuerySet[Notification]) -> None:
    """These are solved, or told anew by another notice."""
    rows.filter(closed_at=None).update(closed_at=timezone.now())


def forget_old() -> None:
    """Delete notices past their age."""
    Notification.objects.filter(created_at__lt=timezone.now() - KEPT_FOR).delete()


def mark_read(*, user: User, ids: Iterable[str] | None = None) -> int:
    """Mark the given notices of this user as read, all when None. Returns how many were unread."""
    rows = Notification.objects.filter(user=user, read_at=None)
    if ids is not None:
        rows = rows.filter(pk__in=list(ids))
    return rows.update(read_at=timezone.now())


def mark_unread(*, user: User, ids: Iterable[str]) -> int:
    """Take the mark back. Returns how many were read."""
    rows = Notification.objects.filter(user=user, pk__in=list(ids)).exclude(read_at=None)
    return rows.update(read_at=None)


def _failed_grabs() -> QuerySet[Grab]:
    """The wishes that a failed download has left open."""
    return Grab.objects.filter(completed_at=None, cancelled_at=None, download__state=State.FAILED)


def _open_grabs(download: Download) -> list[Grab]:
    rows = Grab.objects.filter(download=download, completed_at=None, cancelled_at=None)
    return list(rows.select_related("item", "episode", "download").order_by("item_id"))


def _tell_of_failures(grabs: Iterable[Grab]) -> None:
    rows = [
        Notification(
            user_id=grab.item.user_id,
            kind=NotificationKind.FAILED,
            cause=f"failed:{grab.download_id}",
            item=grab.item,
            episode=grab.episode,
            facts=_facts(grab.item, [grab.episode.number])
            | {"error": grab.download.reason_text[:500], "code": grab.download.reason_code},
        )
        for grab in grabs
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def _gather(
    kind: NotificationKind,
    cause: str,
    items: Sequence[WatchlistItem],
    numbers: Sequence[Decimal],
    episode: Episode | None,
) -> None:
    """Add to the unread notice of this cause, or start one; a read one stays as it was."""
    if not items:
        return
    with transaction.atomic():
        users = [item.user_id for item in items]
        known = Notification.objects.filter(cause=cause, user__in=users, closed_at=None)
        # Locked, so that nothing is added to a notice that is being read at this moment.
        rows = list(known.select_for_update().order_by("pk"))
        close(known.exclude(read_at=None))
        unread = {row.user_id: row for row in rows if row.read_at is None}
        for item in items:
            row = unread.get(item.user_id)
            if row is not None:
                row.facts = _joined(row.facts, numbers)
                row.episode = None
                row.created_at = timezone.now()
        Notification.objects.bulk_update(unread.values(), ["facts", "episode", "created_at"])
        fresh = [
            Notification(
                user_id=item.user_id,
                kind=kind,
                cause=cause,
                item=item,
                episode=episode,
                facts=_facts(item, numbers),
            )
            for item in items
            if item.user_id not in unread
        ]
        Notification.objects.bulk_create(fresh, ignore_conflicts=True)


def _facts(item: WatchlistItem, numbers: Sequence[Decimal]) -> dict[str, Any]:
    return {
        "title": item.anime_title,
        "count": len(numbers),
        "first": plain_number(min(numbers)),
        "last": plain_number(max(numbers)),
    }


def _joined(facts: dict[str, Any], numbers: Sequence[Decimal]) -> dict[str, Any]:
    first = min(Decimal(facts.get("first", numbers[0])), *numbers)
    last = max(Decimal(facts.get("last", numbers[0])), *numbers)
    return facts | {
        "count": int(facts.get("count", 0)) + len(numbers),
        "first": plain_number(first),
        "last": plain_number(last),
    }
