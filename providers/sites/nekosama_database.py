"""Reading neko-sama's search database, one file a language with every series in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from providers.errors import LayoutChanged
from providers.parsing import absolute

_OTHER_TITLES: Final = ("title_english", "title_romanji", "title_french", "others")
_GENRES: Final = {"c0m1dy": "comedy"}


@dataclass(frozen=True, slots=True)
class Entry:
    """One series of the search database."""

    ref: str
    title: str
    other_titles: tuple[str, ...]
    genres: tuple[str, ...]
    poster_url: str
    popularity: float


def ref_of(url: str) -> str:
    """The part of an address that names a series or an episode: its last one; "" for none."""
    try:
        return urlsplit(url).path.rstrip("/").rpartition("/")[2]
    except ValueError:
        return ""


def parse_database(value: object, url: str) -> list[Entry]:
    """The entries of the search database. Raises LayoutChanged."""
    if not isinstance(value, list):
        raise LayoutChanged("search database")
    entries = [
        entry
        for found in value
        if isinstance(found, dict) and (entry := _entry(found, url)).ref and entry.title
    ]
    if value and not entries:
        raise LayoutChanged("search database")
    return entries


def _entry(found: Mapping[str, Any], url: str) -> Entry:
    names = (text_in(found.get(key)) for key in _OTHER_TITLES)
    title = text_in(found.get("title"))
    genres = found.get("genres")
    popularity = found.get("popularity")
    return Entry(
        ref=ref_of(text_in(found.get("url"))),
        title=title,
        other_titles=tuple(dict.fromkeys(name for name in names if name and name != title)),
        genres=tuple(
            _GENRES.get(genre, genre)
            for genre in (genres if isinstance(genres, list) else ())
            if isinstance(genre, str)
        ),
        poster_url=absolute(url, text_in(found.get("url_image"))),
        popularity=float(popularity) if isinstance(popularity, int | float) else 0.0,
    )


def text_in(value: object) -> str:
    """A text of a JSON answer with white space folded, "" for anything else."""
    return " ".join(value.split()) if isinstance(value, str) else ""
