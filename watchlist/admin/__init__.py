"""Administration of the list; every change goes through the services, as from the pages."""

from watchlist.admin import items, people, series

__all__ = ["items", "people", "series"]
