"""Tell users of what lasts and needs a person or time; such a notice closes when it is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from downloads.models import Download
from downloads.states import State
from downloads.upkeep import is_disk_low
from providers import gateway
from watchlist.models import ItemStatus, Notification, NotificationKind, WatchlistItem
from watchlist.selectors import machine
from watchlist.services import notifications, users

# A provider that misses a minute is no news; one that is left alone for longer is.
LONG_BACK_OFF: Final = timedelta(minutes=5)
# Begins the cause of a notice that tells of a part of the program.
PART: Final = "part:"
_WELL: Final = frozenset({"ok", "unknown", "off"})


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something that needs a person or time; `cause` is the same for as long as it lasts."""

    cause: str
    facts: dict[str, str]
    user_ids: frozenset[int]


def reconcile() -> None:
    """Open a notice for each lasting trouble, close those that are over; cheap, run by a tick.

    The broker and the disk may hang just then, so they are asked before the transaction begins. A
    notice that somebody opens meanwhile is left to the next round.
    """
    known = list(Notification.objects.filter(kind=NotificationKind.STUCK, closed_at=None))
    troubles = [*_provider_troubles(), *_machine_troubles(), *_standing_parts()]
    lasting = {(who, trouble.cause) for trouble in troubles for who in trouble.user_ids}
    over = [row.pk for row in known if (row.user_id, row.cause) not in lasting]
    with transaction.atomic():
        notifications.close(Notification.objects.filter(pk__in=over))
        for trouble in troubles:
            _open(trouble)


def part_stopped(*, part: str) -> None:
    """Tell administrators that a part of the program stands still; once for as long as it does.

    Args:
        part: "broker", "workers" (all of them), "checks", "downloads" or "beat".
    """
    cause = f"{PART}{part}"
    if not Notification.objects.filter(cause=cause, closed_at=None).exists():
        told = users.administrators().values_list("pk", flat=True)
        _open(Trouble(cause, {}, frozenset(told)))


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


def _told_about(downloads: QuerySet[Download]) -> frozenset[int]:
    wanting = Q(watchlist__grabs__download__in=downloads)
    told = User.objects.filter(users.ADMINISTRATOR | wanting, is_active=True)
    return frozenset(told.values_list("pk", flat=True).distinct())


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
