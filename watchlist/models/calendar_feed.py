"""The private address under which a calendar program fetches what one user's calendar shows."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CalendarFeed(models.Model):
    """One row for each user who has an address.

    The address has to be shown again whenever its owner adds another device, so a hash alone would
    not do. What is stored is its first half; the second is a signature with the server's secret
    key, made anew each time. A copy of the database opens no feed.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="calendar_feed",
    )
    key: models.CharField[str, str] = models.CharField(max_length=22, unique=True)
    # For users who never chose a language: the one in which they asked for the address.
    language: models.CharField[str, str] = models.CharField(_("language"), max_length=5)
    created_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        _("made"), default=timezone.now
    )
    # What it said when it was fetched last, and since when: `Last-Modified` must also move when
    # something goes away, which no row remembers.
    digest: models.CharField[str, str] = models.CharField(max_length=32, blank=True)
    changed_at: models.DateTimeField[datetime, datetime] = models.DateTimeField(
        default=timezone.now
    )

    class Meta:
        verbose_name = _("calendar address")
        verbose_name_plural = _("calendar addresses")

    def __str__(self) -> str:
        return str(self.user_id)
