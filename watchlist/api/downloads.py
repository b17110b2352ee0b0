"""The caller's downloads: cancel, retry, pause, resume."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import Resource, found, wanted_id
from watchlist.api.serializers.downloads import (
    DownloadDetailSerializer,
    DownloadQuerySerializer,
    DownloadSerializer,
    download_query,
)
from watchlist.models import Grab
from watchlist.selectors.downloads import downloads_of, find_download, find_grab
from watchlist.services import downloads
from watchlist.services.users import is_administrator


class DownloadViews(Resource):
    """`/api/downloads`; every lookup starts from the caller's own wishes."""

    serializer_class = DownloadSerializer

    @extend_schema(parameters=[DownloadQuerySerializer], responses=DownloadSerializer(many=True))
    def list(self, request: Request) -> Response:
        """List your downloads, the newest first."""
        del request
        rows = downloads_of(self.user, download_query(self.asked(DownloadQuerySerializer)))
        return self.listed(rows, DownloadSerializer)

    @extend_schema(responses=DownloadDetailSerializer)
    def retrieve(self, request: Request, download_id: str) -> Response:
        """Show one download, with every source that was tried."""
        del request
        return self._shown(download_id)

    @extend_schema(request=None, responses=DownloadDetailSerializer)
    def cancel(self, request: Request, download_id: str) -> Response:
        """Give it up; if others wait for it too, only for yourself."""
        del request
        downloads.cancel_for(grab=self._own(download_id))
        return self._shown(download_id)

    @extend_schema(request=None, responses=DownloadDetailSerializer)
    def retry(self, request: Request, download_id: str) -> Response:
        """Try again what failed or was cancelled."""
        del request
        downloads.retry_for(grab=self._own(download_id))
        return self._shown(download_id)

    @extend_schema(request=None, responses=DownloadDetailSerializer)
    def pause(self, request: Request, download_id: str) -> Response:
        """Stop it without losing what is on disk."""
        del request
        grab = self._own(download_id)
        downloads.pause_for(grab=grab, may_hold_up_others=is_administrator(self.user))
        return self._shown(download_id)

    @extend_schema(request=None, responses=DownloadDetailSerializer)
    def resume(self, request: Request, download_id: str) -> Response:
        """Let a paused one go on."""
        del request
        grab = self._own(download_id)
        downloads.resume_for(grab=grab, may_hold_up_others=is_administrator(self.user))
        return self._shown(download_id)

    def _own(self, download_id: str) -> Grab:
        return found(find_grab(self.user, wanted_id(download_id)))

    def _shown(self, download_id: str) -> Response:
        row = found(find_download(self.user, wanted_id(download_id)))
        return Response(DownloadDetailSerializer().to_representation(row))
