"""Wiring only: environment, settings, Celery, supervisor. Imports any app; no app imports it."""
