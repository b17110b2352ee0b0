"""Every address of the API; each works with and without a trailing slash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponseBase
from django.urls import URLPattern, path, re_path, register_converter
from django.urls.converters import StringConverter

from watchlist.api.auth import LoginViews, LogoutViews
from watchlist.api.checks import CheckViews
from watchlist.api.downloads import DownloadViews
from watchlist.api.episodes import EpisodeViews
from watchlist.api.health import healthz
from watchlist.api.providers import ProviderViews
from watchlist.api.root import NowhereView, RootView
from watchlist.api.scheduler import SchedulerViews
from watchlist.api.schema import DocsView, SchemaView
from watchlist.api.search import PreviewViews, SearchViews
from watchlist.api.settings import SettingsViews
from watchlist.api.watchlist import CheckingViews, ItemChecksViews, WatchlistViews

View = Callable[..., HttpResponseBase]


class AnyIdConverter(StringConverter):
    """An id, or what somebody takes for one: a malformed id answers like an unknown one."""


register_converter(AnyIdConverter, "id")


def _both(route: str, view: View, name: str) -> list[URLPattern]:
    return [path(route, view, name=name), path(f"{route}/", view)]


def _set(views: Any, **actions: str) -> View:
    view: View = views.as_view(actions)
    return view


_item = "api/watchlist/<id:item_id>"
_episode = f"{_item}/episodes/<id:episode_id>"
_download = "api/downloads/<id:download_id>"
_provider = "api/providers/<str:provider_id>"

_routes: list[tuple[str, View, str]] = [
    ("healthz", healthz, "healthz"),
    ("api", RootView.as_view(), "api-root"),
    ("api/schema", SchemaView.as_view(), "api-schema"),
    ("api/docs", DocsView.as_view(url_name="api-schema"), "api-docs"),
    ("api/auth/login", _set(LoginViews, post="create"), "api-login"),
    ("api/auth/logout", _set(LogoutViews, post="create"), "api-logout"),
    ("api/watchlist", _set(WatchlistViews, get="list", post="create"), "api-watchlist"),
    (
        "api/watchlist/settings",
        _set(SettingsViews, get="retrieve", put="update", patch="partial_update"),
        "api-settings",
    ),
    ("api/watchlist/stats", _set(WatchlistViews, get="stats"), "api-stats"),
    ("api/watchlist/check-all", _set(CheckingViews, post="check_all"), "api-check-all"),
    ("api/watchlist/scheduler/status", _set(SchedulerViews, get="status"), "api-scheduler"),
    ("api/watchlist/scheduler/start", _set(SchedulerViews, post="start"), "api-scheduler-start"),
    ("api/watchlist/scheduler/stop", _set(SchedulerViews, post="stop"), "api-scheduler-stop"),
    (
        _item,
        _set(
            WatchlistViews,
            get="retrieve",
            put="update",
            patch="partial_update",
            delete="destroy",
        ),
        "api-item",
    ),
    (f"{_item}/check", _set(CheckingViews, post="check"), "api-item-check"),
    (f"{_item}/checks", _set(ItemChecksViews, get="list"), "api-item-checks"),
    (f"{_item}/pause", _set(WatchlistViews, post="pause"), "api-item-pause"),
    (f"{_item}/resume", _set(WatchlistViews, post="resume"), "api-item-resume"),
    (f"{_item}/episodes", _set(EpisodeViews, get="list"), "api-episodes"),
    (_episode, _set(EpisodeViews, get="retrieve"), "api-episode"),
    (f"{_episode}/download", _set(EpisodeViews, post="download"), "api-episode-download"),
    (f"{_episode}/ignore", _set(EpisodeViews, post="ignore"), "api-episode-ignore"),
    (f"{_episode}/unignore", _set(EpisodeViews, post="unignore"), "api-episode-unignore"),
    ("api/checks/<id:check_id>", _set(CheckViews, get="retrieve"), "api-check"),
    ("api/downloads", _set(DownloadViews, get="list"), "api-downloads"),
    (_download, _set(DownloadViews, get="retrieve"), "api-download"),
    (f"{_download}/cancel", _set(DownloadViews, post="cancel"), "api-download-cancel"),
    (f"{_download}/retry", _set(DownloadViews, post="retry"), "api-download-retry"),
    (f"{_download}/pause", _set(DownloadViews, post="pause"), "api-download-pause"),
    (f"{_download}/resume", _set(DownloadViews, post="resume"), "api-download-resume"),
    ("api/search", _set(SearchViews, get="find"), "api-search"),
    ("api/preview", _set(PreviewViews, get="look"), "api-preview"),
    ("api/providers", _set(ProviderViews, get="list"), "api-providers"),
    (
        _provider,
        _set(ProviderViews, get="retrieve", patch="partial_update"),
        "api-provider",
    ),
    (f"{_provider}/test", _set(ProviderViews, post="test"), "api-provider-test"),
]

urlpatterns = [pattern for route in _routes for pattern in _both(*route)]
urlpatterns.append(re_path(r"\Aapi/", NowhereView.as_view()))
