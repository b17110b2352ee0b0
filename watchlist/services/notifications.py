"""Tell users in the page what happened: one notice for each cause, closed by itself when solved.

News of one series is gathered in one notice until it has been read, so that a season put online in
one go is one line and not twenty-four.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from downloads.models import Download
from downloads.states import State
from downloads.upkeep import is_disk_low
from providers import gateway
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
from watchlist.selectors import machine

# A provider that misses a minute is no news; one that is left alone for longer is.
LONG_BACK_OFF: Final = timedelta(minutes=5)
# Enough to name the ones that matter; a longer history is in the series' own page.
KEPT_FOR: Final = timedelta(days=90)
# Begins the cause of a notice that tells of a part of the program.
PART: Final = "part:"
_WELL: Final = frozenset({"ok", "unknown", "off"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs a person or time; `cause` is the same for as long as it lasts."""

    cause: str
    facts: dict[str, str]
    user_ids: frozenset[int] = field(default_factory=frozenset)


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
        _close(Notification.objects.filter(cause=f"failed:{download.pk}"))


def download_failed(*, download: Download) -> None:
    """A download was given up; everybody who still wants the episode is told why."""
    rows = [
        Notification(
            user_id=grab.item.user_id,
            kind=NotificationKind.FAILED,
            cause=f"failed:{download.pk}",
            item=grab.item,
            episode=grab.episode,
            facts=_facts(grab.item, [grab.episode.number])
            | {"error": download.reason_text[:500], "code": download.reason_code},
        )
        for grab in _open_grabs(download)
    ]
    Notification.objects.bulk_create(rows, ignore_conflicts=True)


def reconcile_stuck() -> None:
    """Open a notice for each lasting trouble, close those that are over; cheap, run by a tick."""
    with transaction.atomic():
        troubles = [*_provider_troubles(), *_machine_troubles(), *_standing_parts()]
        lasting = {(who, trouble.cause) for trouble in troubles for who in trouble.user_ids}
        over = [
            row.pk
            for row in Notification.objects.filter(kind=NotificationKind.STUCK, closed_at=None)
            if (row.user_id, row.cause) not in lasting
        ]
        _close(Notification.objects.filter(pk__in=over))
        for trouble in troubles:
            _open(trouble)
        _close_solved_failures()


def part_stopped(*, part: str) -> None:
    """Tell administrators that a part of the program stands still; once for as long as it does.

    Args:
        part: "broker", "workers" (all of them), "checks", "downloads" or "beat".
    """
    cause = f"{PART}{part}"
    if not Notification.objects.filter(cause=cause, closed_at=None).exists():
        staff = User.objects.filter(is_staff=True, is_active=True)
        _open(Trouble(cause, {}, frozenset(staff.values_list("pk", flat=True))))


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


def _open_grabs(download: Download) -> list[Grab]:
    rows = Grab.objects.filter(download=download, completed_at=None, cancelled_at=None)
    return list(rows.select_related("item", "episode"))


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
        _close(known.exclude(read_at=None))
        unread = {row.user_id: row for row in known.filter(read_at=None)}
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


def _provider_troubles() -> list[Trouble]:
    """Providers that have been failing for a while; told to those who follow something there."""
    already = set(
        Notification.objects.filter(
            kind=NotificationKind.STUCK, closed_at=None, cause__startswith="provider:"
        ).values_list("cause", flat=True)
    )
    troubles = []
    for provider in gateway.describe():
        cause = f"provider:{provider.id}"
        # Once told, it lasts until the provider is well again; else it would come and go.
        if provider.health in _WELL or not (cause in already or _is_worth_telling(provider)):
            continue
        facts = {
            "provider": provider.name,
            "error": provider.last_error,
            "code": provider.last_error_code,
        }
        troubles.append(Trouble(cause, facts, _followers_of(provider.id)))
    return troubles


def _is_worth_telling(provider: gateway.ProviderDescription) -> bool:
    if provider.health == "blocked":
        return True
    retry_at = provider.retry_at
    return retry_at is not None and retry_at - timezone.now() > LONG_BACK_OFF


def _followers_of(provider_id: str) -> frozenset[int]:
    items = WatchlistItem.objects.filter(
        series__provider_id=provider_id, status=ItemStatus.ACTIVE, user__is_active=True
    )
    return frozenset(items.values_list("user_id", flat=True).distinct())


def _machine_troubles() -> list[Trouble]:
    """A full disk or a folder that cannot be written; told to administrators and whoever waits."""
    troubles = []
    waiting = Download.objects.filter(state=State.BLOCKED)
    if is_disk_low():
        troubles.append(Trouble("disk", {}, _told_about(waiting.filter(reason_code="disk_low"))))
    unwritable = waiting.filter(reason_code="folder_unwritable")
    first = unwritable.values_list("reason_text", flat=True).first()
    if first is not None:
        troubles.append(
            Trouble(
                "folder", {"error": first, "code": "folder_unwritable"}, _told_about(unwritable)
            )
        )
    return troubles


def _standing_parts() -> list[Trouble]:
    """Parts that were told of and still stand still.

    They are told of by the pages: while the scheduler or every worker is gone, nothing else runs.
    """
    rows = Notification.objects.filter(closed_at=None, cause__startswith=PART)
    told: dict[str, set[int]] = {}
    for cause, user_id in rows.values_list("cause", "user_id"):
        told.setdefault(cause, set()).add(user_id)
    if not told:
        return []
    still = {part.id for part in machine.troubles()}
    if set(machine.WORKERS) <= still:
        still.add("workers")
    return [
        Trouble(cause, {}, frozenset(user_ids))
        for cause, user_ids in told.items()
        if cause.removeprefix(PART) in still
    ]


def _told_about(downloads: Any) -> frozenset[int]:
    wanting = Q(watchlist__grabs__download__in=downloads)
    users = User.objects.filter(Q(is_staff=True) | wanting, is_active=True)
    return frozenset(users.values_list("pk", flat=True).distinct())


def _open(trouble: Trouble) -> None:
    told = set(
        Notification.objects.filter(cause=trouble.cause, closed_at=None).values_list(
            "user_id", flat=True
        )
    )
    Notification.objects.bulk_create(
        [
            Notification(
                user_id=user_id,
                kind=NotificationKind.STUCK,
                cause=trouble.cause,
                facts=trouble.facts,
            )
            for user_id in trouble.user_ids - told
        ],
        ignore_conflicts=True,
    )


def _close_solved_failures() -> None:
    """A failed download that was retried, cancelled or is wanted no more is no failure now."""
    rows = Notification.objects.filter(kind=NotificationKind.FAILED, closed_at=None)
    causes = dict(rows.values_list("pk", "cause"))
    if not causes:
        return
    failed = Download.objects.filter(
        state=State.FAILED, pk__in=[cause.partition(":")[2] for cause in causes.values()]
    )
    still = {f"failed:{pk}" for pk in failed.values_list("pk", flat=True)}
    _close(rows.filter(pk__in=[pk for pk, cause in causes.items() if cause not in still]))


def _close(rows: Any) -> None:
    rows.filter(closed_at=None).update(closed_at=timezone.now())
