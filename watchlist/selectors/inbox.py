"""The notices of a user in words, and what is wrong with the machine at this moment."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib.auth.models import User
from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from watchlist import faults
from watchlist.models import Notification, NotificationKind
from watchlist.selectors.rows import Rows

# Icon and colour of each kind; the words of the colours are those of the style sheet.
_LOOKS: Final[dict[str, tuple[str, str]]] = {
    NotificationKind.NEW_EPISODE: ("sparkles", "new"),
    NotificationKind.FINISHED: ("circle-check", "ok"),
    NotificationKind.FAILED: ("triangle-alert", "error"),
    NotificationKind.STUCK: ("clock-alert", "wait"),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """One line of the inbox."""

    id: uuid.UUID
    kind: str
    kind_label: str
    icon: str
    look: str  # new, ok, error or wait
    text: str  # one sentence in the active language
    reason: str  # a second sentence, "" when the first says all
    detail: str  # in English, for whoever looks into it
    url: str  # where to go, "" for nowhere
    created_at: datetime
    is_read: bool
    is_solved: bool  # a failure or trouble that is over


def notices_of(user: User, *, kind: str = "", unread_only: bool = False) -> Rows[Notice]:
    """The user's notices, the newest first."""
    rows = Notification.objects.filter(user_id=user.pk)
    if kind:
        rows = rows.filter(kind=kind)
    if unread_only:
        rows = rows.filter(read_at=None)
    ordered = rows.order_by("-created_at", "id")
    return Rows(ordered, lambda window: [notice(row) for row in window])


def unread_count(user: User) -> int:
    """How many notices the user has not read; for the bell."""
    return Notification.objects.filter(user_id=user.pk, read_at=None).count()


def since(user: User, moment: datetime) -> list[Notice]:
    """What came after a moment and is not read yet, the oldest first; at most three."""
    rows = Notification.objects.filter(user_id=user.pk, read_at=None, created_at__gt=moment)
    return [notice(row) for row in rows.order_by("-created_at")[:3]][::-1]


def notice(row: Notification) -> Notice:
    """A notice in words."""
    icon, look = _LOOKS[row.kind]
    is_solved = row.closed_at is not None and row.kind in _TROUBLES
    return Notice(
        id=row.pk,
        kind=row.kind,
        kind_label=str(row.get_kind_display()),
        icon=icon,
        look="idle" if is_solved else look,
        text=_sentence(row),
        reason=_reason(row),
        detail=str(row.facts.get("error", "")),
        url=_target(row),
        created_at=row.created_at,
        is_read=row.read_at is not None,
        is_solved=is_solved,
    )


_PARTS: Final = {
    "broker": gettext_noop("The message broker stopped: nothing is checked or downloaded"),
    "workers": gettext_noop("Every worker stopped: nothing is checked or downloaded"),
    "checks": gettext_noop("The worker that checks series stopped"),
    "downloads": gettext_noop("The worker that downloads stopped"),
    "beat": gettext_noop("The scheduler stopped: nothing starts by itself"),
}
_TROUBLES: Final = frozenset({NotificationKind.FAILED, NotificationKind.STUCK})


def _sentence(row: Notification) -> str:
    facts: dict[str, Any] = row.facts
    if row.kind == NotificationKind.STUCK:
        return _trouble(row.cause, facts)
    title, first, last = (str(facts.get(name, "")) for name in ("title", "first", "last"))
    count = int(facts.get("count", 1))
    values = {"title": title, "first": first, "last": last, "count": count}
    if row.kind == NotificationKind.FAILED:
        return _("Episode %(first)s of %(title)s could not be downloaded") % values
    if row.kind == NotificationKind.FINISHED:
        return (
            ngettext(
                "Episode %(first)s of %(title)s is in the library",
                "%(count)s episodes of %(title)s are in the library (%(first)s to %(last)s)",
                count,
            )
            % values
        )
    return (
        ngettext(
            "New: episode %(first)s of %(title)s",
            "%(count)s new episodes of %(title)s (%(first)s to %(last)s)",
            count,
        )
        % values
    )


def _reason(row: Notification) -> str:
    code = str(row.facts.get("code", ""))
    return faults.sentence(code) if code else ""


def _trouble(cause: str, facts: dict[str, Any]) -> str:
    if cause == "disk":
        return _("The disk of the library is nearly full: downloads wait")
    if cause == "folder":
        return _("The library folder cannot be written: downloads wait")
    part = cause.removeprefix("part:")
    if part in _PARTS:
        return _(_PARTS[part])
    return _("%(provider)s does not answer as it should: its series wait") % {
        "provider": facts.get("provider", cause.partition(":")[2])
    }


def _place_of(cause: str) -> str:
    if cause.startswith("provider:"):
        return reverse("settings-providers")
    return f"{reverse('settings')}#scheduler" if cause.startswith("part:") else ""


def _target(row: Notification) -> str:
    try:
        if row.kind == NotificationKind.FAILED:
            return f"{reverse('downloads')}#failed"
        if row.kind == NotificationKind.STUCK:
            return _place_of(row.cause)
        return reverse("series", args=[row.item_id]) if row.item_id else ""
    except NoReverseMatch:
        return ""
