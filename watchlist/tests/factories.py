"""Rows for tests: valid by default, without network, broker or message."""

# The declarations of factory_boy have no types.
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone
from factory.declarations import (
    LazyAttribute,
    LazyFunction,
    SelfAttribute,
    Sequence,
    SubFactory,
    Trait,
)
from factory.django import DjangoModelFactory, Password

from downloads.models import Download, DownloadAttempt, DownloadEvent
from downloads.states import State
from watchlist.models import (
    ApiToken,
    Check,
    CheckStatus,
    CheckTrigger,
    Decision,
    Episode,
    Grab,
    Notification,
    NotificationKind,
    Profile,
    Series,
    WatchlistItem,
)

PASSWORD = "a long enough passphrase"


class UserFactory(DjangoModelFactory[User]):
    """Somebody who may sign in with `PASSWORD`."""

    class Meta:
        model = User
        skip_postgeneration_save = True

    username = Sequence(lambda n: f"user{n}")
    password = Password(PASSWORD)


class AdministratorFactory(UserFactory):
    """Somebody who may change the global settings."""

    username = Sequence(lambda n: f"administrator{n}")
    is_staff = True
    is_superuser = True


class ProfileFactory(DjangoModelFactory[Profile]):
    """How a user wants the pages."""

    class Meta:
        model = Profile

    user = SubFactory(UserFactory)


class SeriesFactory(DjangoModelFactory[Series]):
    """A series that was checked an hour ago and is due in five."""

    class Meta:
        model = Series

    provider_id = "animesama"
    ref = Sequence(lambda n: f"glass-harbour-{n}/saison1/vostfr")
    lang = "vostfr"
    title = Sequence(lambda n: f"Glass Harbour {n}")
    synopsis = "A lighthouse keeper counts ships that never arrive."
    genres = LazyFunction(lambda: ["Drama", "Mystery"])
    poster_url = "https://posters.example/glass-harbour.jpg"
    last_checked_at = LazyFunction(lambda: timezone.now() - timedelta(hours=1))
    last_success_at = SelfAttribute("last_checked_at")
    next_check_at = LazyFunction(lambda: timezone.now() + timedelta(hours=5))


class WatchlistItemFactory(DjangoModelFactory[WatchlistItem]):
    """One user's wish for one series."""

    class Meta:
        model = WatchlistItem

    user = SubFactory(UserFactory)
    series = SubFactory(SeriesFactory)
    anime_url = LazyAttribute(
        lambda item: f"https://anime-sama.example/catalogue/{item.series.ref}/"
    )
    lang = SelfAttribute("series.lang")
    anime_title = SelfAttribute("series.title")


class CheckFactory(DjangoModelFactory[Check]):
    """A check that found nothing new."""

    class Meta:
        model = Check

    series = SubFactory(SeriesFactory)
    trigger = CheckTrigger.SCHEDULED
    status = CheckStatus.SUCCEEDED
    is_unchanged = True
    finished_at = LazyFunction(timezone.now)


def running_check(series: Series) -> Check:
    """A check of this series that a worker holds."""
    return Check.objects.create(
        series=Series.objects.get(pk=series.pk),
        trigger=CheckTrigger.MANUAL,
        status=CheckStatus.RUNNING,
        owner="worker",
        lease_expires_at=timezone.now() + timedelta(minutes=1),
    )


class EpisodeFactory(DjangoModelFactory[Episode]):
    """A regular episode; numbers rise from one to the next."""

    class Meta:
        model = Episode

    series = SubFactory(SeriesFactory)
    number = Sequence(lambda n: Decimal(n + 1))
    position = LazyAttribute(lambda episode: int(episode.number))
    ref = LazyAttribute(lambda episode: f"episode-{episode.season}-{episode.number}")
    season = 1
    title = LazyAttribute(lambda episode: f"Episode {episode.number}")
    url = LazyAttribute(lambda episode: f"https://anime-sama.example/{episode.ref}")


