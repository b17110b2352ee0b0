"""The private address of a user's calendar: made, found by, renewed, given up."""

from __future__ import annotations

import secrets
from typing import Final

from django.contrib.auth.models import User
from django.core import signing
from django.utils import timezone

from watchlist.models import CalendarFeed

_KEY_BYTES: Final = 16
_signer: Final = signing.Signer(sep=".", salt="watchlist.calendar_feed")


def feed_of(user: User) -> CalendarFeed | None:
    """The user's feed, if one was asked for."""
    return CalendarFeed.objects.filter(user_id=user.pk).first()


def renew(*, user: User, language: str) -> CalendarFeed:
    """A new address; the one before, if there was one, opens nothing from now on.

    Args:
        user: whose calendar it shows.
        language: in which it is written while the user's profile names none.
    """
    columns = {
        "key": secrets.token_urlsafe(_KEY_BYTES),
        "language": language,
        "created_at": timezone.now(),
        "digest": "",
    }
    row, _is_new = CalendarFeed.objects.update_or_create(user_id=user.pk, defaults=columns)
    return row


def give_up(*, user: User) -> None:
    """No address any more."""
    CalendarFeed.objects.filter(user_id=user.pk).delete()


def token_of(feed: CalendarFeed) -> str:
    """The secret part of the address."""
    return _signer.sign(feed.key)


def find(token: str) -> CalendarFeed | None:
    """The feed that this token opens; None for a wrong or old one and for a deactivated user."""
    try:
        key = _signer.unsign(token)
    except signing.BadSignature:
        return None
    return CalendarFeed.objects.filter(key=key, user__is_active=True).first()


def remember(*, feed: CalendarFeed, digest: str) -> None:
    """Note what the feed says now; since when it does moves only when that is something else."""
    if feed.digest == digest:
        return
    feed.digest, feed.changed_at = digest, timezone.now()
    CalendarFeed.objects.filter(pk=feed.pk, key=feed.key).update(
        digest=digest, changed_at=feed.changed_at
    )
