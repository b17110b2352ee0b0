"""The only two ways in which this app reports upwards; both are sent after the commit."""

from __future__ import annotations

from django.dispatch import Signal

# Each carries `download_id: uuid.UUID`. The listener's own tick repairs a missed one.
download_completed = Signal()
download_failed = Signal()
