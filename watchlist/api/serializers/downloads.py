"""Downloads and episodes in JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from downloads.models import DownloadAttempt
from downloads.states import ACTIVE, State
from watchlist.api.fields import ChoicesField, MomentField
from watchlist.api.serializers.checks import ErrorSerializer, error_of
from watchlist.api.values import moment, number
from watchlist.decisions import EpisodeState, Reason
from watchlist.selectors import downloads, episodes
from watchlist.selectors.downloads import DownloadQuery, DownloadRow
from watchlist.selectors.episodes import EpisodeRow

STATES = tuple(state.value for state in State)
_TRYING = ACTIVE | {State.COMPLETED}


def _both_ways(names: Any) -> list[str]:
    return [*names, *(f"-{name}" for name in names)]


class DownloadSerializer(serializers.Serializer[DownloadRow]):
    """A download as one of those who want it sees it."""

    id = serializers.UUIDField()
    item_id = serializers.UUIDField()
    episode_id = serializers.UUIDField()
    anime_title = serializers.CharField()
    episode_number = serializers.FloatField()
    episode_title = serializers.CharField()
    provider_id = serializers.CharField()
    state = serializers.ChoiceField(STATES)
    stage = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]  # a field, not an option of one
    quality = serializers.CharField()
    bytes_done = serializers.IntegerField()
    bytes_total = serializers.IntegerField(allow_null=True)
    speed_bps = serializers.IntegerField()
    eta_seconds = serializers.IntegerField(allow_null=True)
    attempts = serializers.IntegerField()
    error = ErrorSerializer(allow_null=True)
    next_try_at = MomentField(allow_null=True)
    path = serializers.CharField(allow_null=True)
    created_at = MomentField()
    finished_at = MomentField(allow_null=True)

    def to_representation(self, instance: DownloadRow) -> dict[str, Any]:
        """Write one download."""
        return {
            "id": str(instance.id),
            "item_id": str(instance.item_id),
            "episode_id": str(instance.episode_id),
            "anime_title": instance.anime_title,
            "episode_number": number(instance.episode_number),
            "episode_title": instance.episode_title,
            "provider_id": instance.provider_id,
            "state": instance.state.value,
            "stage": instance.stage,
            "source": instance.source,
            "quality": instance.quality,
            "bytes_done": instance.bytes_done,
            "bytes_total": instance.bytes_total,
            "speed_bps": instance.speed_bps,
            "eta_seconds": instance.eta_seconds,
            # Stored are those that failed; the one that succeeded, or runs, is one more.
            "attempts": instance.attempts + (instance.state in _TRYING),
            "error": error_of(instance.error_code, instance.error_text),
            "next_try_at": moment(instance.not_before),
            "path": instance.path,
            "created_at": moment(instance.created_at),
            "finished_at": moment(instance.finished_at),
        }


class TrySerializer(serializers.Serializer[DownloadAttempt]):
    """One source that was tried, and how it ended."""

    source = serializers.CharField()  # type: ignore[assignment]  # a field, not an option of one
    error = ErrorSerializer(allow_null=True)
    bytes_done = serializers.IntegerField()
    started_at = MomentField()
    finished_at = MomentField(allow_null=True)

    def to_representation(self, instance: DownloadAttempt) -> dict[str, Any]:
        """Write one attempt."""
        return {
            "source": instance.source_label,
            "error": error_of(instance.error_code, instance.error_text),
            "bytes_done": instance.bytes_done,
            "started_at": moment(instance.started_at),
            "finished_at": moment(instance.finished_at),
        }


class DownloadDetailSerializer(DownloadSerializer):
    """A download with every source that was tried."""

    tries = TrySerializer(many=True)

    def to_representation(self, instance: DownloadRow) -> dict[str, Any]:
        """Write one download and its attempts."""
        attempt = TrySerializer()
        tries = [attempt.to_representation(row) for row in downloads.tries_of(instance.id)]
        return super().to_representation(instance) | {"tries": tries}


class DownloadQuerySerializer(serializers.Serializer[DownloadQuery]):
    """What `GET /api/downloads` may be asked."""

    state = ChoicesField(STATES, required=False)
    item_id = serializers.UUIDField(required=False)
    ordering = serializers.ChoiceField(_both_ways(downloads.ORDERINGS), required=False)


def download_query(asked: dict[str, Any]) -> DownloadQuery:
    """Ask for what was validated."""
    return DownloadQuery(
        states=asked.get("state", ()),
        item_id=asked.get("item_id"),
        ordering=asked.get("ordering", "-created_at"),
    )


class EpisodeSerializer(serializers.Serializer[EpisodeRow]):
    """An episode as one follower of the series sees it."""

    id = serializers.UUIDField()
    number = serializers.FloatField()
    season = serializers.IntegerField()
    is_special = serializers.BooleanField()
    is_listed = serializers.BooleanField()
    is_ignored = serializers.BooleanField()
    title = serializers.CharField()
    url = serializers.CharField()
    first_seen_at = MomentField()
    published_at = MomentField(allow_null=True)
    state = serializers.ChoiceField([state.value for state in EpisodeState])
    reason = serializers.CharField()
    reason_code = serializers.ChoiceField([reason.value for reason in Reason])
    download_id = serializers.UUIDField(allow_null=True)

    def to_representation(self, instance: EpisodeRow) -> dict[str, Any]:
        """Write one episode."""
        return {
            "id": str(instance.id),
            "number": number(instance.number),
            "season": instance.season,
            "is_special": instance.is_special,
            "is_listed": instance.is_listed,
            "is_ignored": instance.is_ignored,
            "title": instance.title,
            "url": instance.url,
            "first_seen_at": moment(instance.first_seen_at),
            "published_at": moment(instance.published_at),
            "state": instance.state.value,
            "reason": instance.reason,
            "reason_code": instance.reason_code,
            "download_id": None if instance.download_id is None else str(instance.download_id),
        }


class EpisodeQuerySerializer(serializers.Serializer[Any]):
    """What the episode list may be asked."""

    state = ChoicesField([state.value for state in EpisodeState], required=False)
    ordering = serializers.ChoiceField(_both_ways(episodes.ORDERINGS), required=False)
