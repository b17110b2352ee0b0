"""Follow a series, change what is wanted of it, stop following."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from downloads import queue
from downloads.states import FINISHED
from providers import gateway
from providers.errors import NotASeries, ProviderError
from providers.types import SeriesDetails, SeriesLocator
from watchlist.models import (
    CheckTrigger,
    Grab,
    ItemStatus,
    Quality,
    Series,
    WatchlistItem,
)
from watchlist.services import asking, deciding, grabbing, starting
from watchlist.services.due import refresh_watched, request_check

DEFAULT_LANG: Final = "vostfr"
_AT_ONCE: Final = 100
# Changes after which the automatic rule may answer differently.
_DECIDING: Final = frozenset(
    {"auto_download", "quality_preference", "status", "lang", *starting.COLUMNS}
)


class AlreadyFollowed(Exception):
    """The user follows this series already; `item` is theirs."""

    def __init__(self, item: WatchlistItem) -> None:
        super().__init__("You already follow this series.")
        self.item = item


class NoSuchLanguage(Exception):
    """The provider lists this language as a separate page; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a user wants to follow, already valid in shape; None means "as the provider says"."""

    anime_url: str
    provider_id: str
    lang: str | None = None
    anime_title: str | None = None
    poster_image: str | None = None
    synopsis: str | None = None
    genres: Sequence[str] | None = None
    auto_download: bool = True
    quality_preference: str = Quality.AUTO
    status: str = ItemStatus.ACTIVE
    last_episode_downloaded: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """A located series, with what the provider told of it in time."""

    locator: SeriesLocator
    lang: str
    series_ref: str
    details: SeriesDetails | None = None
    error: ProviderError | None = field(default=None, compare=False)


def follow(*, user: User, wish: Wish, found: Found | None = None) -> WatchlistItem:
    """Put a series on the user's list and check it at once.

    Args:
        user: on whose list.
        wish: what of the series.
        found: what `look_up` gave for this wish a moment ago; looked up when left out.

    Raises:
        ProviderError: the URL is not a series of that provider, or there is no such provider.
        NoSuchLanguage: the URL leads to another language, and the wished one is a page of its own.
        AlreadyFollowed: it is on the list already.
    """
    found = found or look_up(wish.provider_id, wish.anime_url, wish.lang)
    with transaction.atomic():
        # A check that is finding episodes holds this lock, too, and so does not miss the new item.
        queue.limiter(lock=True)
        series = _series_for(wish.provider_id, found)
        existing = WatchlistItem.objects.filter(user=user, series=series).first()
        if existing is not None:
            raise AlreadyFollowed(existing)
        item = _create_item(user, series, wish, found)
        deciding.decide_again(item=item)
        if item.status == ItemStatus.ACTIVE:
            request_check(series, trigger=CheckTrigger.CREATED, by=user)
        refresh_watched([series.pk])
    return item


def look_up(provider_id: str, url: str, lang: str | None) -> Found:
    """What a URL of a provider leads to; asks the provider, but never waits long for it."""
    locator = gateway.locate(provider_id, url)
    chosen = lang or locator.lang or DEFAULT_LANG
    series_ref = locator.series_ref
    if locator.lang is None or locator.lang != chosen:
        other = gateway.with_language(provider_id, series_ref, chosen)
        if other is None:
            text = _("This page is in %(lang)s; the provider has a separate page for %(chosen)s.")
            raise NoSuchLanguage(text % {"lang": locator.lang, "chosen": chosen})
        series_ref = other
    try:
        details = asking.details(provider_id, series_ref, chosen)
    except NotASeries:
        raise
    except ProviderError as error:
        return Found(locator, chosen, series_ref, error=error)
    return Found(locator, chosen, details.series_ref or series_ref, details)


def change(*, item: WatchlistItem, changes: Mapping[str, Any]) -> WatchlistItem:
    """Change what `changes` names of one item; see `change_each`.

    Raises WatchlistItem.DoesNotExist when it was removed meanwhile.
    """
    changed = change_each(changes={item.pk: changes})
    if not changed:
        raise WatchlistItem.DoesNotExist
    return changed[0]


def change_each(*, changes: Mapping[uuid.UUID, Mapping[str, Any]]) -> list[WatchlistItem]:
    """Change what `changes` names for each item; the values are already valid in shape.

    Raises NoSuchLanguage, or AlreadyFollowed when the other language is on the list already.
    """
    ids = list(changes)
    changed: list[WatchlistItem] = []
    # The lock of the queue, which workers wait for, is given back now and then.
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        with transaction.atomic():
            changed += _change_some({pk: changes[pk] for pk in some})
    return changed


def _change_some(changes: Mapping[uuid.UUID, Mapping[str, Any]]) -> list[WatchlistItem]:
    queue.limiter(lock=True)
    rows = WatchlistItem.objects.select_for_update(of=("self",), no_key=True)
    found = list(rows.select_related("series").filter(pk__in=list(changes)).order_by("pk"))
    series_before = {row.pk: row.series_id for row in found}
    now = timezone.now()
    touched = {row.pk: _set(row, changes[row.pk], now) for row in found}
    _write(found, touched)
    undecided = [row for row in found if touched[row.pk] & _DECIDING]
    if undecided:
        deciding.decide_again_for(items=undecided)
        before = {series_before[row.pk] for row in undecided}
        refresh_watched(list(before | {row.series_id for row in undecided}))
    for row in undecided:
        if row.series_id != series_before[row.pk]:
            request_check(row.series, trigger=CheckTrigger.CREATED, by=row.user)
    return found


def _set(row: WatchlistItem, changes: Mapping[str, Any], now: datetime) -> set[str]:
    """Set what is to be changed, and all that follows from it; the columns that were touched."""
    touched = {name for name, value in changes.items() if getattr(row, name) != value}
    row.updated_at = now
    if "lang" in touched:
        _change_language(row, changes["lang"])
        touched.add("series_id")
    for name in changes.keys() & touched:
        setattr(row, name, changes[name])
    if "anime_title" in touched:
        row.is_title_guessed = False
        touched.add("is_title_guessed")
    if "status" in touched:
        row.status_changed_at = now
        touched.add("status_changed_at")
    if "last_episode_downloaded" in touched:
        row.specials_since = None if row.last_episode_downloaded is None else now
        touched.add("specials_since")
    # Undo names the season that was; whoever names a number alone means one that has it.
    is_moved = touched & {"last_episode_downloaded", "series_id"}
    if is_moved and "last_season_downloaded" not in changes:
        row.last_season_downloaded = starting.season_for(row.series, row.last_episode_downloaded)
        touched.add("last_season_downloaded")
    return touched | {"updated_at"}


def _write(rows: Iterable[WatchlistItem], touched: Mapping[uuid.UUID, set[str]]) -> None:
    """Rows that get the same values are written together: most often that is all of them."""
    alike: dict[str, list[uuid.UUID]] = defaultdict(list)
    values: dict[str, dict[str, Any]] = {}
    for row in rows:
        columns = {name: getattr(row, name) for name in sorted(touched[row.pk])}
        key = repr(columns)
        values[key] = columns
        alike[key].append(row.pk)
    for key, ids in alike.items():
        WatchlistItem.objects.filter(pk__in=ids).update(**values[key])


def set_status(*, item: WatchlistItem, status: ItemStatus) -> WatchlistItem:
    """Pause, resume, complete or archive; doing it twice changes nothing."""
    return change(item=item, changes={"status": status})


def unfollow(*, item: WatchlistItem) -> None:
    """Take one series off the list; see `unfollow_each`."""
    unfollow_each(items=[item])


def unfollow_each(*, items: Sequence[WatchlistItem]) -> None:
    """Take series off the list; files in the library stay, what is under way is given up."""
    for start in range(0, len(items), _AT_ONCE):
        some = items[start : start + _AT_ONCE]
        with transaction.atomic():
            queue.limiter(lock=True)
            open_grabs = Grab.objects.filter(item__in=some, completed_at=None).exclude(
                download__state__in=FINISHED
            )
            grabbing.withdraw(grabs=open_grabs)
            WatchlistItem.objects.filter(pk__in=[item.pk for item in some]).delete()
            refresh_watched([item.series_id for item in some])


def _series_for(provider_id: str, found: Found) -> Series:
    details = found.details
    title = (details.title if details else "") or found.locator.title_guess
    defaults: dict[str, Any] = {
        "title": title[:300],
        "is_title_guessed": details is None or not details.title,
    }
    if details is not None:
        defaults |= {
            "other_titles": list(details.other_titles),
            "synopsis": details.synopsis,
            "genres": list(details.genres),
            "poster_url": details.poster_url,
            "airing_status": details.airing_status,
            "details_at": timezone.now(),
        }
    series, _ = Series.objects.get_or_create(
        provider_id=provider_id, ref=found.series_ref, lang=found.lang, defaults=defaults
    )
    return series


def _create_item(user: User, series: Series, wish: Wish, found: Found) -> WatchlistItem:
    return WatchlistItem.objects.create(
        user=user,
        series=series,
        anime_url=wish.anime_url,
        lang=found.lang,
        anime_title=(wish.anime_title or series.title)[:300],
        is_title_guessed=not wish.anime_title and series.is_title_guessed,
        poster_image=wish.poster_image or "",
        synopsis=wish.synopsis or "",
        genres=None if wish.genres is None else list(wish.genres),
        auto_download=wish.auto_download,
        quality_preference=wish.quality_preference,
        status=wish.status,
        last_episode_downloaded=wish.last_episode_downloaded,
        last_season_downloaded=starting.season_for(series, wish.last_episode_downloaded),
        specials_since=None if wish.last_episode_downloaded is None else timezone.now(),
    )


def _change_language(item: WatchlistItem, lang: str) -> None:
    series = item.series
    ref = gateway.with_language(series.provider_id, series.ref, lang)
    if ref is None:
        text = _("The provider has a separate page for %(lang)s; follow that one.")
        raise NoSuchLanguage(text % {"lang": lang})
    other, _is_new = Series.objects.get_or_create(
        provider_id=series.provider_id,
        ref=ref,
        lang=lang,
        defaults={
            "title": series.title,
            "is_title_guessed": series.is_title_guessed,
            "synopsis": series.synopsis,
            "genres": series.genres,
            "poster_url": series.poster_url,
        },
    )
    taken = WatchlistItem.objects.filter(user=item.user, series=other).exclude(pk=item.pk).first()
    if taken is not None:
        raise AlreadyFollowed(taken)
    unfinished = Grab.objects.filter(item=item, completed_at=None)
    grabbing.withdraw(grabs=unfinished)
    item.series = other
