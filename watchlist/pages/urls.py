"""The addresses of the frame, signing in, the watchlist, adding and one series."""

from __future__ import annotations

from django.contrib.auth.views import LogoutView
from django.urls import path, re_path
from django.views.generic import RedirectView

from watchlist.pages import (
    actions,
    add,
    confirm,
    frame,
    item_settings,
    live,
    preflight,
    series,
    sign_in,
    undo,
    watchlist,
)

_item = "watchlist/<uuid:item_id>"
# The pages that people type; a slash too much leads to the same page.
_typed = r"(?:watchlist(?:/add|/[0-9a-f-]{36})?|downloads|settings|stats|calendar|setup)"

urlpatterns = [
    path("", RedirectView.as_view(pattern_name="watchlist"), name="home"),
    re_path(rf"^(?P<page>{_typed})/$", RedirectView.as_view(url="/%(page)s", query_string=True)),
    path("site.webmanifest", frame.manifest, name="manifest"),
    path("pulse", frame.pulse, name="pulse"),
    path("theme", frame.theme, name="theme"),
    path("more", frame.more, name="more"),
    path("setup/ready", preflight.preflight, name="preflight"),
    path("accounts/login/", sign_in.SignIn.as_view(), name="login"),
    path("accounts/logout/", LogoutView.as_view(), name="logout"),
    path("watchlist", watchlist.watchlist, name="watchlist"),
    path("watchlist/view", watchlist.set_view, name="set-view"),
    path("watchlist/live", live.live, name="live"),
    path("watchlist/cards", live.cards, name="cards"),
    path("watchlist/check-all", actions.check_all, name="check-all"),
    path("watchlist/bulk", actions.bulk, name="bulk"),
    path("watchlist/undo/<slug:key>", undo.undo, name="undo"),
    path("watchlist/add", add.add, name="add"),
    path("watchlist/add/search", add.search, name="add-search"),
    path("watchlist/add/confirm", confirm.confirm, name="add-confirm"),
    path("watchlist/add/follow", confirm.follow, name="follow"),
    path(_item, series.series, name="series"),
    path(f"{_item}/pause", actions.pause, name="pause"),
    path(f"{_item}/resume", actions.resume, name="resume"),
    path(f"{_item}/check", actions.check, name="check"),
    path(f"{_item}/remove", actions.remove, name="remove"),
    path(f"{_item}/seen", series.seen, name="seen"),
    path(f"{_item}/settings", item_settings.item_settings, name="item-settings"),
    path(f"{_item}/episodes/<uuid:episode_id>/<slug:action>", series.act, name="episode-act"),
]
