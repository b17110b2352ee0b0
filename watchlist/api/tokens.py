"""Bearer tokens: looked up by their hash alone, never by anything that is stored in the clear."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Final

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext as _
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from watchlist.models import ApiToken

# How exactly people are told when a token was used last; each request would be a write otherwise.
USED_EVERY: Final = timedelta(hours=1)
_TOKEN: Final = re.compile(rb"[A-Za-z0-9_]{20,200}")


class TokenAuthentication(KnoxAuthentication):  # type: ignore[misc]  # knox has no types
    """`Authorization: Bearer <token>`; one query, and a note of its use at most once an hour."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Whose token it is. Raises AuthenticationFailed."""
        if not _TOKEN.fullmatch(token):
            raise AuthenticationFailed(_("Invalid token."))
        now = timezone.now()
        try:
            row = ApiToken.objects.select_related("user").get(digest=hash_token(token.decode()))
        except ApiToken.DoesNotExist:
            raise AuthenticationFailed(_("Invalid token.")) from None
        has_expired = row.expiry is not None and row.expiry <= now
        if has_expired or not row.user.is_active:
            raise AuthenticationFailed(_("Invalid token."))
        if row.last_used_at is None or now - row.last_used_at >= USED_EVERY:
            ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)
        return row.user, row
