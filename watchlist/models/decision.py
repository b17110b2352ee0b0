"""Why the system did or did not download an episode for an item: the last automatic decision."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from watchlist.models.episode import Episode
from watchlist.models.watchlist_item import WatchlistItem


class Decision(models.Model):
    """A reason code and the facts that led to it; `watchlist.reasons` makes a sentence of both."""

    item = models.ForeignKey(
        WatchlistItem,
        verbose_name=_("watchlist item"),
        on_delete=models.CASCADE,
        related_name="decisions",
    )
    episode = models.ForeignKey(
        Episode, verbose_name=_("episode"), on_delete=models.CASCADE, related_name="decisions"
    )
    code = models.CharField(_("reason"), max_length=40)
    facts = models.JSONField(_("facts"), default=dict, blank=True)
    is_ignored = models.BooleanField(_("ignored by the user"), default=False)
    decided_at = models.DateTimeField(_("decided"), default=timezone.now)

    class Meta:
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["item", "episode"], name="decision_once"),
        ]

    def __str__(self) -> str:
        return self.code
