"""Every address: the admin, the API and the pages."""

from __future__ import annotations

from importlib.util import find_spec

from django.contrib import admin
from django.urls import include, path

urlpatterns = [path("admin/", admin.site.urls)]
if find_spec("watchlist.api.urls"):
    urlpatterns.append(path("", include("watchlist.api.urls")))
if find_spec("watchlist.pages.urls"):
    urlpatterns.append(path("", include("watchlist.pages.urls")))
if find_spec("watchlist.pages.panel_urls"):
    urlpatterns.append(path("", include("watchlist.pages.panel_urls")))

handler400 = "watchlist.pages.errors.bad_request"
handler403 = "watchlist.pages.errors.permission_denied"
handler404 = "watchlist.pages.errors.page_not_found"
handler500 = "watchlist.pages.errors.server_error"
