"""The durable queue: one row is one self-contained order, its history and its attempts."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from downloads.states import ACTIVE, State


class Limiter(models.Model):
    """The row that every claim locks, so that a cap holds over all workers on both databases."""

    scope = models.CharField(_("scope"), max_length=64, primary_key=True)
    automatic_cap = models.PositiveSmallIntegerField(_("automatic downloads at once"), default=2)
    rate_limit_bps = models.PositiveBigIntegerField(
        _("speed limit (bytes a second)"), null=True, blank=True
    )
    window_start = models.TimeField(_("download only from"), null=True, blank=True)
    window_end = models.TimeField(_("download only until"), null=True, blank=True)
    next_position = models.PositiveBigIntegerField(default=1)

    class Meta:
        verbose_name = _("download limits")
        verbose_name_plural = _("download limits")

    def __str__(self) -> str:
        return self.scope


class Download(models.Model):
    """An order to put one episode in one quality into the library.

    `state` is written by `downloads.transitions` alone. While a worker holds the row, `owner`,
    `fence` and `lease_expires_at` say who; a write that does not carry the current fence is lost.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(_("name"), max_length=300)

    # What to resolve: opaque references that only the provider understands.
    provider_id = models.CharField(_("provider"), max_length=40)
    series_ref = models.CharField(max_length=2000)
    episode_ref = models.CharField(max_length=500)
    lang = models.CharField(_("language"), max_length=20, blank=True)
    quality = models.CharField(_("wanted quality"), max_length=10, default="auto")
    dedupe_key = models.CharField(max_length=64, unique=True, editable=False)

    # Where it goes, relative to the library.
    target_folder = models.CharField(_("folder"), max_length=1000)
    target_stem = models.CharField(_("file name"), max_length=400)
    variant = models.CharField(max_length=20, blank=True)

    is_automatic = models.BooleanField(_("automatic"), default=True)
    priority = models.SmallIntegerField(_("priority"), default=0)
    position = models.PositiveBigIntegerField(_("position"), default=0)
    rate_limit_bps = models.PositiveBigIntegerField(null=True, blank=True)

    state = models.CharField(
        _("state"),
        max_length=12,
        choices=[(state.value, state.value) for state in State],
        default=State.QUEUED,
    )
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    reason_text = models.TextField(_("explanation"), blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    # What must fit on the disk before one that waits for room can go on.
    needed_bytes = models.PositiveBigIntegerField(default=0)

    owner = models.CharField(max_length=120, blank=True)
    fence = models.PositiveIntegerField(default=0)
    lease_expires_at = models.DateTimeField(null=True, blank=True)

    stage = models.CharField(_("stage"), max_length=20, blank=True)
    source_label = models.CharField(_("source"), max_length=120, blank=True)
    bytes_done = models.PositiveBigIntegerField(_("bytes done"), default=0)
    bytes_total = models.PositiveBigIntegerField(_("bytes in all"), null=True, blank=True)
    speed_bps = models.PositiveBigIntegerField(_("bytes a second"), default=0)
    eta_seconds = models.PositiveIntegerField(null=True, blank=True)

    # The publish intent, written before the rename, so that a kill in between can be repaired.
    final_path = models.CharField(_("file"), max_length=1500, blank=True)
    final_size_bytes = models.PositiveBigIntegerField(_("size"), null=True, blank=True)
    final_sha256 = models.CharField(max_length=64, blank=True)
    staged_path = models.CharField(max_length=1500, blank=True)
    height = models.PositiveIntegerField(_("height"), null=True, blank=True)
    duration_seconds = models.FloatField(_("duration"), null=True, blank=True)

    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        ordering: ClassVar = ["-priority", "position"]
        indexes: ClassVar = [
            models.Index(fields=["state", "-priority", "position"], name="download_queue"),
            models.Index(fields=["lease_expires_at"], name="download_lease"),
            models.Index(fields=["finished_at"], name="download_finished"),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def is_active(self) -> bool:
        """Whether a worker holds it."""
        return State(self.state) in ACTIVE


class DownloadEvent(models.Model):
    """One change of state; append-only."""

    download = models.ForeignKey(Download, on_delete=models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"), default=timezone.now)
    from_state = models.CharField(_("from"), max_length=12)
    to_state = models.CharField(_("to"), max_length=12)
    reason_code = models.CharField(_("reason"), max_length=40, blank=True)
    reason_text = models.TextField(_("explanation"), blank=True)

    class Meta:
        verbose_name = _("download event")
        verbose_name_plural = _("download events")
        ordering: ClassVar = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.from_state} -> {self.to_state}"


class DownloadAttempt(models.Model):
    """One source that was tried, and how it ended; kept so that people can read why."""

    download = models.ForeignKey(Download, on_delete=models.CASCADE, related_name="tries")
    fence = models.PositiveIntegerField()
    source_label = models.CharField(_("source"), max_length=120)
    source_host = models.CharField(_("host"), max_length=255, blank=True)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    bytes_done = models.PositiveBigIntegerField(_("bytes"), default=0)
    error_code = models.CharField(_("error"), max_length=40, blank=True)
    error_text = models.TextField(_("explanation"), blank=True)

    class Meta:
        verbose_name = _("download attempt")
        verbose_name_plural = _("download attempts")
        ordering: ClassVar = ["started_at", "id"]

    def __str__(self) -> str:
        return f"{self.source_label}: {self.error_code or 'ok'}"
