"""Write down what a provider answered, the lists above all: what is new, changed or suspect.

A bad answer never deletes or un-downloads anything: a list that is empty or much shorter than known
is a failed check with its own error, until it has been seen often and long enough to be believed.

Answers are recorded in groups, one transaction for each kind: what a check costs is its queries.
"""

from __future__ import annotations

import logging
import uuid
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from django.db import DataError, IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from downloads import queue
from providers.errors import ProviderError
from providers.types import EpisodeList, EpisodeListing, SeriesDetails
from watchlist.models import (
    Check,
    CheckStatus,
    Episode,
    ItemStatus,
    Series,
    WatchlistItem,
)
from watchlist.services import deciding, describing, merging, notifications, starting
from watchlist.services.merging import Known
from watchlist.services.outcomes import (
    Answer,
    Circumstances,
    lock_held,
    lock_series,
    record_failure,
    record_unchanged,
)

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class _Reading:
    """One list on its way into the database."""

    check: Check
    series: Series
    found: EpisodeList
    details: SeriesDetails | None
    known: list[Known]
    new: list[Episode] = field(default_factory=list)
    has_returned: bool = False


def record(*, answers: Sequence[Answer], around: Circumstances) -> None:
    """Close the checks of these answers; a worker that lost its check writes nothing."""
    unchanged: list[Check] = []
    lists: list[Answer] = []
    for answer in answers:
        if answer.error is not None:
            record_failure(check=answer.check, error=answer.error, around=around)
        elif answer.episodes is not None and answer.episodes.unchanged:
            unchanged.append(answer.check)
        else:
            lists.append(answer)
    record_unchanged(checks=unchanged, around=around)
    record_lists(answers=lists, around=around)


def record_lists(*, answers: Sequence[Answer], around: Circumstances) -> None:
    """Take over new lists, or refuse those that are suspect; decide on what is new for everybody.

    One transaction for many. A list that the database refuses takes no other with it: each is then
    recorded by itself, and the one that cannot be is a failed check.
    """
    if not answers:
        return
    try:
        with transaction.atomic():
            _record_lists(answers, around)
    except (DataError, IntegrityError, ArithmeticError, ValueError):
        if len(answers) > 1:
            for answer in answers:
                record_lists(answers=[answer], around=around)
            return
        logger.exception("The list of check %s cannot be stored", answers[0].check.pk)
        error = ProviderError("The list could not be stored; the log of the server says why.")
        record_failure(check=answers[0].check, error=error, around=around)


def _record_lists(answers: Sequence[Answer], around: Circumstances) -> None:
    # The first of all locks, because what is new may be queued at the end. Until then nobody begins
    # to follow, pauses or leaves: whoever is read as a follower still is one.
    queue.limiter(lock=True)
    now = timezone.now()
    readings = []
    for reading in _readings(answers):
        suspect = _suspicion(reading, now)
        if suspect is None:
            readings.append(reading)
        else:
            _note_suspicion(reading, suspect, now, around)
    _merge(readings, now)
    _close(readings, now)
    for reading in readings:
        _describe(reading, now, around.interval)
    describing.save([reading.series for reading in readings])
    for reading in readings:
        if reading.new and reading.series.has_seasons:
            starting.settle_starts(series=reading.series, check=reading.check)
    _decide([reading for reading in readings if reading.new], around)
    _mark([reading.series.pk for reading in readings if reading.has_returned])


def _readings(answers: Sequence[Answer]) -> list[_Reading]:
    """The answers of checks that are still ours, with the rows that they are compared with."""
    series = {row.pk: row for row in lock_series(answer.check for answer in answers)}
    held = {check.pk for check in lock_held(answer.check for answer in answers)}
    known: dict[uuid.UUID, list[Known]] = defaultdict(list)
    episodes = Episode.objects.filter(series_id__in=series).order_by()
    for series_id, *row in episodes.values_list("series_id", *Known._fields):
        known[series_id].append(Known(*row))
    return [
        _Reading(
            a.check, series[a.check.series_id], a.episodes, a.details, known[a.check.series_id]
        )
        for a in answers
        if a.check.pk in held and a.episodes is not None
    ]


def _suspicion(reading: _Reading, now: datetime) -> ProviderError | None:
    series = reading.series
    return merging.suspicion(
        reading.known,
        reading.found.episodes,
        suspect_since=series.suspect_since,
        suspect_count=series.suspect_count,
        now=now,
    )


