"""Checks in JSON."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from watchlist.api.fields import MomentField
from watchlist.api.values import moment, number
from watchlist.models import CheckStatus, CheckTrigger
from watchlist.selectors.checks import CheckRow


class ErrorSerializer(serializers.Serializer[Any]):
    """What went wrong: a word for programs, a sentence for people."""

    code = serializers.CharField()
    message = serializers.CharField()


class FoundEpisodeSerializer(serializers.Serializer[Any]):
    """An episode that a check has found."""

    number = serializers.FloatField()
    title = serializers.CharField()
    url = serializers.CharField()


class CheckSerializer(serializers.Serializer[CheckRow]):
    """A check from its caller's view."""

    id = serializers.UUIDField()
    item_id = serializers.UUIDField()
    status = serializers.ChoiceField(CheckStatus.choices)
    trigger = serializers.ChoiceField(CheckTrigger.choices)
    new_episodes = FoundEpisodeSerializer(many=True)
    downloads = serializers.ListField(child=serializers.UUIDField())
    error = ErrorSerializer(allow_null=True)
    created_at = MomentField()
    started_at = MomentField(allow_null=True)
    finished_at = MomentField(allow_null=True)

    def to_representation(self, instance: CheckRow) -> dict[str, Any]:
        """Write one check."""
        return {
            "id": str(instance.id),
            "item_id": str(instance.item_id),
            "status": instance.status,
            "trigger": instance.trigger,
            "new_episodes": [
                {"number": number(episode.number), "title": episode.title, "url": episode.url}
                for episode in instance.new_episodes
            ],
            "downloads": [str(download_id) for download_id in instance.download_ids],
            "error": error_of(instance.error_code, instance.error_text),
            "created_at": moment(instance.created_at),
            "started_at": moment(instance.started_at),
            "finished_at": moment(instance.finished_at),
        }


class ChecksSerializer(serializers.Serializer[Any]):
    """The checks that were queued, or joined because they were open already."""

    queued = serializers.IntegerField()
    checks = CheckSerializer(many=True)


def error_of(code: str, text: str) -> dict[str, str] | None:
    """Write an error, null when there is none."""
    return {"code": code, "message": text or code} if code else None
