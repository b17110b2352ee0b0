"""Administration of the list; every change goes through the services, as from the pages."""

from watchlist.admin import accounts, items, people, series

__all__ = ["accounts", "items", "people", "series"]
