"""Where an episode goes in the library: the form that Jellyfin, Plex and Kodi read."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from providers.text import safe_name
from watchlist.decisions import plain_number
from watchlist.models import Episode, Series

# Bytes, so that folder, file name and extension stay below 255 together in every script.
SERIES_BYTES: Final = 100
TITLE_BYTES: Final = 90
# A title that only repeats the number says nothing.
_NUMBER_ONLY = re.compile(r"(?:episode|épisode|ep\.?|e|#)?\s*\d{1,6}(?:\.\d+)?", re.IGNORECASE)
_NUMBER_MARK = re.compile(
    r"(?:s\d{1,4}\s?e|(?:episode|épisode|ep\.?)\s?|#)(\d{1,6}(?:\.\d{1,3})?)(?!\w)", re.IGNORECASE
)


def folder_of(series: Series, season: int) -> str:
    """`<Series>/Season 01`, relative to the library; specials are season 0."""
    return f"{_folder(series)}/Season {season:02}"


def stem_of(series: Series, episode: Episode) -> str:
    """`<Series> - S01E07 - <Title>`, without quality and extension."""
    stem = f"{_folder(series)} - S{episode.season:02}E{two_digits(episode.number)}"
    said = _without_number(_without_series_name(episode.title, series.title), episode.number)
    title = _shortened(safe_name(said, fallback="_"), TITLE_BYTES)
    if not said or title == "_" or _NUMBER_ONLY.fullmatch(said):
        return stem
    return f"{stem} - {title}"


def _without_series_name(title: str, series_title: str) -> str:
    """Feeds often repeat the series in each title: "Paper Lanterns - Episode 3"."""
    rest = title.strip()
    if rest.casefold().startswith(series_title.casefold()):
        rest = rest[len(series_title) :].lstrip(" -:,|")
    return rest


def _without_number(title: str, number: Decimal) -> str:
    """Feeds often begin a title with the number that the name has already: "S01E03 - Return"."""
    mark = _NUMBER_MARK.match(title)
    if mark and Decimal(mark[1]) == number:
        return title[mark.end() :].lstrip(" -:.,|\u2013\u2014")
    return title


def label_of(series: Series, episode: Episode) -> str:
    """What people and logs call the download."""
    return f"{series.title} S{episode.season:02}E{two_digits(episode.number)}"


def two_digits(number: Decimal) -> str:
    """7 -> 07, 12.5 -> 12.5, 1089 -> 1089."""
    whole, dot, rest = plain_number(number).partition(".")
    return f"{whole:0>2}{dot}{rest}"


def name_of(series: Series) -> str:
    """The title as the name of a folder."""
    return _shortened(safe_name(series.title, fallback="Series"), SERIES_BYTES)


def _folder(series: Series) -> str:
    return series.folder or name_of(series)


def _shortened(name: str, size_bytes: int) -> str:
    return name.encode()[:size_bytes].decode(errors="ignore").rstrip(" .-") or "_"
