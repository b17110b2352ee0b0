"""Feeds show their latest entries alone: each that is published is new once, whatever its name."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal

import pytest

from providers.types import EpisodeListing
from watchlist.services import merging
from watchlist.services.merging import Known, Likeness

WINDOW = 12


class Reader:
    """Reads a feed again and again, as the checks of a series do."""

    def __init__(self) -> None:
        self.known: dict[uuid.UUID, Known] = {}
        self.likenesses: dict[uuid.UUID, Likeness] = {}
        self.found: list[str] = []

    def reads(self, *listed: EpisodeListing) -> None:
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


def _begins_anew(n: int) -> int:
    return n % 24 + 1


def _season_as_long_as_the_window(n: int) -> int:
    return n % WINDOW + 1


def _special_by_place(n: int) -> int:
    return -(n % 4) - 1


def _entry(n: int, number: int, position: int) -> EpisodeListing:
    return EpisodeListing(
        ref=str(n),
        number=Decimal(abs(number)),
        season=1 if number > 0 else 0,
        position=position,
        title=f"Talk {n}",
        is_special=number < 0,
    )


@pytest.mark.parametrize(
    ("named", "step"),
    [
        *((named, step) for named in (_special_by_place, _begins_anew) for step in (1, 3, WINDOW)),
        (_season_as_long_as_the_window, 1),
        (_season_as_long_as_the_window, 5),
    ],
)
def test_every_entry_of_a_sliding_feed_is_new_once(named: Callable[[int], int], step: int) -> None:
    reader = Reader()
    for newest in range(WINDOW, 90, step):
        window = range(newest - WINDOW + 1, newest + 1)
        reader.reads(*(_entry(n, named(n), place) for place, n in enumerate(window)))
    assert reader.found == [str(n) for n in range(1, newest + 1)]
