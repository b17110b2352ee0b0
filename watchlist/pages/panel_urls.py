"""The addresses of downloads, calendar, settings, statistics, notifications and posters."""

from __future__ import annotations

from django.urls import path

from watchlist.pages import posters

urlpatterns = [
    path("posters/preview", posters.preview, name="poster-preview"),
    path("posters/<uuid:followed_id>.webp", posters.poster, name="poster"),
]
