"""Watchlist items, the wishes that follow from them, and why each episode was or was not taken."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from downloads.adminrights import Admin, LookOnlyAdmin, TakesAlongAdmin
from providers.text import clean_text
from watchlist import reasons
from watchlist.models import Decision, Grab, ItemStatus, WatchlistItem
from watchlist.services import due, items

if TYPE_CHECKING:
    _Form = forms.ModelForm[WatchlistItem]
else:
    # The generic forms exist for the type checker only.
    _Form = forms.ModelForm

_MAX_TITLE: Final = 300


class WatchlistItemForm(_Form):
    """What an administrator may change, within the bounds of the pages and the API."""

    last_episode_downloaded = forms.DecimalField(
        label=capfirst(_("last episode downloaded")),
        required=False,
        min_value=0,
        max_digits=10,
        decimal_places=3,
    )

    class Meta:
        model = WatchlistItem
        fields = ["anime_title", "status", "auto_download", "quality_preference"]

    def clean_anime_title(self) -> str:
        """A title that can be seen."""
        title = clean_text(str(self.cleaned_data["anime_title"]), _MAX_TITLE)
        if not title:
            message = self.fields["anime_title"].error_messages["required"]
            raise forms.ValidationError(message, code="required")
        return title


@admin.register(WatchlistItem)
class WatchlistItemAdmin(TakesAlongAdmin):
    """What people follow; following begins on the pages, where the provider is asked."""

    form = WatchlistItemForm
    list_display = [
        "anime_title",
        "user",
        "series__provider_id",
        "lang",
        "status",
        "auto_download",
        "quality_preference",
        "last_episode_downloaded",
        "series__latest_episode",
        "series__next_check_at",
        "series__last_error_code",
        "created_at",
    ]
    list_filter = [
        "status",
        "auto_download",
        "quality_preference",
        "series__provider_id",
        "series__last_error_code",
    ]
    search_fields = ["anime_title", "anime_url", "user__username", "series__title"]
    date_hierarchy = "created_at"
    list_select_related = ["user", "series"]
    readonly_fields = [
        "id",
        "user",
        "series",
        "anime_url",
        "lang",
        "poster_image",
        "synopsis",
        "genres",
        "status_changed_at",
        "created_at",
        "updated_at",
    ]
    fields = [
        *readonly_fields,
        "anime_title",
        "status",
        "auto_download",
        "quality_preference",
        "last_episode_downloaded",
    ]
    actions = ["check_now", "pause", "resume"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Nobody adds one here: the provider must be asked what the address is."""
        del request
        return False

    def save_model(
        self, request: HttpRequest, obj: WatchlistItem, form: forms.Form, change: Any
    ) -> None:
        """Change what was changed, with everything that follows from it."""
        del request, change
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        stored = WatchlistItem.objects.get(pk=obj.pk)
        items.change(item=stored, changes=changes)

    def delete_model(self, request: HttpRequest, obj: WatchlistItem) -> None:
        """Stop following, as its owner would."""
        del request
        items.unfollow(item=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[WatchlistItem]) -> None:
        """Stop following each, as its owner would."""
        del request
        for item in queryset:
            items.unfollow(item=item)

    @admin.action(description=_("Check now"))
    def check_now(self, request: HttpRequest, chosen: QuerySet[WatchlistItem]) -> None:
        """Ask the providers for these series, ahead of scheduled checks."""
        series_ids = list(dict.fromkeys(chosen.values_list("series_id", flat=True)))
        tell_queued(self, request, len(due.request_checks(series_ids)))

    @admin.action(description=_("Pause"))
    def pause(self, request: HttpRequest, chosen: QuerySet[WatchlistItem]) -> None:
        """Stop checking these."""
        self._set_status(request, chosen, ItemStatus.PAUSED)

    @admin.action(description=_("Resume"))
    def resume(self, request: HttpRequest, chosen: QuerySet[WatchlistItem]) -> None:
        """Make these active again."""
        self._set_status(request, chosen, ItemStatus.ACTIVE)

    def _set_status(
        self, request: HttpRequest, chosen: QuerySet[WatchlistItem], status: ItemStatus
    ) -> None:
        count = 0
        for item in chosen.exclude(status=status):
            items.set_status(item=item, status=status)
            count += 1
        text = ngettext("%(count)s item changed.", "%(count)s items changed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


@admin.register(Grab)
class GrabAdmin(LookOnlyAdmin):
    """Who wants which episode, and the download that fulfils it."""

    list_display = [
        "item",
        "episode__season",
        "episode__number",
        "download",
        "download__state",
        "is_manual",
        "created_at",
        "completed_at",
        "cancelled_at",
    ]
    list_filter = ["download__state", "is_manual", "item__series__provider_id"]
    search_fields = ["item__anime_title", "item__user__username", "download__label"]
    date_hierarchy = "created_at"
    list_select_related = ["item", "episode", "download"]


@admin.register(Decision)
class DecisionAdmin(LookOnlyAdmin):
    """The last automatic decision on each episode."""

    list_display = ["item", "episode__season", "episode__number", "code", "why", "is_ignored"]
    list_filter = ["code", "is_ignored"]
    search_fields = ["item__anime_title", "item__user__username"]
    date_hierarchy = "decided_at"
    list_select_related = ["item", "episode"]

    @admin.display(description=_("reason"))
    def why(self, decision: Decision) -> str:
        """The reason in a sentence."""
        return reasons.sentence(decision.code, decision.facts)


def tell_queued(page: Admin, request: HttpRequest, count: int) -> None:
    """Say how many checks were queued."""
    text = ngettext("%(count)s check queued.", "%(count)s checks queued.", count)
    page.message_user(request, text % {"count": count}, messages.SUCCESS)
