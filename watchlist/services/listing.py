"""Write down what a provider answered: new episodes, nothing new, or why it could not be read.

A bad answer never deletes or un-downloads anything: a list that is empty or much shorter than known
is a failed check with its own error, until it has been seen often and long enough to be believed.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from providers.errors import EmptyList, ProviderError
from providers.types import EpisodeList, EpisodeListing, PageValidator, SeriesDetails
from watchlist.decisions import GlobalFacts
from watchlist.models import (
    Check,
    CheckStatus,
    Episode,
    ItemStatus,
    Series,
    WatchlistItem,
)
from watchlist.services import grabbing, notifications, scheduler
from watchlist.services.due import next_after_failure, next_regular
from watchlist.services.preferences import preferences

# A list that lost more than this is not believed at first.
SHRINK_RATIO: Final = 0.8
SHRINK_EPISODES: Final = 3
BELIEVED_AFTER: Final = 3
BELIEVED_AGE: Final = timedelta(hours=72)
# Nobody tried to reach the site, so this says nothing of the series.
_NOT_ITS_FAULT: Final = frozenset({"provider_disabled", "backing_off"})


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What holds for every check of a batch; read once, because each query counts."""

    interval: timedelta
    everybody: GlobalFacts
    notifies_of_new_episodes: bool


def circumstances() -> Circumstances:
    """The settings as they are now."""
    row = preferences()
    return Circumstances(scheduler.interval(), grabbing.facts_of(row), row.notify_on_new_episodes)


def record_unchanged(*, checks: Sequence[Check], around: Circumstances) -> None:
    """Close checks whose series has nothing new; one transaction for many."""
    if not checks:
        return
    now = timezone.now()
    with transaction.atomic():
        closed = set(
            Check.objects.select_for_update()
            .filter(
                pk__in=[check.pk for check in checks],
                status=CheckStatus.RUNNING,
                owner=checks[0].owner,
            )
            .values_list("pk", flat=True)
        )
        Check.objects.filter(pk__in=closed).update(
            status=CheckStatus.SUCCEEDED,
            is_unchanged=True,
            finished_at=now,
            lease_expires_at=None,
        )
        series_ids = [check.series_id for check in checks if check.pk in closed]
        _reschedule_unchanged(series_ids, now, around.interval)


def _reschedule_unchanged(series_ids: list[Any], now: datetime, interval: timedelta) -> None:
    rows = Series.objects.filter(pk__in=series_ids)
    rows.update(
        last_checked_at=now,
        last_success_at=now,
        failures=0,
        last_error_code="",
        last_error_text="",
        suspect_since=None,
        suspect_count=0,
    )
    watched = [
        Series(pk=pk) for pk in rows.exclude(next_check_at=None).values_list("pk", flat=True)
    ]
    for series in watched:
        series.next_check_at = next_regular(now, interval)
    Series.objects.bulk_update(watched, ["next_check_at"])


def record_failure(*, check: Check, error: ProviderError, around: Circumstances) -> None:
    """Close a check that failed, with its reason, and schedule the next try."""
    now = timezone.now()
    with transaction.atomic():
        series = Series.objects.select_for_update().get(pk=check.series_id)
        if not _close(check, CheckStatus.FAILED, now, error_code=error.code, error_text=str(error)):
            return
        if error.code not in _NOT_ITS_FAULT:
            series.failures += 1
        series.last_checked_at = now
        series.last_error_code = error.code
        series.last_error_text = str(error)
        if series.next_check_at is not None:
            series.next_check_at = next_after_failure(
                now, around.interval, max(series.failures, 1), error.retry_after_seconds
            )
        series.save()


