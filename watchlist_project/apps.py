"""The project itself as an app, for its commands and Celery; and django-axes by another name."""

from __future__ import annotations

from importlib import import_module

from axes.apps import AppConfig as AxesConfig
from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectConfig(AppConfig):
    """Carries the `up` command and makes sure that every Django process has the Celery app."""

    name = "watchlist_project"
    verbose_name = "Tsuzuku"

    def ready(self) -> None:
        """Load the Celery application, so that `shared_task` and `send_task` find it."""
        import_module("watchlist_project.celery")


class SignInAttemptsConfig(AxesConfig):  # type: ignore[misc]  # axes has no types
    """The app that locks out whoever guesses passwords, under a name that says so."""

    verbose_name = _("Sign-in attempts")
