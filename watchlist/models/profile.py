"""How a user wants the pages: language, time zone, theme, and the way the list is shown."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Theme(models.TextChoices):
    """System follows the device."""

    SYSTEM = "system", _("like the device")
    LIGHT = "light", _("light")
    DARK = "dark", _("dark")


class ListView(models.TextChoices):
    """How the watchlist is laid out."""

    GRID = "grid", _("posters")
    LIST = "list", _("list")


class Profile(models.Model):
    """One row for each user who has changed something; the defaults hold for the others."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        primary_key=True,
        related_name="profile",
    )
    language = models.CharField(_("language"), max_length=5, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=60, blank=True)
    theme = models.CharField(_("theme"), max_length=6, choices=Theme, default=Theme.SYSTEM)
    list_view = models.CharField(_("layout"), max_length=4, choices=ListView, default=ListView.GRID)
    shortcuts_enabled = models.BooleanField(_("keyboard shortcuts"), default=True)

    class Meta:
        verbose_name = _("profile")
        verbose_name_plural = _("profiles")

    def __str__(self) -> str:
        return str(self.user_id)
