"""Reading anime-ultime's newer site, v5: JSON answers and series pages in UTF-8."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from providers.errors import LayoutChanged, Licensed, NotFound
from providers.parsing import absolute, attribute, meta, text_of, tree
from providers.sites.animeultime_files import File, language_of, named
from providers.types import AiringStatus

_COUNTS: Final = re.compile(r"\s*(\d{1,5})\s*/\s*(\d{1,5})\s*")
_HEIGHT: Final = re.compile(r"(\d{3,4})p", re.IGNORECASE)
_PAGE: Final = re.compile(r"([^/]+-streaming)\.html", re.IGNORECASE)
_WATCHED: Final = frozenset({"anime", "drama", "tokusatsu"})
_FORMATS: Final = ("mp4", "webm")


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result."""

    series_id: str
    page: str  # "le-phare-des-brumes-streaming", "" when the address has another shape
    title: str
    poster_url: str
    airing_status: AiringStatus


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """The page of a series."""

    series_id: str
    title: str
    synopsis: str
    genres: tuple[str, ...]
    poster_url: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """The page of one file."""

    series_id: str
    file_id: str
    players: tuple[str, ...]  # pages of video hosts, where the site does not serve the file itself


@dataclass(frozen=True, slots=True)
class Player:
    """What the player is told: short-lived files of one episode, and the list of all."""

    streams: tuple[tuple[int | None, str], ...]  # height and address, best first
    files: tuple[File, ...]


def page_of(url: str) -> str:
    """What names a series in the address of its page; "" when it is no such address."""
    try:
        found = _PAGE.fullmatch(unquote(urlsplit(url).path).rpartition("/")[2])
    except ValueError:
        return ""
    return found[1] if found else ""


def parse_hits(value: object, url: str) -> list[Hit]:
    """Search results that can be watched; may be empty. Raises LayoutChanged."""
    if isinstance(value, dict):
        value = list(value.values())
    if not isinstance(value, list) or not all(isinstance(found, dict) for found in value):
        raise LayoutChanged("search results")
    hits = [_hit(found, url) for found in value if _is_watched(found)]
    return [hit for hit in hits if hit.title and (hit.series_id or hit.page)]


def _is_watched(found: Mapping[str, Any]) -> bool:
    kind, shape = (str(found.get(key) or "").lower() for key in ("type", "format"))
    return (not kind or kind in _WATCHED) and shape != "ost"


def _hit(found: Mapping[str, Any], url: str) -> Hit:
    counts = _COUNTS.fullmatch(str(found.get("number") or ""))
    # Titles come escaped once or twice.
    title = unescape(unescape(str(found.get("title") or "")))
    return Hit(
        series_id=str(found.get("id") or ""),
        page=page_of(str(found.get("url") or "")),
        title=" ".join(title.split()),
        poster_url=absolute(url, str(found.get("img_url") or "")),
        airing_status=_airing_status(counts),
    )


def _airing_status(counts: re.Match[str] | None) -> AiringStatus:
    """The site has no word for it, only how many episodes there are of how many."""
    if counts is None or not int(counts[2]):
        return AiringStatus.UNKNOWN
    is_whole = int(counts[1]) >= int(counts[2])
    return AiringStatus.FINISHED if is_whole else AiringStatus.AIRING


def parse_series(text: str, url: str) -> SeriesPage:
    """The page of a series with its files, which may be none. Raises LayoutChanged."""
    page = tree(text)
    title = text_of(page.select_one("h1")) or meta(page, "og:title")
    series_id = attribute(page.select_one("[data-serie]"), "data-serie")
    rows = page.select("ul.ficheDownload li.file")
    if not title or not (series_id or rows):
        raise LayoutChanged("series page")
    return SeriesPage(
        series_id=series_id,
        title=title,
        synopsis=text_of(page.select_one('[data-target="synopsis"]')),
        genres=_genres(page),
        poster_url=absolute(url, meta(page, "og:image")),
        files=tuple(file for row in rows if (file := _file(row, url)).name),
    )


def _genres(page: Tag) -> tuple[str, ...]:
    for fact in page.select('[data-target="info"] li'):
        label, _, value = text_of(fact).partition(":")
        if label.strip().lower().startswith("genre"):
            return tuple(name for part in value.split("|") if (name := part.strip()))
    return ()


def _file(row: Tag, url: str) -> File:
    link = row.select_one("a[href]")
    href = unquote(attribute(link, "href"))
    label = text_of(row.select_one(".number label") or row.select_one(".number"))
    name, number, is_regular = named(label)
    marked = row if row.get("data-idfile") else row.select_one("[data-idfile]")
    return File(
        name=name,
        number=number,
        is_regular=is_regular,
        lang=language_of(f"{href} {label}"),
        group=text_of(row.select_one(".fansub label") or row.select_one(".fansub")),
        file_id=attribute(marked, "data-idfile"),
        url=absolute(url, attribute(link, "href")),
    )


def parse_episode(text: str, url: str) -> EpisodePage:
    """The page of one file. Raises LayoutChanged when it has neither a player nor a frame."""
    page = tree(text)
    player = page.select_one(".AUVideoPlayer")
    file_id = attribute(player, "data-focus") or attribute(
        page.select_one("[data-idfile]"), "data-idfile"
    )
    frames = (absolute(url, attribute(frame, "src")) for frame in page.select("iframe[src]"))
    players = tuple(frame for frame in frames if frame)
    if not file_id and not players:
        raise LayoutChanged("player")
    return EpisodePage(attribute(player, "data-serie"), file_id, players)


def parse_player(value: object, url: str) -> Player:
    """The player's answer. Raises Licensed, NotFound and LayoutChanged."""
    if not isinstance(value, dict):
        raise LayoutChanged("player")
    problem = value.get("error")
    if problem:
        if "licenc" in str(problem).lower():
            raise Licensed("The site says that this series is licensed and does not offer it.")
        raise NotFound("The site says that it does not have this video.")
    playlist = value.get("playlist")
    streams = _streams(value, url)
    if not streams and not isinstance(playlist, list):
        raise LayoutChanged("player")
    entries = playlist if isinstance(playlist, list) else []
    files = (_listed(entry) for entry in entries if isinstance(entry, dict))
    return Player(streams, tuple(file for file in files if file.name and file.file_id))


def _streams(value: Mapping[str, Any], url: str) -> tuple[tuple[int | None, str], ...]:
    found: list[tuple[int | None, str]] = []
    for quality, formats in value.items():
        height = _HEIGHT.fullmatch(quality[:10])
        if height is None or not isinstance(formats, dict):
            continue
        for name in _FORMATS:
            stream = formats.get(name)
            address = stream.get("url") if isinstance(stream, dict) else stream
            if isinstance(address, str) and (full := absolute(url, address)):
                found.append((int(height[1]), full))
    return tuple(sorted(found, key=lambda stream: -(stream[0] or 0)))


def _listed(entry: Mapping[str, Any]) -> File:
    label = unescape(unescape(str(entry.get("title") or "")))
    name, number, is_regular = named(label)
    return File(name, number, is_regular, language_of(label), file_id=str(entry.get("id") or ""))
