"""One check, as a follower of its series sees it."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import Resource, found, wanted_id
from watchlist.api.serializers.checks import CheckSerializer
from watchlist.selectors.checks import find_check


class CheckViews(Resource):
    """`/api/checks/{id}`."""

    serializer_class = CheckSerializer

    @extend_schema(responses=CheckSerializer)
    def retrieve(self, request: Request, check_id: str) -> Response:
        """Show where a check stands, and what it brought you."""
        del request
        row = found(find_check(self.user, wanted_id(check_id)))
        return Response(CheckSerializer().to_representation(row))
