"""The global settings: read as one value, changed one by one."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from django.db import transaction

from downloads import queue
from watchlist.models import Preferences, WatchlistItem
from watchlist.services import scheduler
from watchlist.services.due import refresh_watched

INTERVAL_HOURS: Final = scheduler.INTERVAL_RANGE_HOURS
CAP: Final = (1, 16)


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of the contract; ranges are `INTERVAL_HOURS` and `CAP`, ends included."""

    check_interval_hours: int
    auto_download_enabled: bool
    max_concurrent_auto_downloads: int
    notify_on_new_episodes: bool
    include_completed_anime: bool


def preferences() -> Preferences:
    """The one row."""
    row = Preferences.objects.filter(pk=Preferences.SINGLETON_ID).first()
    return row or Preferences.objects.get_or_create(pk=Preferences.SINGLETON_ID)[0]


def read_settings() -> Settings:
    """All settings as they are now."""
    row = preferences()
    return Settings(
        check_interval_hours=scheduler.interval_hours(),
        auto_download_enabled=row.auto_download_enabled,
        max_concurrent_auto_downloads=queue.automatic_cap(),
        notify_on_new_episodes=row.notify_on_new_episodes,
        include_completed_anime=row.include_completed_anime,
    )


def change_settings(*, changes: dict[str, Any]) -> Settings:
    """Change what `changes` names; values are already validated against their ranges."""
    unknown = set(changes) - {field.name for field in fields(Settings)}
    if unknown:
        raise KeyError(f"no such settings: {sorted(unknown)}")
    before = read_settings()
    with transaction.atomic():
        # Many items may be marked, and the cap stands in this row itself.
        queue.limiter(lock=True)
        own = {name: changes[name] for name in _OWN & set(changes)}
        if own:
            Preferences.objects.update_or_create(pk=Preferences.SINGLETON_ID, defaults=own)
        if "check_interval_hours" in changes:
            scheduler.set_interval_hours(changes["check_interval_hours"])
        if "max_concurrent_auto_downloads" in changes:
            queue.set_automatic_cap(changes["max_concurrent_auto_downloads"])
        after = read_settings()
        _follow_up(before, after)
    return after


_OWN = {"auto_download_enabled", "notify_on_new_episodes", "include_completed_anime"}


def _follow_up(before: Settings, after: Settings) -> None:
    """Decide again where the answer may be another now; the tick works through the marks."""
    if before.auto_download_enabled != after.auto_download_enabled:
        WatchlistItem.objects.filter(auto_download=True).update(needs_decision=True)
    if before.include_completed_anime != after.include_completed_anime:
        completed = WatchlistItem.objects.filter(status="completed")
        completed.update(needs_decision=True)
        refresh_watched(list(completed.values_list("series_id", flat=True).distinct()))
