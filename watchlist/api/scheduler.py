"""The scheduler: everybody may look, administrators may start and stop it."""

from __future__ import annotations

from dataclasses import asdict

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import IsAdministrator, Resource
from watchlist.api.serializers.server import SchedulerSerializer
from watchlist.services import scheduler
from watchlist.services.preferences import read_settings
from watchlist.services.users import is_administrator


class SchedulerViews(Resource):
    """`/api/watchlist/scheduler/...`."""

    serializer_class = SchedulerSerializer
    permission_classes = (IsAuthenticated, IsAdministrator)

    @extend_schema(operation_id="scheduler_status", responses=SchedulerSerializer)
    def status(self, request: Request) -> Response:
        """Show whether series are checked by themselves, and when next."""
        del request
        return self._shown()

    @extend_schema(operation_id="scheduler_start", request=None, responses=SchedulerSerializer)
    def start(self, request: Request) -> Response:
        """Switch scheduled checks on."""
        del request
        scheduler.set_running(running=True, by=self.user.get_username())
        return self._shown()

    @extend_schema(operation_id="scheduler_stop", request=None, responses=SchedulerSerializer)
    def stop(self, request: Request) -> Response:
        """Switch scheduled checks off; checks by hand still run."""
        del request
        scheduler.set_running(running=False, by=self.user.get_username())
        return self._shown()

    def _shown(self) -> Response:
        state = asdict(scheduler.status()) | {"settings": asdict(read_settings())}
        shown = dict(SchedulerSerializer(state).data)
        if is_administrator(self.user):
            shown["changed_by"] = state["changed_by"]
        return Response(shown)
