"""A series: one season and language at one provider, shared by everybody who follows it."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from providers.types import AiringStatus


class Series(models.Model):
    """What a provider offers and what is known of it; one check of it serves every user.

    The latest episode is the highest of the highest season; `has_seasons` says that there are
    several. `next_check_at` is empty while nobody wants it checked. The suspect columns remember a
    list that came back shorter than known: it changes nothing until it has been seen often and long
    enough.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    provider_id = models.CharField(_("provider"), max_length=40)
    ref = models.CharField(_("reference"), max_length=2000)
    lang = models.CharField(_("language"), max_length=20)

    title = models.CharField(_("title"), max_length=300)
    is_title_guessed = models.BooleanField(default=False)
    # Its folder in the library, named after the title that it had at its first download.
    folder = models.CharField(_("folder"), max_length=300, blank=True, editable=False)
    other_titles = models.JSONField(default=list, blank=True)
    synopsis = models.TextField(_("synopsis"), blank=True)
    genres = models.JSONField(_("genres"), default=list, blank=True)
    poster_url = models.CharField(_("poster"), max_length=2000, blank=True)
    airing_status = models.CharField(
        _("airing"),
        max_length=10,
        choices=[(status.value, status.value) for status in AiringStatus],
        default=AiringStatus.UNKNOWN,
    )
    details_at = models.DateTimeField(null=True, blank=True, editable=False)

    episodes_known = models.PositiveIntegerField(_("episodes known"), default=0)
    latest_episode = models.DecimalField(
        _("latest episode"), max_digits=10, decimal_places=3, null=True, blank=True
    )
    latest_season = models.PositiveSmallIntegerField(null=True, blank=True, editable=False)
    has_seasons = models.BooleanField(default=False, editable=False)
    latest_episode_at = models.DateTimeField(null=True, blank=True)

    validators = models.JSONField(default=dict, blank=True)
    next_check_at = models.DateTimeField(_("next check"), null=True, blank=True)
    last_checked_at = models.DateTimeField(_("last checked"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    last_error_code = models.CharField(_("last error"), max_length=40, blank=True)
    last_error_text = models.TextField(_("last error in words"), blank=True)
    suspect_since = models.DateTimeField(null=True, blank=True)
    suspect_count = models.PositiveIntegerField(default=0)

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("series")
        verbose_name_plural = _("series")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["provider_id", "ref", "lang"], name="series_once"),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["next_check_at"],
                name="series_due",
                condition=models.Q(next_check_at__isnull=False),
            ),
            models.Index(fields=["provider_id", "next_check_at"], name="series_provider_due"),
        ]

    def __str__(self) -> str:
        return f"{self.title} ({self.provider_id}, {self.lang})"
