"""The global settings that this app reads; one row."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Preferences(models.Model):
    """What an administrator decides for everybody.

    The check interval lives in the schedule's own row (`watchlist.services.scheduler`), the cap of
    downloads in the queue's (`downloads.models.Limiter`), each beside the code that reads it.
    """

    SINGLETON_ID = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLETON_ID, editable=False)
    auto_download_enabled = models.BooleanField(_("download automatically"), default=True)
    notify_on_new_episodes = models.BooleanField(_("notify on new episodes"), default=False)
    include_completed_anime = models.BooleanField(_("check completed series too"), default=False)
    scheduler_changed_by = models.CharField(max_length=150, blank=True)
    scheduler_changed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("settings")
        verbose_name_plural = _("settings")

    def __str__(self) -> str:
        return str(_("settings"))
