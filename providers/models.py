"""What is remembered of each provider over restarts: on or off, its address, its health."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderState(models.Model):
    """One provider; a provider without a row has the values of the settings.

    Written only by `providers.states`, with conditional updates, because several workers meet the
    same outage at the same moment.
    """

    provider_id = models.CharField(_("provider"), primary_key=True, max_length=40)
    enabled = models.BooleanField(
        _("enabled"), null=True, blank=True, help_text=_("Unknown means: as the settings say.")
    )
    base_url = models.CharField(
        _("address"),
        max_length=500,
        blank=True,
        default="",
        help_text=_("Empty means: the address of the settings, or the last known one."),
    )
    is_base_url_manual = models.BooleanField(
        _("address set by an administrator"), default=False, editable=False
    )
    moved_from = models.CharField(_("moved from"), max_length=500, blank=True, default="")
    level = models.PositiveSmallIntegerField(_("back-off level"), default=0)
    first_failure_at = models.DateTimeField(_("failing since"), null=True, blank=True)
    last_failure_at = models.DateTimeField(_("last failure"), null=True, blank=True)
    last_success_at = models.DateTimeField(_("last success"), null=True, blank=True)
    retry_at = models.DateTimeField(_("asked again at"), null=True, blank=True)
    last_error_code = models.CharField(_("last error code"), max_length=40, blank=True, default="")
    last_error_message = models.CharField(_("last error"), max_length=500, blank=True, default="")
    updated_at = models.DateTimeField(_("updated"), auto_now=True)

    class Meta:
        verbose_name = _("provider")
        verbose_name_plural = _("providers")
        ordering = ["provider_id"]

    def __str__(self) -> str:
        return self.provider_id
