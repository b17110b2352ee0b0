"""The providers: everybody may look, administrators switch, move and test them."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from providers import gateway
from providers.errors import ProviderError
from providers.gateway import ProviderDescription
from watchlist import faults
from watchlist.api.base import IsAdministrator, Resource, found
from watchlist.api.errors import provider_refusal
from watchlist.api.serializers.server import (
    ProviderChangeSerializer,
    ProviderSerializer,
    ProviderTestSerializer,
)
from watchlist.services import asking


class ProviderViews(Resource):
    """`/api/providers` and `/api/providers/{id}`."""

    serializer_class = ProviderSerializer
    permission_classes = (IsAuthenticated, IsAdministrator)
    pagination_class = None

    @extend_schema(responses=ProviderSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List every provider, also those that are switched off."""
        del request
        shape = ProviderSerializer()
        return Response([shape.to_representation(entry) for entry in gateway.describe()])

    @extend_schema(responses=ProviderSerializer)
    def retrieve(self, request: Request, provider_id: str) -> Response:
        """Show one provider."""
        del request
        return Response(ProviderSerializer(_described(provider_id)).data)

    @extend_schema(request=ProviderChangeSerializer, responses=ProviderSerializer)
    def partial_update(self, request: Request, provider_id: str) -> Response:
        """Switch it on or off, or change its address."""
        del request
        provider = _described(provider_id)
        changes = self.sent(ProviderChangeSerializer).validated_data
        try:
            if "base_url" in changes:
                gateway.set_base_url(provider.id, changes["base_url"])
            if "enabled" in changes:
                gateway.set_enabled(provider.id, changes["enabled"])
        except ProviderError as error:
            raise provider_refusal(error, url_field="base_url") from error
        return Response(ProviderSerializer(_described(provider_id)).data)

    @extend_schema(request=None, responses=ProviderTestSerializer)
    def test(self, request: Request, provider_id: str) -> Response:
        """Send it one small request, and say what came back."""
        del request
        provider = _described(provider_id)
        try:
            asking.test_provider(provider.id)
        except ProviderError as error:
            return Response({"ok": False, "code": error.code, "message": faults.told(error)})
        return Response({"ok": True, "code": "", "message": ""})


def _described(provider_id: str) -> ProviderDescription:
    entries = {entry.id: entry for entry in gateway.describe()}
    return found(entries.get(provider_id))
