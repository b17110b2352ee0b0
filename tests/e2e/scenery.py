"""A list as somebody has it after a few months: series of every headline, with painted posters."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.utils import timezone
from PIL import Image

from downloads.models import Download
from downloads.states import State
from providers.demo.posters import PosterStore
from watchlist.models import (
    Check,
    CheckStatus,
    Episode,
    Grab,
    Notification,
    NotificationKind,
    Series,
    WatchlistItem,
)
from watchlist.services import tokens
from watchlist.services.posters import key_of
from watchlist.tests.factories import (
    DownloadAttemptFactory,
    GrabFactory,
    NotificationFactory,
    UserFactory,
)

_FIRST = (
    "Glass",
    "Paper",
    "Winter",
    "Iron",
    "Silent",
    "Crimson",
    "Hollow",
    "Salt",
    "Amber",
    "Quiet",
)
_SECOND = ("Harbour", "Lantern", "Orchard", "Express", "Garden", "Archive", "Tide", "Observatory")
_KINDS = (
    "current",
    "new",
    "downloading",
    "late",
    "failed",
    "paused",
    "upcoming",
    "complete",
    "behind",
)
_WEIGHTS = (40, 7, 3, 3, 2, 12, 4, 26, 3)


_POSTERS = PosterStore()


@dataclass(frozen=True, slots=True)
class Painted:
    """A series of the scenery."""

    item: WatchlistItem
    kind: str


def furnish(user: User, count: int, *, seed: int = 7, posters: bool = True) -> list[Painted]:
    """Give the user `count` series; the same seed gives the same list."""
    dice = random.Random(seed)  # noqa: S311 - scenery, not a secret
    kinds = [*_KINDS, *dice.choices(_KINDS, _WEIGHTS, k=max(0, count - len(_KINDS)))][:count]
    return [_series(user, place, kind, dice, posters=posters) for place, kind in enumerate(kinds)]


def _series(user: User, place: int, kind: str, dice: random.Random, *, posters: bool) -> Painted:
    now = timezone.now()
    first, second = _FIRST[place % 10], _SECOND[place // 10 % 8]
    title = f"{first} {second}" + (f" {place // 80 + 1}" if place >= 80 else "")
    lang = dice.choice(["vostfr", "vostfr", "vf"])
    address = (
        f"https://posters.example/{seed_name(place)}.jpg" if posters and place % 7 != 5 else ""
    )
    if address:
        _paint(address, title)
    known = 0 if kind == "upcoming" else dice.choice([8, 12, 12, 13, 24])
    if kind == "late":
        known = 8
    series = Series.objects.create(
        provider_id=dice.choice(["animesama", "nekosama", "animeultime"]),
        ref=f"series-{place}/saison1/{lang}",
        lang=lang,
        title=title,
        synopsis="A lighthouse keeper counts ships that never arrive, until one winter one does.",
        genres=["Drama", "Mystery"],
        poster_url=address,
        airing_status={"complete": "finished", "upcoming": "upcoming"}.get(kind, "airing"),
        episodes_known=known,
        latest_episode=Decimal(known) if known else None,
        latest_season=1 if known else None,
        latest_episode_at=now - timedelta(days=9 if kind == "late" else 2) if known else None,
        last_checked_at=now - timedelta(minutes=dice.randint(1, 300)),
        last_success_at=now - timedelta(hours=3),
        next_check_at=None if kind in {"paused", "complete"} else now + timedelta(hours=3),
        last_error_code="unreachable" if kind == "failed" else "",
        last_error_text="The site did not answer in time." if kind == "failed" else "",
    )
    item = WatchlistItem.objects.create(
        user=user,
        series=series,
        anime_url=f"https://site.example/catalogue/{series.ref}/",
        lang=lang,
        anime_title=title,
        status={"paused": "paused", "complete": "completed"}.get(kind, "active"),
        status_changed_at=now - timedelta(days=12),
        auto_download=kind != "behind",
        last_episode_downloaded=_had(kind, known),
        created_at=now - timedelta(days=place),
    )
    _episodes(series, item, kind, known)
    return Painted(item, kind)


def seed_name(place: int) -> str:
    """The name of a poster in the scenery."""
    return f"poster-{place}"


def _had(kind: str, known: int) -> Decimal | None:
    missing = {"downloading": 2, "behind": 3, "failed": 1, "paused": 4}.get(kind, 0)
    return Decimal(known - missing) if known else None


def _episodes(series: Series, item: WatchlistItem, kind: str, known: int) -> None:
    now = timezone.now()
    last = 9 if kind == "late" else 2
    rows = [
        Episode(
            series=series,
            ref=f"episode-{number}",
            number=number,
            position=number,
            title=f"Night {number}" if number % 3 else "",
            url=f"https://site.example/{series.ref}/{number}",
            first_seen_at=now - timedelta(days=last + 7 * (known - number)),
        )
        for number in range(1, known + 1)
    ]
    Episode.objects.bulk_create(rows)
    had = [row for row in rows if row.number <= (item.last_episode_downloaded or 0)]
    for row in had[-3:]:
        _download(item, row, State.COMPLETED)
    if kind == "downloading":
        _download(item, rows[-2], State.DOWNLOADING)
        _download(item, rows[-1], State.QUEUED)
    if kind == "new":
        facts = {
            "title": item.anime_title,
            "count": known % 3 + 1,
            "first": "1",
            "last": str(known),
        }
        Notification.objects.create(
            user=item.user,
            kind=NotificationKind.FINISHED,
            cause=f"finished:{item.pk}",
            item=item,
            facts=facts,
            created_at=now - timedelta(hours=4),
        )
    if kind != "upcoming":
        Check.objects.create(
            series=series,
            status=CheckStatus.FAILED if kind == "failed" else CheckStatus.SUCCEEDED,
            is_unchanged=kind != "failed",
            error_code="unreachable" if kind == "failed" else "",
            error_text="The site did not answer in time." if kind == "failed" else "",
            finished_at=now - timedelta(hours=3),
            created_at=now - timedelta(hours=3),
        )


def _download(item: WatchlistItem, episode: Episode, state: State) -> Download:
    done = state is State.COMPLETED
    running = state is State.DOWNLOADING
    download = Download.objects.create(
        label=f"{item.anime_title} {episode.number}",
        provider_id=item.series.provider_id,
        series_ref=item.series.ref,
        episode_ref=episode.ref,
        lang=item.lang,
        dedupe_key=f"{item.pk}{episode.ref}"[:64],
        target_folder=f"{item.anime_title}/Season 01",
        target_stem=f"{item.anime_title} - S01E{episode.number:02}",
        state=state,
        stage="fetching" if running else "",
        source_label="sibnet",
        bytes_done=345_000_000 if done else 214_000_000 if running else 0,
        bytes_total=345_000_000 if done or running else None,
        speed_bps=2_100_000 if running else 0,
        eta_seconds=182 if running else None,
        height=1080 if done else None,
        final_path=f"{item.anime_title}/Season 01/file.mp4" if done else "",
        final_size_bytes=345_000_000 if done else None,
        finished_at=timezone.now() if done else None,
        lease_expires_at=timezone.now() + timedelta(hours=1) if running else None,
    )
    Grab.objects.create(
        item=item,
        episode=episode,
        download=download,
        completed_at=timezone.now() if done else None,
    )
    return download


def _paint(address: str, title: str) -> None:
    """A poster of the demo site's kind, straight into the folder of finished posters."""
    folder = Path(settings.DATA_DIR) / "posters"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = folder / f"{key_of(address)}.webp"
    if file.exists():
        return
    picture = Image.open(BytesIO(_POSTERS.png(address, title))).resize((300, 450))
    drawn = BytesIO()
    picture.save(drawn, "WEBP", quality=80)
    file.write_bytes(drawn.getvalue())


