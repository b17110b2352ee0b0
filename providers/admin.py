"""Administration of the providers: on or off, address, health, and a test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from providers import gateway, states
from providers.errors import ProviderError
from providers.models import ProviderState

if TYPE_CHECKING:
    _Form = forms.ModelForm[ProviderState]
    _Admin = admin.ModelAdmin[ProviderState]
else:
    # The generic forms exist for the type checker only.
    _Form = forms.ModelForm
    _Admin = admin.ModelAdmin


class ProviderStateForm(_Form):
    """What a person decides; everything else is found out."""

    class Meta:
        model = ProviderState
        fields = ["enabled", "base_url"]

    def clean_base_url(self) -> str:
        """An address that requests could be sent to, or none."""
        url = str(self.cleaned_data["base_url"]).strip().rstrip("/")
        if url:
            try:
                gateway.check_base_url(self.instance.provider_id, url)
            except ProviderError as error:
                raise forms.ValidationError(str(error), code=error.code) from error
        return url


@admin.register(ProviderState)
class ProviderStateAdmin(_Admin):
    """One row for each provider; rows are neither added nor deleted by hand."""

    form = ProviderStateForm
    list_display = [
        "provider_id",
        "is_on",
        "address",
        "level",
        "retry_at",
        "last_success_at",
        "last_failure_at",
        "last_error_code",
    ]
    list_filter = ["enabled", "last_error_code"]
    search_fields = ["provider_id", "base_url", "last_error_message"]
    readonly_fields = [
        "provider_id",
        "address",
        "moved_from",
        "level",
        "first_failure_at",
        "last_failure_at",
        "last_success_at",
        "retry_at",
        "last_error_code",
        "last_error_message",
        "updated_at",
    ]
    fields = ["enabled", "base_url", *readonly_fields]
    actions = ["switch_on", "switch_off", "try_now"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Providers come with the program."""
        del request
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ProviderState | None = None) -> bool:
        """As above."""
        del request, obj
        return False

    @admin.display(description=gettext_lazy("on"), boolean=True)
    def is_on(self, state: ProviderState) -> bool:
        """Whether it may be asked, the settings' word included."""
        return states.is_enabled(state)

    @admin.display(description=gettext_lazy("address in use"))
    def address(self, state: ProviderState) -> str:
        """The address that requests go to."""
        known = {each.id: each.base_url for each in gateway.describe()}
        return known.get(state.provider_id) or "-"

    def save_model(self, request: HttpRequest, obj: ProviderState, form: Any, change: Any) -> None:
        """Write through the one writer of states, and only what was changed."""
        del request, change
        if "enabled" in form.changed_data:
            states.set_enabled(obj.provider_id, enabled=obj.enabled)
        if "base_url" in form.changed_data:
            states.set_base_url(obj.provider_id, obj.base_url)

    @admin.action(description=gettext_lazy("Switch on"))
    def switch_on(self, request: HttpRequest, chosen: QuerySet[ProviderState]) -> None:
        """Let these providers be asked."""
        del request
        for state in chosen:
            states.set_enabled(state.provider_id, enabled=True)

    @admin.action(description=gettext_lazy("Switch off"))
    def switch_off(self, request: HttpRequest, chosen: QuerySet[ProviderState]) -> None:
        """Leave these providers alone."""
        del request
        for state in chosen:
            states.set_enabled(state.provider_id, enabled=False)

    @admin.action(description=gettext_lazy("Test now and end the back-off"))
    def try_now(self, request: HttpRequest, chosen: QuerySet[ProviderState]) -> None:
        """Send each one small request."""
        for state in chosen:
            try:
                gateway.test_provider(state.provider_id)
            except ProviderError as error:
                text = _("%(provider)s: %(error)s")
                values = {"provider": state.provider_id, "error": str(error)}
                self.message_user(request, text % values, messages.ERROR)
            else:
                text = _("%(provider)s answers.")
                self.message_user(request, text % {"provider": state.provider_id})
