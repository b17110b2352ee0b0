"""A grab: an item's wish for an episode, tied to the download that fulfils it."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from downloads.models import Download
from watchlist.models.episode import Episode
from watchlist.models.watchlist_item import WatchlistItem


class Grab(models.Model):
    """Users who want the same episode in the same quality have grabs on one shared download."""

    item = models.ForeignKey(
        WatchlistItem,
        verbose_name=_("watchlist item"),
        on_delete=models.CASCADE,
        related_name="grabs",
    )
    episode = models.ForeignKey(
        Episode, verbose_name=_("episode"), on_delete=models.CASCADE, related_name="grabs"
    )
    download = models.ForeignKey(
        Download, verbose_name=_("download"), on_delete=models.PROTECT, related_name="grabs"
    )
    is_manual = models.BooleanField(_("by hand"), default=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now)
    completed_at = models.DateTimeField(_("in the library since"), null=True, blank=True)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, blank=True)

    class Meta:
        verbose_name = _("grab")
        verbose_name_plural = _("grabs")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "episode"], name="grab_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["download"], name="grab_download"),
            models.Index(
                fields=["download"],
                name="grab_open",
                condition=models.Q(completed_at=None, cancelled_at=None),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.item_id} wants {self.episode_id}"
