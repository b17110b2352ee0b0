"""What a user is told of in the page: one row for each cause, closed by itself when solved."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from watchlist.models.episode import Episode
from watchlist.models.watchlist_item import WatchlistItem


class NotificationKind(models.TextChoices):
    """What happened."""

    NEW_EPISODE = "new_episode", _("new episode")
    FINISHED = "finished", _("finished")
    FAILED = "failed", _("failed")
    STUCK = "stuck", _("stuck")


class Notification(models.Model):
    """`cause` is the same for the same trouble, so that it is told once while it lasts."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="notifications",
    )
    kind = models.CharField(_("kind"), max_length=12, choices=NotificationKind)
    cause = models.CharField(max_length=200)
    item = models.ForeignKey(
        WatchlistItem,
        verbose_name=_("watchlist item"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
    )
    episode = models.ForeignKey(
        Episode, verbose_name=_("episode"), null=True, blank=True, on_delete=models.CASCADE
    )
    facts = models.JSONField(default=dict, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    read_at = models.DateTimeField(_("read"), null=True, blank=True)
    closed_at = models.DateTimeField(_("solved"), null=True, blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "cause"],
                condition=models.Q(closed_at=None),
                name="notification_once",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "-created_at"], name="notification_inbox"),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.cause}"
