"""What belongs to a user, and the settings for everybody."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from downloads.adminrights import Admin, LookOnlyAdmin, NotByHandAdmin
from watchlist.models import ApiToken, CalendarFeed, Notification, Preferences, Profile
from watchlist.services import calendar_feeds
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


@admin.register(CalendarFeed)
class CalendarFeedAdmin(LookOnlyAdmin):
    """Who has a calendar address; the address itself opens the calendar and is never shown."""

    list_display = ["user", "language", "created_at"]
    search_fields = ["user__username"]
    date_hierarchy = "created_at"
    list_select_related = ["user"]
    fields = ["user", "language", "created_at"]
    actions = ["revoke"]

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Whoever has the right to delete one."""
        return Admin.has_delete_permission(self, request)

    @admin.action(
        description=_("Revoke: the address opens nothing any more"), permissions=["revoke"]
    )
    def revoke(self, request: HttpRequest, chosen: QuerySet[CalendarFeed]) -> None:
        """Give these up, as their owners would; each of them may ask for a new one."""
        feeds = list(chosen.select_related("user"))
        for feed in feeds:
            calendar_feeds.give_up(user=feed.user)
        text = ngettext("%(count)s address revoked.", "%(count)s addresses revoked.", len(feeds))
        self.message_user(request, text % {"count": len(feeds)}, messages.SUCCESS)


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
