"""Rows as the pure rules of `watchlist.decisions` see them."""

from __future__ import annotations

from dataclasses import replace

from django.conf import settings
from django.utils import timezone

from downloads import queue
from downloads.models import Download, Limiter
from downloads.states import State
from watchlist.decisions import EpisodeFacts, GlobalFacts, GrabFacts, ItemFacts
from watchlist.models import Episode, Grab, Preferences, Series, WatchlistItem


def settings_facts() -> GlobalFacts:
    """What an administrator decided; without the load of the queue, which no decision needs."""
    row = Preferences.objects.filter(pk=Preferences.SINGLETON_ID).first()
    return facts_of(row or Preferences())


def facts_of(row: Preferences) -> GlobalFacts:
    """The same from a row that was read already."""
    return GlobalFacts(
        auto_download_enabled=row.auto_download_enabled,
        include_completed=row.include_completed_anime,
    )


def present_facts() -> GlobalFacts:
    """What holds for everybody now: the settings, and how busy the queue is."""
    now = timezone.now()
    limits = Limiter.objects.filter(scope=queue.GLOBAL_SCOPE).first() or Limiter()
    leased = Download.objects.filter(lease_expires_at__gt=now)
    automatic_flags = list(leased.values_list("is_automatic", flat=True))
    return replace(
        settings_facts(),
        running=len(automatic_flags),
        running_automatic=sum(automatic_flags),
        max_parallel=settings.MAX_PARALLEL_DOWNLOADS,
        max_automatic=limits.automatic_cap,
        is_window_open=queue.is_inside_window(limits, now),
    )


def item_facts(item: WatchlistItem, series: Series) -> ItemFacts:
    """What the user decided for the series; it is given, because not every item has it read."""
    return ItemFacts(
        status=item.status,
        auto_download=item.auto_download,
        last_episode_downloaded=item.last_episode_downloaded,
        last_season_downloaded=item.last_season_downloaded,
        specials_since=item.specials_since,
        has_seasons=series.has_seasons,
    )


def episode_facts(episode: Episode, *, is_ignored: bool) -> EpisodeFacts:
    """What matters of an episode, with what the user decided for it alone."""
    return EpisodeFacts(
        season=episode.season,
        number=episode.number,
        is_special=episode.is_special,
        first_seen_at=episode.first_seen_at,
        is_ignored=is_ignored,
        is_listed=episode.is_listed,
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
