"""`/api`: where to begin; and the answer for addresses that do not exist."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class RootView(APIView):
    """The list of resources, for people who browse the API."""

    http_method_names = ("get", "head")

    @extend_schema(exclude=True)
    def get(self, request: Request) -> Response:
        """Name each resource with its address."""
        names = {
            "watchlist": "/api/watchlist",
            "stats": "/api/watchlist/stats",
            "settings": "/api/watchlist/settings",
            "scheduler": "/api/watchlist/scheduler/status",
            "downloads": "/api/downloads",
            "providers": "/api/providers",
            "schema": "/api/schema",
            "docs": "/api/docs",
        }
        return Response({name: request.build_absolute_uri(path) for name, path in names.items()})


class NowhereView(APIView):
    """Any other address below `/api`: the same 404 for everybody and every method."""

    permission_classes = (AllowAny,)
    authentication_classes = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """Answer before anything else is looked at."""
        del request, args, kwargs
        raise NotFound
