"""Reading anime-ultime's older site, v4: tables in ISO-8859-1 and a playlist that is broken XML."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from html import unescape
from typing import Final
from urllib.parse import unquote

from bs4 import Tag

from providers.errors import LayoutChanged, Licensed
from providers.parsing import absolute, attribute, meta, readable, text_of, tree
from providers.sites.animeultime_files import File, language_of, named
from providers.types import AiringStatus

ENCODING: Final = "iso-8859-1"
_SERIES: Final = re.compile(r"(?:^|/)file-0-1/(\d{1,9})(?:-([^/]*))?")
_FILE: Final = re.compile(r"(?:^|/)info-0-1/(\d{1,9})(?:/([^?#]*))?")
_POSTER: Final = re.compile(r"\bimg=([^'\"&\s]{1,300})")
_COUNTS: Final = re.compile(r"(\d{1,5})\s*/\s*(\d{1,5})")
_CONTENT: Final = re.compile(r"<media:content\b([^>]*)>")
_ATTRIBUTE: Final = re.compile(r"(\w+)\s*=\s*\"([^\"]*)\"")
_GENRES: Final = re.compile(r"GENRES?\s?:([^\n]{0,500})", re.IGNORECASE)
_SYNOPSIS: Final = re.compile(r"SYNOPSIS\s?:([^\n]{1,5000})")
_LABEL: Final = re.compile(r"[A-ZÀ-Ý() ]{3,60}:")
_SHORTEST_SYNOPSIS: Final = 60
_BRACKETS: Final = re.compile(r"\[([^\]]{1,60})\]")
_DURATION: Final = re.compile(r"[1-9]\d{0,5}(?:\.\d{1,6})?")
_LONGEST_ITEM: Final = 5_000


@dataclass(frozen=True, slots=True)
class Hit:
    """One search result."""

    series_id: str
    title: str
    poster_url: str
    airing_status: AiringStatus = AiringStatus.UNKNOWN


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """The page of a series."""

    title: str
    synopsis: str
    genres: tuple[str, ...]
    poster_url: str
    files: tuple[File, ...]


@dataclass(frozen=True, slots=True)
class Ticket:
    """The answer to the wish for a direct download."""

    wait_seconds: float
    url: str  # "" while one has to wait


def parse_search(text: str, url: str) -> list[Hit]:
    """Search results; a single hit is answered with the page of the series itself.

    May be empty. Raises LayoutChanged.
    """
    page = tree(text)
    single = page.select_one("div.AUVideoPlayer[data-serie]")
    if single is not None:
        series_id = attribute(single, "data-serie")
        title = text_of(page.select_one("h1"))
        return [Hit(series_id, title, absolute(url, meta(page, "og:image")))] if title else []
    if page.select_one("table.jtable") is None and "Recherche" not in text:
        raise LayoutChanged("search results")
    return [hit for row in page.select("table.jtable tr") if (hit := _hit(row, url)) is not None]


def _hit(row: Tag, url: str) -> Hit | None:
    links = row.select('a[href*="file-0-1/"]')
    found = _SERIES.search(attribute(links[0], "href")) if links else None
    if found is None or "OST" in text_of(row).split():
        return None
    title = next((name for link in links if (name := text_of(link))), readable(found[2] or ""))
    poster = _POSTER.search(attribute(row.select_one("[onmouseover]"), "onmouseover")[:1_000])
    address = absolute(url, "/" + poster[1].lstrip("/")) if poster else ""
    return Hit(found[1], title, address, _airing_status(row))


def _airing_status(row: Tag) -> AiringStatus:
    for cell in row.select("td"):
        counts = _COUNTS.fullmatch(text_of(cell)[:20])
        # The grade, "4.5/5", has a point.
        if counts and int(counts[2]):
            is_whole = int(counts[1]) >= int(counts[2])
            return AiringStatus.FINISHED if is_whole else AiringStatus.AIRING
    return AiringStatus.UNKNOWN


def parse_series(text: str, url: str, base_url: str) -> SeriesPage:
    """The page of a series with its files, which may be none; `base_url` is that of the site.

    Raises Licensed and LayoutChanged.
    """
    page = tree(text)
    title = text_of(page.select_one("h1")) or meta(page, "og:title")
    files = tuple(
        file
        for link in page.select('a[href*="info-0-1/"]')
        if (file := _file(link, base_url)) is not None
    )
    block = page.select_one(".principal_contain")
    lines = block.get_text("\n") if block else ""
    if not files and "licenci" in lines.lower():
        raise Licensed("The site says that this series is licensed and does not offer it.")
    if not title or (not files and block is None and "playlist-" not in text):
        raise LayoutChanged("series page")
    genres = _GENRES.search(lines[:20_000])
    return SeriesPage(
        title=title,
        synopsis=_synopsis(lines),
        genres=tuple(_BRACKETS.findall(genres[1])) if genres else (),
        poster_url=absolute(url, meta(page, "og:image")),
        files=tuple({file.file_id: file for file in files}.values()),
    )


def _synopsis(block: str) -> str:
    """The line marked as such, else the longest that is no "STUDIO : [...]"."""
    marked = _SYNOPSIS.search(block)
    if marked:
        return " ".join(marked[1].split())
    lines = (" ".join(line.split()) for line in block.split("\n"))
    told = [line for line in lines if not _LABEL.match(line)]
    longest = max(told, key=len, default="")
    return longest if len(longest) >= _SHORTEST_SYNOPSIS else ""


def _file(link: Tag, base_url: str) -> File | None:
    found = _FILE.search(attribute(link, "href"))
    if found is None:
        return None
    slug = unquote(found[2] or "").replace("-", " ") or text_of(link)
    name, number, is_regular = named(slug)
    return File(
        name=name,
        number=number,
        is_regular=is_regular,
        lang=language_of(slug),
        file_id=found[1],
        # Written without the leading slash, but it stands below the site's base, not the page's.
        url=absolute(f"{base_url}/", found[0].lstrip("/")),
    )


def parse_playlist(text: str, url: str) -> list[File]:
    """The items of a playlist. Raises LayoutChanged.

    Served with tags that are closed by others' ends, so it is not read as XML.
    """
    if "<item>" not in text:
        raise LayoutChanged("playlist")
    items = (part[:_LONGEST_ITEM].partition("</item>")[0] for part in text.split("<item>")[1:])
    return [file for item in items if (file := _item(item, url)).name]


def _item(item: str, url: str) -> File:
    label = _inside(item, "title")
    name, number, is_regular = named(label)
    content = _CONTENT.search(item)
    attributes = dict(_ATTRIBUTE.findall(content[1])) if content else {}
    addresses = (
        _inside(item, "jwplayer:hd.file"),
        unescape(attributes.get("url", "")),
        _inside(item, "jwplayer:file"),
    )
    found = (absolute(url, address) for address in addresses)
    return File(
        name=name,
        number=number,
        is_regular=is_regular,
        lang=language_of(label),
        group=_inside(item, "description"),
        streams=tuple(dict.fromkeys(address for address in found if address)),
        published_at=_moment(_inside(item, "pubDate")),
        duration_seconds=_seconds(attributes.get("duration", "")),
    )


def _inside(item: str, tag: str) -> str:
    """The text behind a tag, up to the next tag, whichever that is."""
    text = item.partition(f"<{tag}>")[2].partition("<")[0]
    return " ".join(unescape(text).split())


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _seconds(text: str) -> float | None:
    return float(text) if _DURATION.fullmatch(text) else None


def with_streams(files: list[File], playlist: list[File]) -> list[File]:
    """The files with the addresses that the playlist has for the same episode and language."""
    streams = {(file.name, file.lang): file.streams for file in reversed(playlist)}
    return [replace(file, streams=streams.get((file.name, file.lang), ())) for file in files]


def parse_ticket(value: object, url: str) -> Ticket:
    """The answer of the direct download. Raises LayoutChanged."""
    if not isinstance(value, dict) or "auth" not in value:
        raise LayoutChanged("download")
    link = value.get("link")
    seconds = _seconds(str(value.get("wait") or "")) or 0.0
    address = absolute(url, link) if value["auth"] and isinstance(link, str) else ""
    return Ticket(seconds, address)