class DownloadFactory(DjangoModelFactory[Download]):
    """A download that waits in the queue."""

    class Meta:
        model = Download

    label = Sequence(lambda n: f"Glass Harbour S01E{n:02}")
    provider_id = "animesama"
    series_ref = "glass-harbour/saison1/vostfr"
    episode_ref = Sequence(lambda n: f"episode-{n}")
    lang = "vostfr"
    dedupe_key = Sequence(lambda n: f"{n:064x}")
    target_folder = "Glass Harbour/Season 01"
    target_stem = Sequence(lambda n: f"Glass Harbour - S01E{n:02}")
    position = Sequence(lambda n: n + 1)

    class Params:
        completed = Trait(
            state=State.COMPLETED,
            bytes_done=1_000_000,
            bytes_total=1_000_000,
            attempts=1,
            height=1080,
            final_path=LazyAttribute(
                lambda row: f"{row.target_folder}/{row.target_stem} [1080p].mp4"
            ),
            final_size_bytes=1_000_000,
            finished_at=LazyFunction(timezone.now),
        )
        kept = Trait(
            completed=True,
            reason_code="already_in_library",
            reason_text="Already in the library from nekosama; that file is kept.",
        )
        failed = Trait(
            state=State.FAILED,
            attempts=8,
            reason_code="no_usable_player",
            reason_text="Every player failed.",
            finished_at=LazyFunction(timezone.now),
        )
        running = Trait(
            state=State.DOWNLOADING,
            attempts=1,
            fence=1,
            owner="worker",
            stage="fetching",
            source_label="sibnet",
            bytes_done=250_000,
            bytes_total=1_000_000,
            speed_bps=50_000,
            eta_seconds=15,
            started_at=LazyFunction(timezone.now),
            lease_expires_at=LazyFunction(lambda: timezone.now() + timedelta(seconds=30)),
        )


class DownloadEventFactory(DjangoModelFactory[DownloadEvent]):
    """One move of a download."""

    class Meta:
        model = DownloadEvent

    download = SubFactory(DownloadFactory)
    from_state = State.QUEUED
    to_state = State.RESOLVING


class DownloadAttemptFactory(DjangoModelFactory[DownloadAttempt]):
    """One source that was tried and failed."""

    class Meta:
        model = DownloadAttempt

    download = SubFactory(DownloadFactory)
    fence = 1
    source_label = "sibnet"
    source_host = "video.example"
    error_code = "unreachable"
    error_text = "The video host did not answer."


class GrabFactory(DjangoModelFactory[Grab]):
    """An item's wish for an episode of its own series, tied to a queued download."""

    class Meta:
        model = Grab

    item = SubFactory(WatchlistItemFactory)
    episode = SubFactory(EpisodeFactory, series=SelfAttribute("..item.series"))
    download = SubFactory(DownloadFactory)
    completed_at = LazyAttribute(
        lambda grab: timezone.now() if grab.download.state == State.COMPLETED else None
    )


class DecisionFactory(DjangoModelFactory[Decision]):
    """The last automatic decision on an episode."""

    class Meta:
        model = Decision

    item = SubFactory(WatchlistItemFactory)
    episode = SubFactory(EpisodeFactory, series=SelfAttribute("..item.series"))
    code = "wanted"


class NotificationFactory(DjangoModelFactory[Notification]):
    """News of a new episode."""

    class Meta:
        model = Notification

    user = SubFactory(UserFactory)
    kind = NotificationKind.NEW_EPISODE
    cause = Sequence(lambda n: f"new_episode:{n}")


def token_for(user: User, **columns: Any) -> str:
    """A token of this user, in the clear, for `Authorization: Bearer`."""
    _, token = ApiToken.objects.create(user=user)
    if columns:
        ApiToken.objects.filter(user=user).update(**columns)
    return str(token)
