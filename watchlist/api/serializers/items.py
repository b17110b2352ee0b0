"""Watchlist items in JSON."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from providers.types import AiringStatus
from watchlist.api.fields import (
    ChoicesField,
    CleanCharField,
    EpisodeNumberField,
    GenresField,
    MomentField,
    StrictBooleanField,
    WebAddressField,
)
from watchlist.api.values import moment, number
from watchlist.models import ItemStatus, Quality
from watchlist.selectors.items import ORDERINGS, ItemQuery, ItemRow
from watchlist.services.items import Wish

MAX_TITLE: Final = 300
MAX_SYNOPSIS: Final = 10_000
MAX_SEARCH: Final = 100
PROVIDER_ID: Final = r"\A[A-Za-z0-9_-]{1,40}\Z"
LANG: Final = r"\A[a-z0-9-]{1,20}\Z"
STATUSES: Final = tuple(status.value for status in ItemStatus)
SORTS: Final = (*ORDERINGS, *(f"-{name}" for name in ORDERINGS))
_START_IS: Final = (
    "Wanted are the episodes after this number, all when it is null; it follows what is downloaded."
)
_SEASON_IS: Final = (
    "Where numbers begin again with each season, a number that is sent means the last season that "
    "has it, else the latest one; one below all, like 0, stands before the first."
)


class ItemSerializer(serializers.Serializer[ItemRow]):
    """One item; `to_representation` writes what the fields say, without DRF's cost for each."""

    id = serializers.UUIDField()
    anime_title = serializers.CharField()
    anime_url = serializers.CharField()
    provider_id = serializers.CharField()
    lang = serializers.CharField()
    auto_download = serializers.BooleanField()
    quality_preference = serializers.ChoiceField(Quality.choices)
    status = serializers.ChoiceField(ItemStatus.choices)
    poster_image = serializers.CharField()
    synopsis = serializers.CharField()
    genres = serializers.ListField(child=serializers.CharField())
    last_episode_downloaded = serializers.FloatField(allow_null=True, help_text=_START_IS)
    latest_episode = serializers.FloatField(
        allow_null=True, help_text="The highest number of the latest season."
    )
    latest_episode_at = MomentField(allow_null=True)
    episodes_known = serializers.IntegerField()
    airing_status = serializers.ChoiceField([status.value for status in AiringStatus])
    last_checked_at = MomentField(allow_null=True)
    next_check_at = MomentField(allow_null=True)
    last_error = serializers.CharField(allow_null=True)
    series_id = serializers.UUIDField()
    created_at = MomentField()
    updated_at = MomentField()

    def to_representation(self, instance: ItemRow) -> dict[str, Any]:
        """Write one row; lists of 200 go through here."""
        return {
            "id": str(instance.id),
            "anime_title": instance.anime_title,
            "anime_url": instance.anime_url,
            "provider_id": instance.provider_id,
            "lang": instance.lang,
            "auto_download": instance.auto_download,
            "quality_preference": instance.quality_preference,
            "status": instance.status,
            "poster_image": instance.poster_image,
            "synopsis": instance.synopsis,
            "genres": instance.genres,
            "last_episode_downloaded": number(instance.last_episode_downloaded),
            "latest_episode": number(instance.latest_episode),
            "latest_episode_at": moment(instance.latest_episode_at),
            "episodes_known": instance.episodes_known,
            "airing_status": instance.airing_status,
            "last_checked_at": moment(instance.last_checked_at),
            "next_check_at": moment(instance.next_check_at),
            "last_error": instance.last_error,
            "series_id": str(instance.series_id),
            "created_at": moment(instance.created_at),
            "updated_at": moment(instance.updated_at),
        }


class ItemQuerySerializer(serializers.Serializer[ItemQuery]):
    """What `GET /api/watchlist` may be asked."""

    status = ChoicesField(STATUSES, required=False)
    provider_id = serializers.RegexField(PROVIDER_ID, required=False)
    search = CleanCharField(required=False, allow_blank=True, max_length=MAX_SEARCH)
    ordering = serializers.ChoiceField(SORTS, required=False)


ITEM_FILTERS: Final = frozenset({"status", "provider_id", "search", "ordering"})


def item_query(asked: dict[str, Any]) -> ItemQuery:
    """Ask for what was validated."""
    return ItemQuery(
        statuses=asked.get("status", ()),
        provider_id=asked.get("provider_id", ""),
        search=asked.get("search", ""),
        ordering=asked.get("ordering", "anime_title"),
    )


class ItemChangeSerializer(serializers.Serializer[Any]):
    """What may be changed; only what is sent changes. Empty texts go back to the provider's."""

    anime_title = CleanCharField(required=False, max_length=MAX_TITLE)
    poster_image = WebAddressField(required=False, allow_blank=True, allow_null=True)
    synopsis = CleanCharField(
        required=False,
        allow_blank=True,
        allow_null=True,
        max_length=MAX_SYNOPSIS,
        multiline=True,
    )
    genres = GenresField(required=False, allow_null=True)
    lang = serializers.RegexField(LANG, required=False)
    auto_download = StrictBooleanField(required=False)
    quality_preference = serializers.ChoiceField(Quality.choices, required=False)
    status = serializers.ChoiceField(ItemStatus.choices, required=False)
    last_episode_downloaded = EpisodeNumberField(
        required=False, allow_null=True, help_text=f"{_START_IS} {_SEASON_IS}"
    )

    def changes(self) -> dict[str, Any]:
        """Name the columns to change; a text that was taken back is empty."""
        asked = dict(self.validated_data)
        for name in ("poster_image", "synopsis"):
            if name in asked:
                asked[name] = asked[name] or ""
        return asked


class ItemCreationSerializer(ItemChangeSerializer):
    """What to follow; what is left out is taken from the provider."""

    anime_url = WebAddressField()
    provider_id = serializers.RegexField(PROVIDER_ID)
    anime_title = CleanCharField(
        required=False, allow_blank=True, allow_null=True, max_length=MAX_TITLE
    )
    lang = serializers.RegexField(LANG, required=False, allow_null=True)

    def wish(self) -> Wish:
        """Say what the user wants to follow."""
        return Wish(**self.validated_data)


class CheckAllSerializer(serializers.Serializer[Any]):
    """Whether to check everything, due or not."""

    force = StrictBooleanField(required=False, default=False)


class StatsSerializer(serializers.Serializer[Any]):
    """A user's own figures."""

    total = serializers.IntegerField()
    active = serializers.IntegerField()
    paused = serializers.IntegerField()
    completed = serializers.IntegerField()
    archived = serializers.IntegerField()
    auto_download_enabled = serializers.IntegerField()
    providers = serializers.DictField(child=serializers.IntegerField())
    failing = serializers.IntegerField()
    episodes_known = serializers.IntegerField()
    episodes_downloaded = serializers.IntegerField()
    downloads_running = serializers.IntegerField()
    downloads_waiting = serializers.IntegerField()
    downloads_failed = serializers.IntegerField()
    bytes_downloaded = serializers.IntegerField()
