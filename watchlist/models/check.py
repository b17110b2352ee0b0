"""A check: asking a provider for the episode list of one series, for everybody who follows it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import User
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from watchlist.models.series import Series


class CheckStatus(models.TextChoices):
    """queued -> running -> succeeded | failed; a dead worker's running check is queued again."""

    QUEUED = "queued", _("queued")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


class CheckTrigger(models.TextChoices):
    """Who asked for it."""

    SCHEDULED = "scheduled", _("scheduled")
    MANUAL = "manual", _("by hand")
    CREATED = "created", _("newly followed")


class Check(models.Model):
    """A durable order to check one series; at most one is open for a series at any time."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(
        Series, verbose_name=_("series"), on_delete=models.CASCADE, related_name="checks"
    )
    trigger = models.CharField(_("trigger"), max_length=10, choices=CheckTrigger)
    # The first who asked for it, and nobody else is told; None for the schedule.
    asked_by: models.ForeignKey[User | None, User | None] = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("asked for by"),
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        # It is only read with the check, and a tick writes checks by the thousand.
        db_index=False,
    )
    is_urgent = models.BooleanField(_("ahead of scheduled ones"), default=False)
    status = models.CharField(
        _("status"), max_length=10, choices=CheckStatus, default=CheckStatus.QUEUED
    )
    owner = models.CharField(max_length=120, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    is_unchanged = models.BooleanField(_("nothing new"), default=False)
    new_count = models.PositiveIntegerField(_("new episodes"), default=0)
    error_code = models.CharField(_("error"), max_length=40, blank=True)
    error_text = models.TextField(_("error in words"), blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    class Meta:
        verbose_name = _("check")
        verbose_name_plural = _("checks")
        ordering: ClassVar = ["-created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["series"],
                condition=models.Q(status__in=["queued", "running"]),
                name="check_one_open",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["series", "-created_at"], name="check_history"),
            models.Index(
                fields=["status", "created_at"],
                name="check_open",
                condition=models.Q(status__in=["queued", "running"]),
            ),
            models.Index(fields=["finished_at"], name="check_finished"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} {self.status}"
