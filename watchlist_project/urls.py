"""Every address: the admin, the API and the pages."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

from watchlist.pages import setup
from watchlist_project import setup_code

# The one-time code belongs to the project, so its two questions are handed to the page here.
_first_visit = setup.view(setup_code.check_code, setup_code.clear_code)
urlpatterns = [
    path("admin/", admin.site.urls),
    path("setup", _first_visit, name="setup"),
    path("", include("watchlist.api.urls")),
    path("", include("watchlist.pages.urls")),
    path("", include("watchlist.pages.panel_urls")),
]

handler400 = "watchlist.pages.errors.bad_request"
handler403 = "watchlist.pages.errors.permission_denied"
handler404 = "watchlist.pages.errors.page_not_found"
handler500 = "watchlist.pages.errors.server_error"
