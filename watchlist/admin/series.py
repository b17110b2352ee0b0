"""Series, their episodes and their checks: what the providers offer, shared by all users."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from downloads.adminrights import LookOnlyAdmin
from watchlist.admin.items import tell_queued
from watchlist.models import Check, Episode, Series
from watchlist.services import due


@admin.register(Series)
class SeriesAdmin(LookOnlyAdmin):
    """One season and language at one provider."""

    list_display = [
        "title",
        "provider_id",
        "lang",
        "airing_status",
        "followers",
        "episodes_known",
        "latest_episode",
        "next_check_at",
        "last_checked_at",
        "failures",
        "last_error_code",
    ]
    list_filter = ["provider_id", "lang", "airing_status", "last_error_code"]
    search_fields = ["title", "ref"]
    date_hierarchy = "created_at"
    actions = ["check_now"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Count the followers in the same query."""
        rows = super().get_queryset(request).annotate(follower_count=Count("items"))
        return cast("QuerySet[Any]", rows)

    @admin.display(description=_("followers"), ordering="follower_count")
    def followers(self, series: Any) -> int:
        """How many users follow it."""
        return int(series.follower_count)

    @admin.action(description=_("Check now"), permissions=["view"])
    def check_now(self, request: HttpRequest, chosen: QuerySet[Series]) -> None:
        """Ask the providers for these series, ahead of scheduled checks."""
        series_ids = list(chosen.order_by("pk").values_list("pk", flat=True))
        tell_queued(self, request, len(due.request_checks(series_ids)))


@admin.register(Episode)
class EpisodeAdmin(LookOnlyAdmin):
    """What the providers list."""

    list_display = [
        "series",
        "season",
        "number",
        "title",
        "is_special",
        "is_listed",
        "published_at",
        "first_seen_at",
    ]
    list_filter = ["is_listed", "is_special", "series__provider_id"]
    search_fields = ["title", "series__title", "ref"]
    date_hierarchy = "first_seen_at"
    list_select_related = ["series"]


@admin.register(Check)
class CheckAdmin(LookOnlyAdmin):
    """What was asked of the providers, and what came of it."""

    list_display = [
        "series",
        "trigger",
        "status",
        "is_urgent",
        "is_unchanged",
        "new_count",
        "error_code",
        "created_at",
        "finished_at",
    ]
    list_filter = ["status", "trigger", "is_unchanged", "error_code", "series__provider_id"]
    search_fields = ["series__title", "error_text"]
    date_hierarchy = "created_at"
    list_select_related = ["series"]
