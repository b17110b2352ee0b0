"""The caller's list: follow, change, check, pause, stop following."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import Resource, accepted, found, wanted_id
from watchlist.api.serializers.checks import CheckSerializer, ChecksSerializer
from watchlist.api.serializers.items import (
    ITEM_FILTERS,
    CheckAllSerializer,
    ItemChangeSerializer,
    ItemCreationSerializer,
    ItemQuerySerializer,
    ItemSerializer,
    StatsSerializer,
    item_query,
)
from watchlist.api.throttles import ScopedThrottle
from watchlist.models import CheckTrigger, ItemStatus, WatchlistItem
from watchlist.selectors.checks import check_rows, checks_of
from watchlist.selectors.items import due_series_of, find_item, item_of, items_of
from watchlist.selectors.stats import stats_of
from watchlist.services import due, items


class ItemResource(Resource):
    """Every lookup starts from the caller's own items."""

    def own(self, item_id: str) -> WatchlistItem:
        """One item of the caller, to change. Raises NotFound."""
        return found(item_of(self.user, wanted_id(item_id)))

    def shown(self, item: WatchlistItem) -> dict[str, Any]:
        """Write an item as it is now. Raises NotFound when it went away meanwhile."""
        return ItemSerializer().to_representation(found(find_item(self.user, item.pk)))


class WatchlistViews(ItemResource):
    """`/api/watchlist` and `/api/watchlist/{id}`."""

    serializer_class = ItemSerializer

    @extend_schema(parameters=[ItemQuerySerializer], responses=ItemSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List what you follow."""
        # Most lists ask for nothing special, and building a serializer costs more than the query.
        is_special = not request.query_params.keys().isdisjoint(ITEM_FILTERS)
        asked = item_query(self.asked(ItemQuerySerializer)) if is_special else None
        return self.listed(items_of(self.user, asked), ItemSerializer)

    @extend_schema(request=ItemCreationSerializer, responses={201: ItemSerializer})
    def create(self, request: Request) -> Response:
        """Follow a series; it is checked at once."""
        del request
        wish = self.sent(ItemCreationSerializer).wish()
        item = items.follow(user=self.user, wish=wish)
        return Response(
            self.shown(item),
            status=status.HTTP_201_CREATED,
            headers={"Location": f"/api/watchlist/{item.pk}"},
        )

    @extend_schema(responses=ItemSerializer)
    def retrieve(self, request: Request, item_id: str) -> Response:
        """Show one item."""
        del request
        return Response(self.shown(self.own(item_id)))

    @extend_schema(request=ItemChangeSerializer, responses=ItemSerializer)
    def update(self, request: Request, item_id: str) -> Response:
        """Change what is sent, and nothing else."""
        del request
        item = self.own(item_id)
        changes = self.sent(ItemChangeSerializer).changes()
        if changes:
            items.change(item=item, changes=changes)
        return Response(self.shown(item))

    @extend_schema(operation_id="watchlist_change", request=ItemChangeSerializer)
    def partial_update(self, request: Request, item_id: str) -> Response:
        """Change what is sent, and nothing else; the same as PUT."""
        return self.update(request, item_id)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, item_id: str) -> Response:
        """Stop following; files stay."""
        del request
        items.unfollow(item=self.own(item_id))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(request=None, responses=ItemSerializer)
    def pause(self, request: Request, item_id: str) -> Response:
        """Pause it."""
        del request
        item = items.set_status(item=self.own(item_id), status=ItemStatus.PAUSED)
        return Response(self.shown(item))

    @extend_schema(request=None, responses=ItemSerializer)
    def resume(self, request: Request, item_id: str) -> Response:
        """Make it active again, also when it was completed or archived."""
        del request
        item = items.set_status(item=self.own(item_id), status=ItemStatus.ACTIVE)
        return Response(self.shown(item))

    @extend_schema(responses=StatsSerializer)
    def stats(self, request: Request) -> Response:
        """Count what you follow and have."""
        del request
        return Response(asdict(stats_of(self.user)))


class CheckingViews(ItemResource):
    """Checks that a user asks for."""

    serializer_class = CheckSerializer

    throttle_classes = (ScopedThrottle,)
    throttle_scope = "check"

    @extend_schema(request=None, responses={202: CheckSerializer})
    def check(self, request: Request, item_id: str) -> Response:
        """Check this series now, on a worker."""
        del request
        item = self.own(item_id)
        check = due.request_check(item.series, trigger=CheckTrigger.MANUAL, by=self.user)
        (row,) = check_rows(self.user, [check])
        return accepted(CheckSerializer, row, f"/api/checks/{check.pk}")

    @extend_schema(request=CheckAllSerializer, responses={202: ChecksSerializer})
    def check_all(self, request: Request) -> Response:
        """Check what is due of your list, or all of it."""
        del request
        is_forced = self.sent(CheckAllSerializer).validated_data["force"]
        series_ids = due_series_of(self.user, now=None if is_forced else timezone.now())
        rows = check_rows(self.user, due.request_checks(series_ids, by=self.user))
        checks = [CheckSerializer().to_representation(row) for row in rows]
        answer = {"queued": len(checks), "checks": checks}
        return Response(answer, status=status.HTTP_202_ACCEPTED)


class ItemChecksViews(ItemResource):
    """`/api/watchlist/{id}/checks`."""

    serializer_class = CheckSerializer

    @extend_schema(operation_id="watchlist_checks_list", responses=CheckSerializer(many=True))
    def list(self, request: Request, item_id: str) -> Response:
        """List the checks of this series, the newest first."""
        del request
        return self.listed(checks_of(self.own(item_id)), CheckSerializer)
