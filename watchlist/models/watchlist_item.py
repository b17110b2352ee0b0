"""A watchlist item: one user's wish for a series."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from watchlist.models.series import Series


class ItemStatus(models.TextChoices):
    """What the user does with the series."""

    ACTIVE = "active", _("active")
    PAUSED = "paused", _("paused")
    COMPLETED = "completed", _("completed")
    ARCHIVED = "archived", _("archived")


class Quality(models.TextChoices):
    """The best variant not above it is taken, or the lowest there is; auto takes the best."""

    AUTO = "auto", _("best available")
    P1080 = "1080p", "1080p"
    P720 = "720p", "720p"
    P480 = "480p", "480p"


class WatchlistItem(models.Model):
    """What one user wants of a series.

    Wanted are the episodes after number `last_episode_downloaded` of `last_season_downloaded`
    (`watchlist.places`), all when the number is empty. Specials stand outside the numbering: wanted
    are those first seen after `specials_since`, all when empty.
    The texts are the user's own when not empty; else those of the series are shown.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="watchlist",
    )
    series = models.ForeignKey(
        Series, verbose_name=_("series"), on_delete=models.PROTECT, related_name="items"
    )
    anime_url = models.CharField(_("address"), max_length=2000)
    lang = models.CharField(_("language"), max_length=20, default="vostfr")

    anime_title = models.CharField(_("title"), max_length=300)
    is_title_guessed = models.BooleanField(default=False, editable=False)
    poster_image = models.CharField(_("poster"), max_length=2000, blank=True)
    synopsis = models.TextField(_("synopsis"), blank=True)
    genres = models.JSONField(_("genres"), null=True, blank=True)

    status = models.CharField(
        _("status"), max_length=10, choices=ItemStatus, default=ItemStatus.ACTIVE
    )
    status_changed_at = models.DateTimeField(default=timezone.now, editable=False)
    auto_download = models.BooleanField(_("download automatically"), default=True)
    quality_preference = models.CharField(
        _("quality"), max_length=5, choices=Quality, default=Quality.AUTO
    )
    last_episode_downloaded = models.DecimalField(
        _("last episode downloaded"), max_digits=10, decimal_places=3, null=True, blank=True
    )
    last_season_downloaded = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    specials_since = models.DateTimeField(null=True, blank=True, editable=False)
    needs_decision = models.BooleanField(default=False, editable=False)

    created_at = models.DateTimeField(_("added"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("watchlist item")
        verbose_name_plural = _("watchlist items")
        ordering: ClassVar = ["anime_title", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "series"], name="item_once"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["user", "status"], name="item_user_status"),
            models.Index(fields=["user", "anime_title"], name="item_user_title"),
            models.Index(fields=["user", "-created_at"], name="item_user_added"),
            models.Index(fields=["series", "status"], name="item_series_status"),
            models.Index(
                fields=["needs_decision"],
                name="item_undecided",
                condition=models.Q(needs_decision=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.anime_title} ({self.user_id})"
