"""The app's registration with Django."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProvidersConfig(AppConfig):
    """Names the app."""

    name = "providers"
    verbose_name = _("Providers")
    default_auto_field = "django.db.models.BigAutoField"