def record_list(
    *, check: Check, found: EpisodeList, details: SeriesDetails | None, around: Circumstances
) -> None:
    """Take over a new list, or refuse it as suspect; decide on what is new for everybody."""
    now = timezone.now()
    series = check.series
    with transaction.atomic():
        known = _known_episodes(series)
        suspicion = _suspicion(series, known, found.episodes, now)
        if suspicion is not None:
            _note_suspicion(series, now)
            record_failure(check=check, error=suspicion, around=around)
            return
        new = _merge(series, check, known, found.episodes, now)
        # Only one check of a series is open, so whoever closes it is the only writer of its list.
        if not _close(check, CheckStatus.SUCCEEDED, now, new_count=len(new)):
            transaction.set_rollback(True)
            return
        _describe_success(series, found, details, new, now)
        series.episodes_known = len(known) + len(new)
        next_check_at = next_regular(now, around.interval)
        # The row is written before the followers are read: somebody who begins to follow at this
        # moment holds its lock, and is seen, or waits for it, and sees the new episodes.
        _save_success(series, next_check_at)
        _decide(series, new, around, just_appeared=bool(known))


_Likeness = tuple[int, Decimal, bool]


class _Known(NamedTuple):
    """What a comparison needs of an episode, and no more: there may be a thousand."""

    id: uuid.UUID
    ref: str
    position: int
    title: str
    url: str
    is_listed: bool


def _known_episodes(series: Series) -> list[_Known]:
    rows = Episode.objects.filter(series_id=series.pk).order_by()
    return [_Known(*row) for row in rows.values_list(*_Known._fields)]


def _decide(
    series: Series, new: list[Episode], around: Circumstances, *, just_appeared: bool
) -> None:
    if not new:
        return
    items = list(WatchlistItem.objects.filter(series=series).exclude(status=ItemStatus.ARCHIVED))
    grabbing.decide_for_new_episodes(
        series=series,
        episodes=new,
        items=items,
        everybody=around.everybody,
        just_appeared=just_appeared,
    )
    if just_appeared and around.notifies_of_new_episodes:
        notifications.new_episodes(series=series, episodes=new, items=items)


def _close(check: Check, status: CheckStatus, now: datetime, **facts: Any) -> bool:
    """Compare-and-set: a worker that lost its check writes nothing."""
    closed = Check.objects.filter(
        pk=check.pk, status=CheckStatus.RUNNING, owner=check.owner
    ).update(status=status, finished_at=now, lease_expires_at=None, **facts)
    return closed == 1


def _suspicion(
    series: Series, known: list[_Known], listed: Sequence[EpisodeListing], now: datetime
) -> EmptyList | None:
    before = sum(1 for episode in known if episode.is_listed)
    after = len(listed)
    if not listed:
        return EmptyList("The site's list has no episodes; nothing was changed.")
    lost = before - after
    if lost <= 0 or (lost <= SHRINK_EPISODES and after >= before * SHRINK_RATIO):
        return None
    is_old = series.suspect_since is not None and now - series.suspect_since >= BELIEVED_AGE
    if is_old and series.suspect_count + 1 >= BELIEVED_AFTER:
        return None
    return EmptyList(f"The site lists {after} episodes, {before} were known; nothing was changed.")


def _note_suspicion(series: Series, now: datetime) -> None:
    Series.objects.filter(pk=series.pk).update(
        suspect_since=series.suspect_since or now, suspect_count=F("suspect_count") + 1
    )


def _merge(
    series: Series,
    check: Check,
    known: list[_Known],
    listed: Sequence[EpisodeListing],
    now: datetime,
) -> list[Episode]:
    """Match the list with what is known and return the episodes that are new."""
    by_ref = {episode.ref: episode for episode in known}
    listed_refs = {entry.ref for entry in listed}
    # An episode whose reference changed (the site renamed its pages) is the same one when season
    # and number agree; without this everything would be downloaded again.
    orphans = _by_likeness([episode for episode in known if episode.ref not in listed_refs])
    new: list[Episode] = []
    changed: list[Episode] = []
    kept: set[uuid.UUID] = set()
    for entry in listed:
        episode = by_ref.get(entry.ref) or orphans.pop(_likeness(entry), None)
        if episode is None:
            new.append(_new_episode(series, check, entry, now))
            continue
        kept.add(episode.id)
        fresh = _fresh(episode, entry)
        if fresh != episode:
            changed.append(_row_of(fresh))
    gone = [episode for episode in known if episode.is_listed and episode.id not in kept]
    changed += [_row_of(episode._replace(is_listed=False)) for episode in gone]
    Episode.objects.bulk_create(new, batch_size=200)
    if changed:
        Episode.objects.bulk_update(changed, _CHANGING, batch_size=200)
    return new


