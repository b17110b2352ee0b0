"""Reading neko-sama's series pages, in both encodings, and its episode pages."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, Final

from bs4 import Tag

from providers.errors import EmptyList, LayoutChanged
from providers.parsing import (
    absolute,
    attribute,
    meta,
    numbered_once,
    plain,
    scripts,
    text_of,
    trailing_number,
    tree,
    unescaped,
    without_comments,
)
from providers.sites.nekosama_database import text_in
from providers.types import AiringStatus, EpisodeListing

_EPISODES: Final = re.compile(r"\bvar\s++episodes\s*+=\s*+(?=\[)")
_VIDEOS: Final = re.compile(r"\bvideo\s*+(?:=\s*+\[\s*+\]|\[\s*+(\d{1,3})\s*+\]\s*+=\s*+(['\"]))")
_LANGUAGE_MARK: Final = re.compile(r"\s+(?:VOSTFR|VF)\s*$", re.IGNORECASE)
_EXTRAS: Final = {
    "film": "Film",
    "movie": "Film",
    "m0v1e": "Film",
    "ova": "OAV",
    "oav": "OAV",
    "ona": "ONA",
    "special": "Spécial",
}
_AIRING: Final = {
    "en cours": AiringStatus.AIRING,
    "terminé": AiringStatus.FINISHED,
    "termine": AiringStatus.FINISHED,
    "pas encore commencé": AiringStatus.UPCOMING,
}
_LONGEST_URL: Final = 2_000
_NO_SYNOPSIS: Final = "aucun synopsis pour le moment"


@dataclass(frozen=True, slots=True)
class Link:
    """One episode of a series page."""

    name: str  # what keeps it apart from the others: "Episode 12", "Film"
    number: Decimal | None
    title: str
    url: str


@dataclass(frozen=True, slots=True)
class SeriesPage:
    """What a series page says of the series itself."""

    title: str
    synopsis: str
    genres: tuple[str, ...]
    poster_url: str
    airing_status: AiringStatus
    extra: str  # "Film", "OAV" and the like; "" for a series in seasons


def parse_series(text: str, url: str) -> SeriesPage:
    """The head of a series page. Raises LayoutChanged when its title cannot be found."""
    page = tree(text)
    heading = page.select_one("h1")
    own_text = " ".join(heading.find_all(string=True, recursive=False)) if heading else ""
    title = _LANGUAGE_MARK.sub("", " ".join(own_text.split()) or text_of(heading))
    if not title:
        raise LayoutChanged("title")
    facts = _facts(page)
    synopsis = text_of(page.select_one("div.synopsis p") or page.select_one("div.synopsis"))
    cover = page.select_one("div.cover img")
    poster = attribute(cover, "data-src") or attribute(cover, "src") or meta(page, "og:image")
    genres = [text_of(tag) for tag in page.select("div.list span, div.list a")]
    return SeriesPage(
        title=title,
        synopsis="" if synopsis.lower().startswith(_NO_SYNOPSIS) else synopsis,
        genres=tuple(dict.fromkeys(filter(None, genres))),
        poster_url=absolute(url, poster),
        airing_status=_AIRING.get(facts.get("status", "").lower(), AiringStatus.UNKNOWN),
        extra=_EXTRAS.get(facts.get("format", "").lower(), ""),
    )


def _facts(page: Tag) -> dict[str, str]:
    """Pairs such as "Status En cours", by the first word in lower case."""
    pairs = (text_of(tag).partition(" ") for tag in page.select("#anime-info-list div.item"))
    return {label.lower().strip(":"): value.strip(" :") for label, _, value in pairs}


def parse_episodes(text: str, url: str) -> list[Link]:
    """The episodes of a series page in airing order; the site shows the newest first.

    Raises EmptyList when the page lists none, LayoutChanged when it has no list.
    """
    found = _from_script(text, url)
    if not found:
        buttons = _from_buttons(text, url)
        if found is None and buttons is None:
            raise LayoutChanged("episodes")
        found = buttons
    if not found:
        raise EmptyList("The site lists no episode of this series yet.")
    ordered = _in_airing_order(found)
    names = numbered_once(link.name for link in ordered)
    return [replace(link, name=name) for name, link in zip(names, ordered, strict=True)]


def _from_script(text: str, url: str) -> list[Link] | None:
    """The encoding until 2023: a list in a script; None when the page has no such list."""
    for script in scripts(text):
        code = without_comments(script) if "episodes" in script else ""
        start = _EPISODES.search(code)
        if start:
            try:
                value, _ = json.JSONDecoder().raw_decode(code, start.end())
            except (ValueError, RecursionError):
                raise LayoutChanged("episodes") from None
            return [_link_of(entry, url) for entry in value if isinstance(entry, dict)]
    return None


def _link_of(entry: Mapping[str, Any], url: str) -> Link:
    label, own = text_in(entry.get("episode")), entry.get("num")
    number = trailing_number(label)
    if number is None and isinstance(own, int) and not isinstance(own, bool) and own >= 0:
        number = Decimal(own)
    address = absolute(url, text_in(entry.get("url")))
    return Link(_name(label, number), number, text_in(entry.get("title")), address)


def _from_buttons(text: str, url: str) -> list[Link] | None:
    """The encoding since: links whose text ends in " - " and the number; None without a list."""
    page = tree(text)
    if page.select_one("div.episodes") is None:
        return None
    links = []
    for button in page.select("div.episodes a.button[href], div.episodes a[href*='/episode/']"):
        label = _LANGUAGE_MARK.sub("", text_of(button).rpartition(" - ")[2])
        number = trailing_number(label)
        address = absolute(url, attribute(button, "href"))
        links.append(Link(_name(label, number), number, "", address))
    return links


def _name(label: str, number: Decimal | None) -> str:
    return label or "Film" if number is None else f"Episode {plain(number)}"


def _in_airing_order(links: list[Link]) -> list[Link]:
    numbers = [link.number for link in links if link.number is not None]
    is_newest_first = len(numbers) < 2 or numbers[0] > numbers[-1]  # noqa: PLR2004 -- a pair
    return list(reversed(links)) if is_newest_first else list(links)


def listings(links: Iterable[Link], *, extra: str) -> Iterator[EpisodeListing]:
    """Episodes by their own number; what has none is counted, as season 0.

    What belongs to no season is called by its kind, `extra`, when the site gives a number alone.
    """
    for position, link in enumerate(links):
        is_regular = not extra and link.number is not None
        yield EpisodeListing(
            ref=link.name,
            number=Decimal(position + 1) if link.number is None else link.number,
            season=1 if is_regular else 0,
            position=position,
            title=link.title or (link.name if link.number is None else extra),
            url=link.url,
            is_special=not extra and link.number is None,
        )


def parse_players(text: str) -> list[str]:
    """The addresses of an episode page's players, in the site's order; may be empty.

    Raises LayoutChanged when the page has no list of players.
    """
    found: dict[int, str] = {}
    has_list = False
    for script in scripts(text):
        code = without_comments(script)
        for match in _VIDEOS.finditer(code):
            has_list = True
            if match[1]:
                address, _, _ = code[match.end() :][:_LONGEST_URL].partition(match[2])
                found[int(match[1])] = unescaped(address).strip()
    if not has_list:
        raise LayoutChanged("video")
    return [found[place] for place in sorted(found) if found[place]]
