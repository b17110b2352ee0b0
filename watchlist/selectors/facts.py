"""Rows as the pure rules of `watchlist.decisions` see them."""

from __future__ import annotations

from django.conf import settings
from django.utils import timezone

from downloads import queue
from downloads.models import Download, Limiter
from downloads.states import State
from watchlist.decisions import GlobalFacts, GrabFacts
from watchlist.models import Grab
from watchlist.services.grabbing import episode_facts, global_facts, item_facts

__all__ = ["episode_facts", "grab_facts", "item_facts", "present_facts"]


def present_facts() -> GlobalFacts:
    """What holds for everybody now: the settings, and how busy the queue is."""
    now = timezone.now()
    limits = Limiter.objects.filter(scope=queue.GLOBAL_SCOPE).first() or Limiter()
    decided = global_facts()
    leased = Download.objects.filter(lease_expires_at__gt=now)
    automatic_flags = list(leased.values_list("is_automatic", flat=True))
    return GlobalFacts(
        auto_download_enabled=decided.auto_download_enabled,
        include_completed=decided.include_completed,
        running=len(automatic_flags),
        running_automatic=sum(automatic_flags),
        max_parallel=settings.MAX_PARALLEL_DOWNLOADS,
        max_automatic=limits.automatic_cap,
        is_window_open=queue.is_inside_window(limits, now),
    )


def grab_facts(grab: Grab) -> GrabFacts:
    """Where the download of a grab stands; the download is already fetched."""
    download = grab.download
    return GrabFacts(
        state=State(download.state),
        reason_code=download.reason_code,
        reason_text=download.reason_text,
        not_before=download.not_before,
        attempts=download.attempts,
        is_automatic=download.is_automatic,
        is_cancelled_here=grab.cancelled_at is not None,
    )
