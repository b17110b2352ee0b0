"""A bar chart as plain shapes for an SVG template; no script, no inline style."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from watchlist.selectors.statistics import Bar

# The drawing's own units; the browser scales them.
WIDTH: Final = 900
HEIGHT: Final = 240
LEFT: Final = 36
TOP: Final = 10
BOTTOM: Final = 210
GAP_RATIO: Final = 0.3
WIDEST: Final = 64.0
LINES: Final = 3
LABELS: Final = 6
_STEPS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)


@dataclass(frozen=True, slots=True)
class Line:
    """One horizontal line and the figure beside it."""

    y: float
    text_y: float
    value: int


@dataclass(frozen=True, slots=True)
class Column:
    """One bar: what was done below, what failed above it."""

    bar: Bar
    x: float
    width: float
    middle: float
    hit_x: float
    hit_width: float
    done_y: float
    done_height: float
    failed_y: float
    failed_height: float
    label: date | None  # written below; None for most


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything the template places."""

    columns: list[Column]
    lines: list[Line]
    best: Bar | None  # the first of the highest; None when all are empty


def draw(bars: Sequence[Bar]) -> Chart:
    """Lay the bars out; `bars` is not empty."""
    highest = max(bar.done + bar.failed for bar in bars)
    step = _step_for(highest)
    top = step * LINES
    scale = (BOTTOM - TOP) / top
    slot = (WIDTH - LEFT) / len(bars)
    every = max(1, round(len(bars) / LABELS))
    columns = [
        _column(bar, place, slot, scale, is_labelled=place % every == 0)
        for place, bar in enumerate(bars)
    ]
    lines = [_line(value, scale) for value in range(0, top + 1, step)]
    best = max(bars, key=lambda bar: bar.done) if highest else None
    return Chart(columns, lines, best)


def _step_for(highest: int) -> int:
    """The round figure between two lines, so that the highest bar fits below the top one."""
    for step in _STEPS:
        if step * LINES >= highest:
            return step
    return -(-highest // LINES)


def _line(value: int, scale: float) -> Line:
    y = round(BOTTOM - value * scale, 1)
    return Line(y, round(y + 4, 1), value)


def _column(bar: Bar, place: int, slot: float, scale: float, *, is_labelled: bool) -> Column:
    width = min(slot * (1 - GAP_RATIO), WIDEST)
    hit_x = LEFT + place * slot
    middle = hit_x + slot / 2
    done_height = bar.done * scale
    # A hair between the two parts, so that they are told apart without colour.
    gap = 2 if bar.done and bar.failed else 0
    failed_height = max(bar.failed * scale - gap, 0)
    return Column(
        bar=bar,
        x=round(middle - width / 2, 1),
        width=round(width, 1),
        middle=round(middle, 1),
        hit_x=round(hit_x, 1),
        hit_width=round(slot, 1),
        done_y=round(BOTTOM - done_height, 1),
        done_height=round(done_height, 1),
        failed_y=round(BOTTOM - done_height - gap - failed_height, 1),
        failed_height=round(failed_height, 1),
        label=bar.day if is_labelled else None,
    )
