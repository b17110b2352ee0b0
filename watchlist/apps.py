"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class WatchlistConfig(AppConfig):
    """Names the app and connects its one listener."""

    name = "watchlist"
    verbose_name = _("Watchlist")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to what downloads report."""
        from watchlist import receivers  # noqa: F401, PLC0415 - connecting needs loaded models
