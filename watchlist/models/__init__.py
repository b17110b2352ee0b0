"""The tables of what people follow; imports nothing but `downloads` models."""

from watchlist.models.api_token import ApiToken
from watchlist.models.calendar_feed import CalendarFeed
from watchlist.models.check import Check, CheckStatus, CheckTrigger
from watchlist.models.decision import Decision
from watchlist.models.episode import Episode
from watchlist.models.grab import Grab
from watchlist.models.notification import Notification, NotificationKind
from watchlist.models.preferences import Preferences
from watchlist.models.profile import ListView, Profile, Theme
from watchlist.models.series import Series
from watchlist.models.watchlist_item import ItemStatus, Quality, WatchlistItem

# What somebody else, or the same person in another tab, may have removed in the meantime.
GONE = (Grab.DoesNotExist, WatchlistItem.DoesNotExist)

__all__ = [
    "GONE",
    "ApiToken",
    "CalendarFeed",
    "Check",
    "CheckStatus",
    "CheckTrigger",
    "Decision",
    "Episode",
    "Grab",
    "ItemStatus",
    "ListView",
    "Notification",
    "NotificationKind",
    "Preferences",
    "Profile",
    "Quality",
    "Series",
    "Theme",
    "WatchlistItem",
]
