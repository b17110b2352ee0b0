"""Wiring only: environment, settings, Celery, supervisor. May import every app; no app imports it."""