def lived_in(owner: User) -> WatchlistItem:
    """A server that has been in use for months; returns a series with a failed download."""
    now = timezone.now()
    things = furnish(owner, 20)
    UserFactory.create(username="mia")
    UserFactory.create(username="noor", is_active=False)
    tokens.create_token(user=owner, name="Home Assistant", days=90)
    failed = next(one.item for one in things if one.kind == "downloading")
    untouched = failed.series.episodes.filter(grabs=None).order_by("-number").iterator()
    for state, reason in ((State.PAUSED, ""), (State.BLOCKED, "disk_low"), (State.CANCELLED, "")):
        GrabFactory.create(
            item=failed,
            episode=next(untouched),
            download__state=state,
            download__reason_code=reason,
        )
    for reason in ("no_usable_player", "protected"):
        grab = GrabFactory.create(
            item=failed,
            episode=next(untouched),
            download__failed=True,
            download__reason_code=reason,
        )
    for label in ("sibnet", "vidmoly"):
        DownloadAttemptFactory.create(download=grab.download, source_label=label)
    trouble: dict[str, Any] = {"user": owner, "kind": NotificationKind.STUCK, "facts": {}}
    NotificationFactory.create(**trouble, cause="part:workers")
    NotificationFactory.create(**trouble, cause="disk", closed_at=now, read_at=now)
    NotificationFactory.create(
        user=owner,
        kind=NotificationKind.FAILED,
        facts={"title": "Glass Harbour", "first": "7", "error": "x" * 90, "code": "not_a_video"},
        created_at=now - timedelta(days=1),
    )
    return failed
