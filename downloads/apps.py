"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from downloads.libraryfolder import note_disk


class DownloadsConfig(AppConfig):
    """Names the app and starts it."""

    name = "downloads"
    verbose_name = _("Downloads")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Look once where the library is, before there is any work."""
        note_disk()
