"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig


class ProvidersConfig(AppConfig):
    """Names the app."""

    name = "providers"
    verbose_name = "Providers"
    default_auto_field = "django.db.models.BigAutoField"
