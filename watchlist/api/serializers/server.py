"""What concerns the whole server in JSON: settings, scheduler, providers, searching, signing in."""

from __future__ import annotations

from typing import Any, Final

from rest_framework import serializers

from watchlist.api.fields import (
    CleanCharField,
    MomentField,
    RangedIntegerField,
    StrictBooleanField,
    WebAddressField,
)
from watchlist.api.serializers.items import MAX_SEARCH, PROVIDER_ID
from watchlist.services.preferences import CAP, INTERVAL_HOURS

# Hashing a password costs in proportion to its length.
MAX_PASSWORD: Final = 1024


class SettingsSerializer(serializers.Serializer[Any]):
    """The global settings; only what is sent changes."""

    check_interval_hours = RangedIntegerField(
        least=INTERVAL_HOURS[0], most=INTERVAL_HOURS[1], required=False
    )
    auto_download_enabled = StrictBooleanField(required=False)
    max_concurrent_auto_downloads = RangedIntegerField(least=CAP[0], most=CAP[1], required=False)
    notify_on_new_episodes = StrictBooleanField(required=False)
    include_completed_anime = StrictBooleanField(required=False)


class SchedulerSerializer(serializers.Serializer[Any]):
    """The honest state of the scheduler."""

    running = serializers.BooleanField()
    enabled = serializers.BooleanField()
    beat_alive = serializers.BooleanField()
    next_run = MomentField(allow_null=True)
    last_run = MomentField(allow_null=True)
    due_now = serializers.IntegerField()
    changed_at = MomentField(allow_null=True)
    settings = SettingsSerializer()


class ProviderSerializer(serializers.Serializer[Any]):
    """A provider as people see it."""

    id = serializers.CharField()
    name = serializers.CharField()
    enabled = serializers.BooleanField()
    base_url = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    capabilities = serializers.ListField(child=serializers.CharField())
    health = serializers.CharField()
    retry_at = MomentField(allow_null=True)
    last_error = serializers.CharField()
    last_error_code = serializers.CharField()
    example_url = serializers.CharField()


class ProviderChangeSerializer(serializers.Serializer[Any]):
    """What an administrator may change; an empty address goes back to the configured one."""

    enabled = StrictBooleanField(required=False)
    base_url = WebAddressField(required=False, allow_blank=True)


class ProviderTestSerializer(serializers.Serializer[Any]):
    """Whether the provider answers."""

    ok = serializers.BooleanField()
    code = serializers.CharField()
    message = serializers.CharField()


class SearchQuerySerializer(serializers.Serializer[Any]):
    """What to search for, and where; everywhere when no provider is named."""

    q = CleanCharField(max_length=MAX_SEARCH)
    provider_id = serializers.RegexField(PROVIDER_ID, required=False)


class HitSerializer(serializers.Serializer[Any]):
    """One hit; `item_id` names the caller's item when it is followed already."""

    provider_id = serializers.CharField()
    anime_title = serializers.CharField()
    anime_url = serializers.CharField()
    lang = serializers.CharField()
    poster_image = serializers.CharField()
    synopsis = serializers.CharField()
    genres = serializers.ListField(child=serializers.CharField())
    other_titles = serializers.ListField(child=serializers.CharField())
    item_id = serializers.UUIDField(allow_null=True)


class SearchSerializer(serializers.Serializer[Any]):
    """The hits, and why some providers gave none."""

    results = HitSerializer(many=True)
    errors = serializers.DictField(  # type: ignore[assignment]  # a field of this name
        child=serializers.CharField()
    )


class PreviewQuerySerializer(serializers.Serializer[Any]):
    """The address to look at."""

    url = WebAddressField()


class SeasonSerializer(serializers.Serializer[Any]):
    """One season and language that the page offers."""

    label = serializers.CharField()  # type: ignore[assignment]  # a field, not an option of one
    lang = serializers.CharField()
    anime_url = serializers.CharField()


class PreviewSerializer(serializers.Serializer[Any]):
    """What would be followed."""

    provider_id = serializers.CharField()
    anime_title = serializers.CharField()
    anime_url = serializers.CharField()
    lang = serializers.CharField()
    languages = serializers.ListField(child=serializers.CharField())
    seasons = SeasonSerializer(many=True)
    poster_image = serializers.CharField()
    synopsis = serializers.CharField()
    genres = serializers.ListField(child=serializers.CharField())
    airing_status = serializers.CharField()
    episodes_known = serializers.IntegerField(allow_null=True)
    already_followed = serializers.BooleanField()
    item_id = serializers.UUIDField(allow_null=True)
    error = serializers.CharField(allow_null=True)


class LoginSerializer(serializers.Serializer[Any]):
    """Who signs in; `name` is what the token will be called."""

    username = serializers.CharField(max_length=150)
    password = serializers.CharField(max_length=MAX_PASSWORD, trim_whitespace=False)
    name = CleanCharField(required=False, allow_blank=True, max_length=80)


class TokenSerializer(serializers.Serializer[Any]):
    """A new token; it is shown this once."""

    token = serializers.CharField()
    expires_at = MomentField(allow_null=True)
