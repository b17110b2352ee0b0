"""The project itself as an app, for its commands; binds tasks to the one Celery application."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class ProjectConfig(AppConfig):
    """Carries the `up` command and makes sure that every Django process has the Celery app."""

    name = "watchlist_project"
    verbose_name = "Tsuzuku"

    def ready(self) -> None:
        """Load the Celery application, so that `shared_task` and `send_task` find it."""
        import_module("watchlist_project.celery")
