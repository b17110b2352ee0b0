"""The one listener of what `downloads` reports; a missed signal is repaired by the tick."""

from __future__ import annotations

import uuid
from typing import Any

from django.dispatch import receiver

from downloads.models import Download
from downloads.signals import download_completed, download_failed
from watchlist.services import notifications, progress


@receiver(download_completed)
def settle_grabs(download_id: uuid.UUID, **_: Any) -> None:
    """Everybody who wanted the episode has it now."""
    progress.settle(download=Download.objects.get(pk=download_id))


@receiver(download_failed)
def tell_of_failure(download_id: uuid.UUID, **_: Any) -> None:
    """Everybody who still wants the episode is told why it did not come."""
    notifications.download_failed(download=Download.objects.get(pk=download_id))
