"""What every resource shares: who asks, which row is meant, and how a list is answered."""

from __future__ import annotations

import uuid
from typing import Any, TypeVar, cast

from django.contrib.auth.models import User
from rest_framework import status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from watchlist.api.pagination import Pages
from watchlist.models import WatchlistItem
from watchlist.selectors.rows import Rows
from watchlist.services.users import is_administrator

Found = TypeVar("Found")
Body = TypeVar("Body", bound=Serializer[Any])


class Resource(GenericViewSet[Any]):
    """A view set over read models."""

    # Rows come from selectors; the pages for browsing ask for a queryset all the same.
    queryset = WatchlistItem.objects.none()
    pagination_class: type[Pages] | None = Pages
    # OPTIONS would describe forms of models, which no resource here is.
    http_method_names = ("get", "post", "put", "patch", "delete", "head")

    def get_view_name(self) -> str:
        """Name the resource for people who browse the API."""
        return super().get_view_name().removesuffix(" Views")

    @property
    def user(self) -> User:
        """Whoever signed in; the permissions have already turned others away."""
        return cast("User", self.request.user)

    def asked(self, query: type[Serializer[Any]]) -> dict[str, Any]:
        """Read the query string. Raises ValidationError; empty parameters count as left out."""
        given = {name: text for name, text in self.request.query_params.items() if text}
        parsed = query(data=given)
        parsed.is_valid(raise_exception=True)
        return dict(parsed.validated_data)

    def sent(self, body: type[Body]) -> Body:
        """Read the body. Raises ValidationError."""
        parsed = body(data=self.request.data)
        parsed.is_valid(raise_exception=True)
        return parsed

    def listed(self, rows: Rows[Found] | list[Found], shape: type[Serializer[Found]]) -> Response:
        """Answer one page of a list."""
        window = self.paginate_queryset(cast("Any", rows)) or []
        serializer = shape()
        return self.get_paginated_response([serializer.to_representation(row) for row in window])


class IsAdministrator(BasePermission):
    """Administrators may do anything here, others may look."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Whether this request may go on."""
        del view
        return request.method in {"GET", "HEAD"} or is_administrator(request.user)


def wanted_id(text: str) -> uuid.UUID:
    """Read an id from a path. Raises NotFound: a malformed id is like an unknown one."""
    try:
        wanted = uuid.UUID(text)
    except ValueError:
        raise NotFound from None
    if str(wanted) != text.lower():
        raise NotFound
    return wanted


def found(row: Found | None) -> Found:
    """Take what a selector found. Raises NotFound when it found nothing."""
    if row is None:
        raise NotFound
    return row


def accepted(shape: type[Serializer[Found]], row: Found, location: str) -> Response:
    """Answer that the work goes on elsewhere, and where to look."""
    return Response(
        shape().to_representation(row),
        status=status.HTTP_202_ACCEPTED,
        headers={"Location": location},
    )