# Number and season stay as they were first seen: files and progress hang on them.
_CHANGING: Final = ("ref", "position", "title", "url", "is_listed")


def _fresh(episode: _Known, entry: EpisodeListing) -> _Known:
    return episode._replace(
        ref=entry.ref,
        position=entry.position,
        title=entry.title or episode.title,
        url=entry.url,
        is_listed=True,
    )


def _row_of(episode: _Known) -> Episode:
    return Episode(pk=episode.id, **{name: getattr(episode, name) for name in _CHANGING})


def _by_likeness(orphans: list[_Known]) -> dict[_Likeness, _Known]:
    if not orphans:
        return {}
    by_id = {episode.id: episode for episode in orphans}
    rows = Episode.objects.filter(pk__in=by_id).only("season", "number", "is_special")
    return {_likeness(row): by_id[row.pk] for row in rows}


def _likeness(episode: Episode | EpisodeListing) -> _Likeness:
    return episode.season, Decimal(episode.number).normalize(), episode.is_special


def _new_episode(series: Series, check: Check, entry: EpisodeListing, now: datetime) -> Episode:
    return Episode(
        series=series,
        ref=entry.ref,
        number=entry.number,
        season=entry.season,
        is_special=entry.is_special,
        position=entry.position,
        title=entry.title,
        url=entry.url,
        duration_seconds=entry.duration_seconds,
        published_at=entry.published_at,
        first_seen_at=now,
        found_by=check,
    )


def _take_details(series: Series, details: SeriesDetails, now: datetime) -> None:
    if details.title:
        series.title, series.is_title_guessed = details.title[:300], False
        WatchlistItem.objects.filter(series=series, is_title_guessed=True).update(
            anime_title=series.title, is_title_guessed=False
        )
    series.other_titles = list(details.other_titles)
    series.synopsis = details.synopsis or series.synopsis
    series.genres = list(details.genres) or series.genres
    series.poster_url = details.poster_url or series.poster_url
    series.airing_status = details.airing_status
    series.details_at = now
    series.save(update_fields=_DETAILS)


_DETAILS: Final = (
    "title",
    "is_title_guessed",
    "other_titles",
    "synopsis",
    "genres",
    "poster_url",
    "airing_status",
    "details_at",
)


def _describe_success(
    series: Series,
    found: EpisodeList,
    details: SeriesDetails | None,
    new: list[Episode],
    now: datetime,
) -> None:
    if details is not None:
        _take_details(series, details, now)
    series.validators = {role: _as_json(validator) for role, validator in found.validators.items()}
    # Episodes are never removed and keep their numbers, so the highest can only rise.
    numbers = [episode.number for episode in new if not episode.is_special]
    if numbers:
        series.latest_episode = max([*numbers, series.latest_episode or min(numbers)])
        series.latest_episode_at = now
    series.last_checked_at = series.last_success_at = now


def _save_success(series: Series, next_check_at: datetime) -> None:
    """One statement; a series that nobody wants checked any more stays off the schedule."""
    Series.objects.filter(pk=series.pk).update(
        validators=series.validators,
        episodes_known=series.episodes_known,
        latest_episode=series.latest_episode,
        latest_episode_at=series.latest_episode_at,
        last_checked_at=series.last_checked_at,
        last_success_at=series.last_success_at,
        failures=0,
        last_error_code="",
        last_error_text="",
        suspect_since=None,
        suspect_count=0,
        next_check_at=Case(When(next_check_at=None, then=None), default=Value(next_check_at)),
    )


def _as_json(validator: PageValidator) -> dict[str, str]:
    return {
        "etag": validator.etag,
        "last_modified": validator.last_modified,
        "digest": validator.digest,
    }
