"""Accounts, as an administrator looks after them: nobody needs a mail server for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from django.utils.translation import gettext as _

from downloads import queue
from watchlist.models import ApiToken, WatchlistItem
from watchlist.services import calendar_feeds
from watchlist.services.due import refresh_watched
from watchlist.services.items import unfollow_each

LINK_LASTS: Final = timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT)
ADMINISTRATOR: Final = Q(is_active=True, is_staff=True, is_superuser=True)


class NotAllowed(Exception):
    """The change would lock everybody, or the administrator who makes it, out."""


def create_user(*, username: str, is_administrator: bool) -> User:
    """An account without a password; its owner sets one through `password_link`."""
    user = User(username=username)
    user.set_unusable_password()
    _set_role(user, is_administrator=is_administrator)
    user.save()
    return user


def password_link(user: User) -> str:
    """The path with which this user sets a password once; it dies when used or when it is old."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("password-set", args=[uid, default_token_generator.make_token(user)])


def change_role(*, user: User, is_administrator: bool, by: User) -> None:
    """Make somebody an administrator, or no longer. Raises NotAllowed."""
    with transaction.atomic():
        if not is_administrator:
            _refuse_to_lock_out(user, by, _("You cannot take your own administrator role away."))
        _set_role(user, is_administrator=is_administrator)
        user.save(update_fields=["is_staff", "is_superuser"])


def set_active(*, user: User, is_active: bool, by: User) -> None:
    """Let somebody in, or keep them out from the next request on. Raises NotAllowed."""
    with transaction.atomic():
        if not is_active:
            _refuse_to_lock_out(user, by, _("You cannot deactivate your own account."))
        user.is_active = is_active
        user.save(update_fields=["is_active"])
        follow_activity(user=user)


def follow_activity(*, user: User) -> None:
    """Do what follows from an account's having become active, or no longer being it."""
    if not user.is_active:
        revoke_access(user=user)
    followed = WatchlistItem.objects.filter(user=user)
    with transaction.atomic():
        queue.limiter(lock=True)
        # The tick withdraws what waits for them, or queues what came while they were away.
        followed.update(needs_decision=True)
        # Nobody is asked for the series of somebody who may no longer come in.
        refresh_watched(list(followed.values_list("series_id", flat=True)))


def delete_user(*, user: User, by: User) -> None:
    """Remove somebody and what is theirs alone; files stay. Raises NotAllowed."""
    with transaction.atomic():
        _refuse_to_lock_out(user, by, _("You cannot delete your own account."))
        unfollow_each(items=list(WatchlistItem.objects.filter(user=user)))
        user.delete()


def revoke_access(*, user: User) -> None:
    """End what opens without the password: the API tokens and the address of the calendar."""
    ApiToken.objects.filter(user=user).delete()
    calendar_feeds.give_up(user=user)


def administrators() -> QuerySet[User]:
    """Those who may change what holds for everybody."""
    return User.objects.filter(ADMINISTRATOR)


def is_administrator(user: User | AnonymousUser) -> bool:
    """Whether this is one of them; "staff" alone only opens Django's own administration."""
    return user.is_active and user.is_staff and user.is_superuser


def require_another_administrator(*, user: User) -> None:
    """Make sure, within a transaction, that somebody else is one. Raises NotAllowed."""
    # Locked, so that two administrators cannot remove each other at the same moment.
    left = administrators().select_for_update(no_key=True).exclude(pk=user.pk)
    if not list(left):
        raise NotAllowed(_("There must be at least one administrator."))


def _set_role(user: User, *, is_administrator: bool) -> None:
    user.is_staff = user.is_superuser = is_administrator


def _refuse_to_lock_out(user: User, by: User, own_message: str) -> None:
    if user.pk == by.pk:
        raise NotAllowed(own_message)
    require_another_administrator(user=user)
