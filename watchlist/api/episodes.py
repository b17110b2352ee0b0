"""The episodes of an item: where each stands and why; download or ignore one by hand."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from watchlist.api.base import accepted, found, wanted_id
from watchlist.api.serializers.downloads import (
    DownloadSerializer,
    EpisodeQuerySerializer,
    EpisodeSerializer,
)
from watchlist.api.watchlist import ItemResource
from watchlist.models import Episode, WatchlistItem
from watchlist.selectors.downloads import find_download
from watchlist.selectors.episodes import episodes_in_states, episodes_of, find_episode
from watchlist.services import deciding, grabbing


class EpisodeViews(ItemResource):
    """`/api/watchlist/{id}/episodes` and what can be done to one."""

    serializer_class = EpisodeSerializer

    @extend_schema(
        operation_id="watchlist_episodes_list",
        parameters=[EpisodeQuerySerializer],
        responses=EpisodeSerializer(many=True),
    )
    def list(self, request: Request, item_id: str) -> Response:
        """List every known episode."""
        del request
        item = self.own(item_id)
        asked = self.asked(EpisodeQuerySerializer)
        ordering = asked.get("ordering", "number")
        if "state" in asked:
            chosen = episodes_in_states(item, asked["state"], ordering=ordering)
            return self.listed(chosen, EpisodeSerializer)
        return self.listed(episodes_of(item, ordering=ordering), EpisodeSerializer)

    @extend_schema(responses=EpisodeSerializer)
    def retrieve(self, request: Request, item_id: str, episode_id: str) -> Response:
        """Show one episode."""
        del request
        item = self.own(item_id)
        return Response(self._shown(item, self._episode(item, episode_id)))

    @extend_schema(request=None, responses={202: DownloadSerializer})
    def download(self, request: Request, item_id: str, episode_id: str) -> Response:
        """Download this one, whatever the automatic rule says."""
        del request
        item = self.own(item_id)
        episode = self._episode(item, episode_id)
        download = grabbing.grab_by_hand(item=item, episode=episode)
        row = found(find_download(self.user, download.pk))
        return accepted(DownloadSerializer, row, f"/api/downloads/{download.pk}")

    @extend_schema(request=None, responses=EpisodeSerializer)
    def ignore(self, request: Request, item_id: str, episode_id: str) -> Response:
        """Leave this one out."""
        del request
        return self._set_ignored(item_id, episode_id, ignored=True)

    @extend_schema(request=None, responses=EpisodeSerializer)
    def unignore(self, request: Request, item_id: str, episode_id: str) -> Response:
        """Take this one back in."""
        del request
        return self._set_ignored(item_id, episode_id, ignored=False)

    def _episode(self, item: WatchlistItem, episode_id: str) -> Episode:
        episodes = Episode.objects.filter(series_id=item.series_id)
        return found(episodes.filter(pk=wanted_id(episode_id)).first())

    def _set_ignored(self, item_id: str, episode_id: str, *, ignored: bool) -> Response:
        item = self.own(item_id)
        episode = self._episode(item, episode_id)
        deciding.set_ignored(item=item, episode=episode, ignored=ignored)
        return Response(self._shown(item, episode))

    def _shown(self, item: WatchlistItem, episode: Episode) -> dict[str, object]:
        row = found(find_episode(item, episode.pk))
        return EpisodeSerializer().to_representation(row)
