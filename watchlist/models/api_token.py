"""A token with which programs use the API in a user's name; only its hash is stored."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils.translation import gettext_lazy as _
from knox.models import AbstractAuthToken


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox has no types
    """Knox's token with a name, so that its owner can tell several apart."""

    # As knox has these three, but with names that can be translated.
    user: models.ForeignKey[User, User] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="auth_token_set",
    )
    created: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        _("created"), auto_now_add=True
    )
    expiry: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("expires"), null=True, blank=True
    )
    name: models.CharField[str, str] = models.CharField(_("name"), max_length=80, blank=True)
    last_used_at: models.DateTimeField[datetime | None, datetime | None] = models.DateTimeField(
        _("last used"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering: ClassVar = ["-created"]

    def __str__(self) -> str:
        return self.name or str(self.token_key)
