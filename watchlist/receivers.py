"""The one listener of what `downloads` reports; a missed signal is repaired by the tick."""

from __future__ import annotations

import uuid
from typing import Any

from django.dispatch import receiver

from downloads.models import Download
from downloads.signals import download_completed
from watchlist.services import grabbing


@receiver(download_completed)
def settle_grabs(download_id: uuid.UUID, **_: Any) -> None:
    """Everybody who wanted the episode has it now."""
    grabbing.settle(download=Download.objects.get(pk=download_id))
