"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class WatchlistConfig(AppConfig):
    """Names the app."""

    name = "watchlist"
    verbose_name = "Watchlist"
    default_auto_field = "django.db.models.BigAutoField"
