"""API tokens of a user: shown once when made, stored hashed, revoked at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.db.models import QuerySet

from watchlist.models import ApiToken

# Days until a token ends by itself; None for never.
LIFETIMES_DAYS: Final[tuple[int | None, ...]] = (30, 90, 365, None)
HANDLE_LENGTH: Final = 16


def create_token(*, user: User, name: str, days: int | None) -> tuple[ApiToken, str]:
    """A new token and its text, which cannot be had again."""
    expiry = None if days is None else timedelta(days=days)
    row, text = ApiToken.objects.create(user=user, expiry=expiry, name=name)
    return row, str(text)


def tokens_of(user: User) -> QuerySet[ApiToken]:
    """The user's tokens, the newest first."""
    rows: QuerySet[ApiToken] = ApiToken.objects.filter(user=user)
    return rows.order_by("-created")


def handle_of(token: ApiToken) -> str:
    """What names a token in an address; neither its text nor its whole hash."""
    return str(token.digest[:HANDLE_LENGTH])


def revoke_token(*, user: User, handle: str) -> bool:
    """End a token of this user at once. Returns whether there was one."""
    if len(handle) != HANDLE_LENGTH:
        return False
    return bool(ApiToken.objects.filter(user=user, digest__startswith=handle).delete()[0])
