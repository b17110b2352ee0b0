"""Feeds show their latest entries alone: each that is published is new once, whatever its name."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping

import pytest

from providers.feeds import parse_feed
from providers.sites.feed import list_of
from providers.types import PageValidator
from watchlist.services import merging
from watchlist.services.merging import Known, Likeness

HEAD = (
    '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel>'
    "<title>t</title>"
)
WINDOW = 12


class Reader:
    """Reads a feed again and again, as the checks of a series do."""

    def __init__(self) -> None:
        self.known: dict[uuid.UUID, Known] = {}
        self.likenesses: dict[uuid.UUID, Likeness] = {}
        self.validators: Mapping[str, PageValidator] = {}
        self.found: list[str] = []

    def reads(self, *items: str) -> None:
        feed = parse_feed(f"{HEAD}{''.join(items)}</channel></rss>".encode(), "https://f.example/")
        listed, self.validators = list_of(feed, self.validators)
        lost = merging.orphans(self.known.values(), listed)
        merge = merging.merge(
            list(self.known.values()), listed, {self.likenesses[one.id]: one for one in lost}
        )
        for one in merge.changed:
            self.known[one.id] = one
        for entry in merge.new:
            fresh = Known(uuid.uuid4(), entry.ref, entry.position, entry.title, entry.url, True)
            self.known[fresh.id] = fresh
            self.likenesses[fresh.id] = merging.likeness(
                season=entry.season, number=entry.number, is_special=entry.is_special
            )
            self.found.append(entry.ref)


def _numbered(n: int) -> str:
    return f"<title>Episode {n}</title>"


def _bonus(n: int) -> str:
    if n % 3:
        return _numbered(n)
    return f"<title>Extra {n}</title><itunes:episodeType>bonus</itunes:episodeType>"


def _mixed(n: int) -> str:
    return f"<title>Talk of {n} people</title>" if n % 3 else _numbered(n)


def _begins_anew(n: int) -> str:
    return _numbered(n % 24 + 1)


def _season_as_long_as_the_window(n: int) -> str:
    return _numbered(n % WINDOW + 1)


def _item(n: int, inside: str) -> str:
    return (
        f"<item><guid>{n}</guid>{inside}"
        f'<enclosure url="https://f.example/{n}.mp4" type="video/mp4"/></item>'
    )


@pytest.mark.parametrize(
    ("named", "step"),
    [
        *((named, step) for named in (_bonus, _mixed, _begins_anew) for step in (1, 3, WINDOW)),
        (_season_as_long_as_the_window, 1),
        (_season_as_long_as_the_window, 5),
    ],
)
def test_every_entry_of_a_sliding_feed_is_new_once(named: Callable[[int], str], step: int) -> None:
    reader = Reader()
    for newest in range(WINDOW, 90, step):
        reader.reads(*(_item(n, named(n)) for n in range(newest, newest - WINDOW, -1)))
    assert reader.found == [str(n) for n in range(1, newest + 1)]
