"""Orders for tests of the queue."""

from __future__ import annotations

from itertools import count
from typing import Any

from downloads.queue import Order

_numbers = count(1)


def make_order(**changes: Any) -> Order:
    number = next(_numbers)
    values: dict[str, Any] = {
        "label": f"Paper Lanterns S01E{number:02}",
        "provider_id": "feed",
        "series_ref": "http://feeds.example/lanterns.xml",
        "episode_ref": f"episode-{number}",
        "lang": "vostfr",
        "quality": "auto",
        "target_folder": "Paper Lanterns/Season 01",
        "target_stem": f"Paper Lanterns - S01E{number:02}",
    }
    return Order(**(values | changes))
