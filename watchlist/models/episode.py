"""One instalment of a series, as its provider lists it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from watchlist.models.check import Check
from watchlist.models.series import Series


class Episode(models.Model):
    """An episode keeps its row, and with it everybody's progress, whatever the list does later."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    series = models.ForeignKey(
        Series, verbose_name=_("series"), on_delete=models.CASCADE, related_name="episodes"
    )
    ref = models.CharField(_("reference"), max_length=500)
    number = models.DecimalField(_("number"), max_digits=10, decimal_places=3)
    season = models.PositiveSmallIntegerField(_("season"), default=1)
    is_special = models.BooleanField(_("special"), default=False)
    position = models.PositiveIntegerField(_("position"), default=0)
    title = models.CharField(_("title"), max_length=300, blank=True)
    url = models.CharField(_("address"), max_length=2000, blank=True)
    duration_seconds = models.FloatField(null=True, blank=True)
    published_at = models.DateTimeField(_("published"), null=True, blank=True)
    first_seen_at = models.DateTimeField(_("first seen"), default=timezone.now)
    is_listed = models.BooleanField(_("still listed"), default=True)
    found_by = models.ForeignKey(
        Check, null=True, blank=True, on_delete=models.SET_NULL, related_name="new_episodes"
    )

    class Meta:
        verbose_name = _("episode")
        verbose_name_plural = _("episodes")
        ordering: ClassVar = ["is_special", "number", "position"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["series", "ref"], name="episode_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["series", "is_special", "number", "position"], name="episode_order"
            ),
            models.Index(fields=["first_seen_at"], name="episode_first_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.series_id} S{self.season:02}E{self.number.normalize():f}"
