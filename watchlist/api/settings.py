"""The global settings: everybody may look, administrators may change."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import IsAdministrator, Resource
from watchlist.api.serializers.server import SettingsSerializer
from watchlist.services.preferences import change_settings, read_settings


class SettingsViews(Resource):
    """`/api/watchlist/settings`."""

    serializer_class = SettingsSerializer
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(operation_id="settings_retrieve", responses=SettingsSerializer)
    def retrieve(self, request: Request) -> Response:
        """Show the settings."""
        del request
        return Response(asdict(read_settings()))

    @extend_schema(operation_id="settings_update", responses=SettingsSerializer)
    def update(self, request: Request) -> Response:
        """Change what is sent, and nothing else."""
        del request
        changes = dict(self.sent(SettingsSerializer).validated_data)
        return Response(asdict(change_settings(changes=changes)))

    @extend_schema(operation_id="settings_change", responses=SettingsSerializer)
    def partial_update(self, request: Request) -> Response:
        """Change what is sent, and nothing else; the same as PUT."""
        return self.update(request)