def _note_suspicion(
    reading: _Reading, error: ProviderError, now: datetime, around: Circumstances
) -> None:
    series = reading.series
    Series.objects.filter(pk=series.pk).update(
        suspect_since=series.suspect_since or now, suspect_count=series.suspect_count + 1
    )
    record_failure(check=reading.check, error=error, around=around)


def _merge(readings: list[_Reading], now: datetime) -> None:
    """Write the new and the changed episodes of all lists together."""
    likenesses = _likenesses(readings)
    changed: list[Known] = []
    for reading in readings:
        listed = reading.found.episodes
        merge = merging.merge(reading.known, listed, likenesses.get(reading.series.pk, {}))
        reading.new = [_new_episode(reading, entry, now) for entry in merge.new]
        reading.has_returned = merge.has_returned
        changed += merge.changed
    Episode.objects.bulk_create(
        [episode for reading in readings for episode in reading.new], batch_size=500
    )
    if changed:
        Episode.objects.bulk_update(map(_row_of, changed), _CHANGING, batch_size=200)


def _likenesses(readings: list[_Reading]) -> dict[uuid.UUID, dict[merging.Likeness, Known]]:
    lost = {
        episode.id: episode
        for reading in readings
        for episode in merging.orphans(reading.known, reading.found.episodes)
    }
    found: dict[uuid.UUID, dict[merging.Likeness, Known]] = defaultdict(dict)
    if lost:
        for row in Episode.objects.filter(pk__in=lost).only(
            "series_id", "season", "number", "is_special"
        ):
            key = merging.likeness(season=row.season, number=row.number, is_special=row.is_special)
            found[row.series_id][key] = lost[row.pk]
    return found


_CHANGING: Final = ("ref", "position", "title", "url", "is_listed")


def _row_of(episode: Known) -> Episode:
    return Episode(pk=episode.id, **{name: getattr(episode, name) for name in _CHANGING})


def _new_episode(reading: _Reading, entry: EpisodeListing, now: datetime) -> Episode:
    return Episode(
        series=reading.series,
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
        found_by=reading.check,
    )


def _close(readings: list[_Reading], now: datetime) -> None:
    by_count: dict[int, list[uuid.UUID]] = defaultdict(list)
    for reading in readings:
        by_count[len(reading.new)].append(reading.check.pk)
    for new_count, check_ids in by_count.items():
        Check.objects.filter(pk__in=check_ids).update(
            status=CheckStatus.SUCCEEDED,
            finished_at=now,
            lease_expires_at=None,
            new_count=new_count,
        )


def _describe(reading: _Reading, now: datetime, interval: timedelta) -> None:
    series, details = reading.series, reading.details
    if details is not None:
        describing.take_details(series, details, now)
        if not reading.known:
            describing.complete_reference(series, details.series_ref)
    count = len(reading.known) + len(reading.new)
    describing.take_list(series, reading.found, count=count, new=reading.new, now=now)
    describing.note_success(series, now, interval)


def _decide(readings: list[_Reading], around: Circumstances) -> None:
    items: dict[uuid.UUID, list[WatchlistItem]] = defaultdict(list)
    ids = [reading.series.pk for reading in readings]
    for item in _followers(ids).order_by("created_at"):
        items[item.series_id].append(item)
    found = [
        deciding.NewEpisodes(
            reading.series,
            reading.new,
            items[reading.series.pk],
            # A whole list that is seen for the first time is a back catalogue.
            just_appeared=bool(reading.known),
        )
        for reading in readings
    ]
    deciding.decide_for_new_episodes(found=found, everybody=around.everybody)
    if around.notifies_of_new_episodes:
        for news in found:
            if news.just_appeared:
                notifications.new_episodes(
                    series=news.series, episodes=news.episodes, items=news.items
                )


def _mark(series_ids: list[uuid.UUID]) -> None:
    """Nothing is queued while it is not listed: what has returned is decided on by the tick."""
    if series_ids:
        _followers(series_ids).update(needs_decision=True)


def _followers(series_ids: list[uuid.UUID]) -> QuerySet[WatchlistItem]:
    items = WatchlistItem.objects.filter(series_id__in=series_ids, user__is_active=True)
    return items.exclude(status=ItemStatus.ARCHIVED)
