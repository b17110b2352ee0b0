"""The addresses of downloads, calendar, settings, statistics, notifications and posters."""

from __future__ import annotations

from django.urls import path, re_path

from watchlist.pages import (
    about,
    account,
    calendar,
    calendar_feed,
    downloads,
    notifications,
    posters,
    providers,
    settings,
    statistics,
    tokens,
    users,
)

_download = "downloads/<uuid:download_id>"
_actions = "|".join(downloads.ACTIONS)

urlpatterns = [
    path("posters/preview", posters.preview, name="poster-preview"),
    path("posters/<uuid:followed_id>.webp", posters.poster, name="poster"),
    path("downloads", downloads.downloads, name="downloads"),
    path("downloads/live", downloads.live, name="downloads-live"),
    path("downloads/retry-all", downloads.retry_all, name="downloads-retry-all"),
    re_path(
        rf"^downloads/(?P<download_id>[0-9a-f-]{{36}})/(?P<action>{_actions})$",
        downloads.act,
        name="download-act",
    ),
    path("calendar", calendar.calendar_page, name="calendar"),
    path("calendar/subscribe", calendar_feed.subscribe, name="calendar-subscribe"),
    path("feeds/<str:token>/calendar.ics", calendar_feed.feed, name="calendar-feed"),
    path("stats", statistics.stats, name="stats"),
    path("notifications", notifications.notifications, name="notifications"),
    path("notifications/read", notifications.mark_read, name="notifications-read"),
    path("notifications/news", notifications.news, name="notifications-news"),
    path("settings", settings.overview, name="settings"),
    path("settings/global", settings.change_global, name="settings-global"),
    path("settings/limits", settings.change_limits, name="settings-limits"),
    path("settings/scheduler", settings.scheduler_card, name="settings-scheduler-card"),
    re_path(
        r"^settings/scheduler/(?P<action>start|stop|run)$",
        settings.change_scheduler,
        name="settings-scheduler",
    ),
    path("settings/providers", providers.providers, name="settings-providers"),
    path(
        "settings/providers/<slug:provider_id>/address",
        providers.change_address,
        name="settings-provider-address",
    ),
    re_path(
        r"^settings/providers/(?P<provider_id>[\w-]+)/(?P<action>on|off|test)$",
        providers.act,
        name="settings-provider-act",
    ),
    path("settings/users", users.users, name="settings-users"),
    path("settings/users/new", users.create, name="settings-user-new"),
    path("settings/users/<int:user_id>/link", users.reset, name="settings-user-link"),
    re_path(
        r"^settings/users/(?P<user_id>\d{1,9})/(?P<action>promote|demote|activate|deactivate)$",
        users.act,
        name="settings-user-act",
    ),
    path("settings/account", account.account, name="settings-account"),
    path("settings/account/change", account.change_account, name="settings-account-change"),
    path("settings/account/password", account.change_password, name="settings-password"),
    path("settings/tokens", tokens.tokens, name="settings-tokens"),
    path("settings/tokens/new", tokens.create, name="settings-token-new"),
    path("settings/tokens/<slug:handle>/revoke", tokens.revoke, name="settings-token-revoke"),
    path("settings/about", about.about, name="settings-about"),
    path("accounts/password/<uidb64>/<token>", account.SetPassword.as_view(), name="password-set"),
]
