"""Which season a number belongs to when somebody names it as the last one not wanted."""

from __future__ import annotations

from decimal import Decimal

import pytest

from watchlist.places import is_after, season_of_start, spans_of

FIRST = [(1, Decimal(number)) for number in range(1, 13)]
SECOND = [(2, Decimal(number)) for number in range(1, 6)]
BOTH = [*FIRST, *SECOND]


@pytest.mark.parametrize(
    ("known", "number", "season"),
    [
        ([], "3", None),
        (FIRST, "3", 1),
        (FIRST, "99", 1),
        (SECOND, "99", 2),
        (BOTH, "5", 2),
        (BOTH, "6", 1),
        (BOTH, "12", 1),
        (BOTH, "4.5", 2),
        (BOTH, "11.999", 1),
        (BOTH, "13", 2),
        (BOTH, "0", 1),
        ([(1, Decimal(11)), (2, Decimal(1))], "5", 2),
        ([(0, Decimal(3)), *FIRST], "3", 1),
        ([(0, Decimal(3)), (1, Decimal(5))], "3", 1),
        ([(0, Decimal(3))], "3", 0),
    ],
)
def test_a_number_belongs_to_the_last_season_that_has_it(
    known: list[tuple[int, Decimal]], number: str, season: int | None
) -> None:
    assert season_of_start(Decimal(number), spans_of(known)) == season


@pytest.mark.parametrize("number", ["0", "4.5", "5", "12", "99"])
def test_with_one_season_the_number_alone_counts(number: str) -> None:
    start = Decimal(number)
    season = season_of_start(start, spans_of(FIRST))
    for known in (season, None):
        after = [n for s, n in FIRST if is_after(s, n, start_season=known, start_number=start)]
        assert after == [n for _, n in FIRST if n > start]
