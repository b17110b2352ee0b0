"""Which series the watchlist page shows, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from watchlist.headlines import ATTENTION
from watchlist.selectors.items import MAX_SEARCH_WORDS
from watchlist.selectors.watchlist_page import Entry, add_details, add_guesses

SORTS: Final = ("attention", "next", "title", "added", "progress")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries, in which order; empty fields do not filter."""

    headline: str = ""
    search: str = ""
    provider_id: str = ""
    sort: str = "attention"


def arrange(entries: Sequence[Entry], wanted: Wanted) -> list[Entry]:
    """Filter and sort; the order does not move while nothing changes."""
    words = wanted.search.casefold().split()[:MAX_SEARCH_WORDS]
    chosen = [
        entry
        for entry in entries
        if (not wanted.headline or entry.headline == wanted.headline)
        and (not wanted.provider_id or entry.provider_id == wanted.provider_id)
        and all(word in entry.title.casefold() for word in words)
    ]
    if wanted.sort == "progress":
        add_details(chosen)
    if wanted.sort == "next":
        add_guesses([entry for entry in chosen if entry.guess is None])
    return sorted(chosen, key=lambda entry: (*_order(entry, wanted.sort), entry.title.casefold()))


def _order(entry: Entry, sort: str) -> tuple[Any, ...]:
    if sort == "title":
        return ()
    if sort == "added":
        return (-entry.created_at.timestamp(),)
    if sort == "progress":
        have = entry.details.have if entry.details else 0
        return (-(have / entry.known if entry.known else 0.0),)
    if sort == "next":
        return (entry.guess is None, entry.guess.at.timestamp() if entry.guess else 0.0)
    return (ATTENTION[entry.headline],)
