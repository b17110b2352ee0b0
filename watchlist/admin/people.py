"""What belongs to a user, and the settings for everybody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from watchlist.admin.base import Admin, LookOnlyAdmin, NotByHandAdmin
from watchlist.models import ApiToken, Notification, Preferences, Profile
from watchlist.services.preferences import change_settings


@admin.register(Profile)
class ProfileAdmin(Admin):
    """How a user wants the pages."""

    list_display = ["user", "language", "time_zone", "theme", "list_view"]
    list_filter = ["language", "theme", "list_view"]
    search_fields = ["user__username"]
    list_select_related = ["user"]
    autocomplete_fields = ["user"]


@admin.register(ApiToken)
class ApiTokenAdmin(LookOnlyAdmin):
    """Who may use the API in whose name; deleting a token revokes it."""

    list_display = ["__str__", "user", "created", "expiry", "last_used_at"]
    search_fields = ["name", "user__username"]
    date_hierarchy = "created"
    list_select_related = ["user"]
    fields = ["name", "user", "created", "expiry", "last_used_at"]

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Whoever has the right to."""
        return Admin.has_delete_permission(self, request, obj)


@admin.register(Notification)
class NotificationAdmin(LookOnlyAdmin):
    """What users were told."""

    list_display = ["user", "kind", "item", "created_at", "read_at", "closed_at"]
    list_filter = ["kind"]
    search_fields = ["user__username", "cause", "item__anime_title"]
    date_hierarchy = "created_at"
    list_select_related = ["user", "item"]


@admin.register(Preferences)
class PreferencesAdmin(NotByHandAdmin):
    """The settings for everybody; the interval and the cap of downloads have rows of their own."""

    list_display = [
        "__str__",
        "auto_download_enabled",
        "notify_on_new_episodes",
        "include_completed_anime",
        "scheduler_changed_by",
        "scheduler_changed_at",
    ]
    readonly_fields = ["scheduler_changed_by", "scheduler_changed_at"]

    def save_model(
        self, request: HttpRequest, obj: Preferences, form: forms.Form, change: Any
    ) -> None:
        """Change what was changed, with everything that follows from it."""
        del request, obj, change
        change_settings(changes={name: form.cleaned_data[name] for name in form.changed_data})
