"""Reading anime-sama's catalogue: search results in three card layouts, and the page of a work."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit

from bs4 import Tag

from providers.errors import LayoutChanged
from providers.parsing import (
    absolute,
    attribute,
    meta,
    scripts,
    split_names,
    text_of,
    tree,
    unescaped,
    without_comments,
)
from providers.types import AiringStatus

_PANEL: Final = re.compile(
    r"""\bpanneauAnime\s*+\(\s*+("(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')"""
    r"""\s*+,\s*+("(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')\s*+\)"""
)
_STATUS_LABELS: Final = frozenset({"état", "etat", "statut"})
_AIRING: Final = {
    "en cours": AiringStatus.AIRING,
    "terminé": AiringStatus.FINISHED,
    "sorti": AiringStatus.FINISHED,
    "annulé": AiringStatus.FINISHED,
    "à venir": AiringStatus.UPCOMING,
}


@dataclass(frozen=True, slots=True)
class Card:
    """One search result; what its layout does not show is empty."""

    slug: str
    title: str
    poster_url: str = ""
    other_titles: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()  # lower case: "vostfr", "vf"
    kinds: tuple[str, ...] = ()  # "Anime", "Film", "Scans", ...
    synopsis: str = ""

    @property
    def has_episodes(self) -> bool:
        """False for a work that has scans and nothing else."""
        return not self.kinds or any(not kind.lower().startswith("scan") for kind in self.kinds)


@dataclass(frozen=True, slots=True)
class Panel:
    """A season as the page of a work leads to it, in one language."""

    label: str
    season: str
    lang: str


@dataclass(frozen=True, slots=True)
class Work:
    """The page of a work."""

    title: str
    other_titles: tuple[str, ...]
    synopsis: str
    genres: tuple[str, ...]
    poster_url: str
    airing_status: AiringStatus
    panels: tuple[Panel, ...]


def parse_cards(text: str, url: str) -> list[Card]:
    """The cards of a catalogue page, whichever of the three layouts it has; may be empty.

    Raises LayoutChanged when it has none of them.
    """
    page = tree(text)
    for selector, read in (
        ("div.as-carte[data-url]", _card_of_2026_10),
        ("div.catalog-card", _card_of_2026_02),
        ("#list_catalog > div > a", _card_of_2025),
    ):
        found = page.select(selector)
        if found:
            return [card for tag in found if (card := read(tag, url)).slug and card.title]
    if page.select_one("#list_catalog, #list_pagination, form[action*=catalogue]") is None:
        raise LayoutChanged("search results")
    return []


def _card_of_2026_10(tag: Tag, url: str) -> Card:
    return Card(
        slug=_slug(attribute(tag, "data-url")),
        title=text_of(tag.select_one("h3")) or attribute(tag, "data-nom"),
        poster_url=absolute(url, attribute(tag, "data-img")),
        languages=_languages(attribute(image, "title") for image in tag.select("img[title]")),
        kinds=tuple(text_of(badge) for badge in tag.select('[class*="as-badge"]')),
    )


def _card_of_2026_02(tag: Tag, url: str) -> Card:
    rows = [text_of(value) for value in tag.select(".type-row .info-value")]
    return Card(
        slug=_slug(attribute(tag.select_one("a[href]"), "href")),
        title=text_of(tag.select_one(".card-title")),
        poster_url=absolute(url, attribute(tag.select_one("img.card-image"), "src")),
        other_titles=split_names(text_of(tag.select_one(".alternate-titles"))),
        # The list is cut after five with an ellipsis.
        genres=tuple(
            name for genre in tag.select(".genre-tag") if (name := text_of(genre).strip(" …."))
        ),
        languages=_languages(attribute(flag, "title") for flag in tag.select(".lang-flag")),
        kinds=split_names(", ".join(rows)),
        synopsis=text_of(tag.select_one(".synopsis-content")),
    )


def _card_of_2025(tag: Tag, url: str) -> Card:
    lines = [text_of(line) for line in tag.select("p")]
    others, genres, kinds, languages = (*lines, "", "", "", "")[:4]
    return Card(
        slug=_slug(attribute(tag, "href")),
        title=text_of(tag.select_one("h1")),
        poster_url=absolute(url, attribute(tag.select_one("img"), "src")),
        other_titles=split_names(others),
        genres=split_names(genres),
        languages=_languages(languages.split(",")),
        kinds=split_names(kinds),
    )


def parse_suggestions(text: str, url: str) -> list[Card]:
    """The hits of the search box; an empty body is no hit. Raises LayoutChanged."""
    if not text.strip():
        return []
    found = tree(text).select("a.asn-search-result[href]")
    if not found:
        raise LayoutChanged("search results")
    cards = (
        Card(
            slug=_slug(attribute(tag, "href")),
            title=text_of(tag.select_one(".asn-search-result-title")),
            poster_url=absolute(url, attribute(tag.select_one("img"), "src")),
            other_titles=split_names(text_of(tag.select_one(".asn-search-result-subtitle"))),
        )
        for tag in found
    )
    return [card for card in cards if card.slug and card.title]


def parse_work(text: str, url: str) -> Work:
    """The page of a work. Raises LayoutChanged when its title cannot be found."""
    page = tree(text)
    title = text_of(page.select_one("h4#titreOeuvre") or page.select_one("h1"))
    if not title:
        raise LayoutChanged("title")
    genres = tuple(text_of(pill) for pill in page.select(".genres-wrap .genre-pill"))
    cover = meta(page, "og:image") or attribute(page.select_one("img#coverOeuvre"), "src")
    return Work(
        title=title,
        other_titles=split_names(text_of(page.select_one("#titreAlter"))),
        synopsis=text_of(page.select_one("#synopsisText")),
        genres=tuple(dict.fromkeys(filter(None, genres))),
        poster_url=absolute(url, cover),
        airing_status=_airing_status(page),
        panels=tuple(parse_panels(text)),
    )


def parse_panels(text: str) -> list[Panel]:
    """The seasons that the page's script offers, without scans; may be empty."""
    found: dict[tuple[str, str], Panel] = {}
    for script in scripts(text):
        if "panneauAnime" in script:
            for match in _PANEL.finditer(without_comments(script)):
                panel = _panel(unescaped(match[1][1:-1]), unescaped(match[2][1:-1]))
                if panel is not None:
                    found.setdefault((panel.season, panel.lang), panel)
    return list(found.values())


def _panel(label: str, path: str) -> Panel | None:
    """None for the template line `panneauAnime("nom", "url")` that every page has."""
    parts = [part for part in path.lower().split("/") if part not in {"", "."}]
    if len(parts) < 2 or parts[-2].startswith("scan"):  # noqa: PLR2004 -- season and language
        return None
    return Panel(" ".join(label.split()), parts[-2], parts[-1])


def _airing_status(page: Tag) -> AiringStatus:
    for label in page.select("dl.oe-infos dt, span.info-lbl"):
        # The value is looked for once: where there is none, that reads the rest of the page.
        if text_of(label).strip(" :").lower() in _STATUS_LABELS:
            is_term = label.name == "dt"
            value = label.find_next_sibling("dd") if is_term else label.find_next(class_="info-val")
            return _AIRING.get(text_of(value).lower(), AiringStatus.UNKNOWN)
    return AiringStatus.UNKNOWN


def _languages(names: Iterator[str] | list[str]) -> tuple[str, ...]:
    """Flags and abbreviations as languages of ours; a foreign flag means subtitles."""
    found: list[str] = []
    for name in names:
        word = name.strip().lower()
        if word in {"fr", "vf", "français", "francais", "france"}:
            found.append("vf")
        elif word == "vastfr":
            found.append("va")
        elif word:
            found.append("vostfr")
    return tuple(dict.fromkeys(found))


def _slug(href: str) -> str:
    """The work's part of an address, absolute or relative, with or without a trailing slash."""
    try:
        parts = [part for part in urlsplit(href).path.split("/") if part]
    except ValueError:
        return ""
    if "catalogue" in parts[:-1]:
        return unquote(parts[parts.index("catalogue") + 1])
    return unquote(parts[-1]) if len(parts) == 1 else ""
