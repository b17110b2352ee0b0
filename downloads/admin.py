"""Administration of the queue: nothing here writes a state but through `downloads.queue`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from downloads import queue
from downloads.adminrights import LookOnlyAdmin, NotByHandAdmin
from downloads.models import Download, DownloadAttempt, DownloadEvent, Limiter

if TYPE_CHECKING:
    _Inline = admin.TabularInline[Any, Any]
    _LimiterForm = forms.ModelForm[Limiter]
else:
    # The generic classes exist for the type checker only.
    _Inline = admin.TabularInline
    _LimiterForm = forms.ModelForm

MAX_AUTOMATIC_CAP = 16


class LookOnlyInline(_Inline):
    """Rows of a download's history."""

    extra = 0
    can_delete = False
    show_change_link = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody adds one here."""
        del request, obj
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes one here."""
        del request, obj
        return False


class AttemptInline(LookOnlyInline):
    """Every source that was tried."""

    model = DownloadAttempt
    fields = ["source_label", "started_at", "finished_at", "bytes_done", "error_code", "error_text"]


class EventInline(LookOnlyInline):
    """Every change of state."""

    model = DownloadEvent
    fields = ["at", "from_state", "to_state", "reason_code", "reason_text"]


@admin.register(Download)
class DownloadAdmin(NotByHandAdmin):
    """Orders; only their place in the queue and their speed limit can be edited."""

    list_display = [
        "label",
        "state",
        "progress",
        "stage",
        "source_label",
        "attempts",
        "reason_code",
        "provider_id",
        "quality",
        "priority",
        "is_automatic",
        "created_at",
        "finished_at",
    ]
    list_filter = ["state", "provider_id", "quality", "is_automatic", "reason_code"]
    search_fields = ["label", "final_path", "reason_text"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]
    actions = ["retry", "cancel", "pause", "resume"]
    inlines = [AttemptInline, EventInline]
    EDITABLE = ("priority", "rate_limit_bps")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Name every column, those that can be edited first."""
        del request, obj
        columns = [field.name for field in self.opts.concrete_fields]
        return [*self.EDITABLE, *(name for name in columns if name not in self.EDITABLE)]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Everything that a worker or the queue writes."""
        return [name for name in self.get_fields(request, obj) if name not in self.EDITABLE]

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: Any) -> None:
        """Write only what was edited: a worker may be writing the rest at the same moment."""
        del request, change
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            Download.objects.filter(pk=obj.pk).update(**changes)

    @admin.display(description=gettext_lazy("progress"))
    def progress(self, download: Download) -> str:
        """How much is there."""
        if not download.bytes_total:
            return filesizeformat(download.bytes_done) if download.bytes_done else "-"
        ratio = download.bytes_done / download.bytes_total
        return f"{ratio:.0%} · {filesizeformat(download.bytes_total)}"

    @admin.action(description=gettext_lazy("Try again"))
    def retry(self, request: HttpRequest, chosen: QuerySet[Download]) -> None:
        """Try what failed or was cancelled from the first attempt."""
        self._each(request, chosen, queue.retry)

    @admin.action(description=gettext_lazy("Cancel"))
    def cancel(self, request: HttpRequest, chosen: QuerySet[Download]) -> None:
        """Give these up for everybody."""
        self._each(request, chosen, queue.cancel)

    @admin.action(description=gettext_lazy("Pause"))
    def pause(self, request: HttpRequest, chosen: QuerySet[Download]) -> None:
        """Stop these without losing what is on disk."""
        self._each(request, chosen, queue.pause)

    @admin.action(description=gettext_lazy("Resume"))
    def resume(self, request: HttpRequest, chosen: QuerySet[Download]) -> None:
        """Let paused ones go on."""
        self._each(request, chosen, queue.resume)

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Download],
        act: Callable[[Download], None],
    ) -> None:
        count = 0
        for download in chosen:
            try:
                act(download)
            except queue.NotLegalNow as error:
                text = _("%(name)s: this is not possible while the download is %(state)s.")
                values = {"name": download.label, "state": error.state}
                self.message_user(request, text % values, messages.ERROR)
            else:
                count += 1
        text = ngettext("%(count)s download changed.", "%(count)s downloads changed.", count)
        self.message_user(request, text % {"count": count}, messages.SUCCESS)


class LimiterForm(_LimiterForm):
    """The limits that hold over all workers."""

    automatic_cap = forms.IntegerField(
        label=gettext_lazy("automatic downloads at once"), min_value=1, max_value=MAX_AUTOMATIC_CAP
    )

    class Meta:
        model = Limiter
        fields = ["automatic_cap", "rate_limit_bps", "window_start", "window_end"]


@admin.register(Limiter)
class LimiterAdmin(NotByHandAdmin):
    """One row; the queue counts positions in it, so only what was edited is written."""

    form = LimiterForm
    list_display = ["scope", "automatic_cap", "rate_limit_bps", "window_start", "window_end"]

    def save_model(self, request: HttpRequest, obj: Any, form: forms.Form, change: Any) -> None:
        """Leave the counter of positions alone."""
        del request, change
        changes = {name: form.cleaned_data[name] for name in form.changed_data}
        if changes:
            Limiter.objects.filter(pk=obj.pk).update(**changes)


class HistoryAdmin(LookOnlyAdmin):
    """Rows of the downloads' history."""

    list_select_related = ["download"]


@admin.register(DownloadEvent)
class DownloadEventAdmin(HistoryAdmin):
    """Every change of state of every download."""

    list_display = ["at", "download", "from_state", "to_state", "reason_code", "reason_text"]
    list_filter = ["to_state", "reason_code"]
    search_fields = ["download__label", "reason_text"]
    date_hierarchy = "at"


@admin.register(DownloadAttempt)
class DownloadAttemptAdmin(HistoryAdmin):
    """Every source that was tried for every download."""

    list_display = [
        "started_at",
        "download",
        "source_label",
        "source_host",
        "bytes_done",
        "error_code",
        "error_text",
    ]
    list_filter = ["error_code", "source_label"]
    search_fields = ["download__label", "source_host", "error_text"]
    date_hierarchy = "started_at"
