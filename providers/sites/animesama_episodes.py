"""Reading anime-sama's `episodes.js`: which positions of a season can be watched, and where.

It is read at each change of a series, so no tree is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import zip_longest
from typing import Final

from providers.errors import EmptyList, LayoutChanged, NotFound
from providers.parsing import (
    decimal_of,
    numbered_once,
    trailing_number,
    unescaped,
    without_comments,
)
from providers.sites.animesama_names import MOST_POSITIONS, parse_names
from providers.types import EpisodeListing

# One alternative for each thing that counts; a comment has no group and is passed over.
_TOKEN: Final = re.compile(
    r"""'(?P<single>(?:[^'\\\n]++|\\.)*+)'?|"(?P<double>(?:[^"\\\n]++|\\.)*+)"?"""
    r"""|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?"""
    r"""|\beps(?P<name>\w{1,20}+)\s*+=\s*+\[|(?P<comma>,)|(?P<end>\])"""
    r"""|\b(?P<nothing>null|undefined)\b"""
)
_NUMBERED: Final = re.compile(r"[EÉ]pisode 0*(\d{1,6}(?:[.,]\d{1,3})?)", re.IGNORECASE)
_WORD: Final = re.compile(r"\d+|saison|kai|film|oav|hs(?![a-z])|[a-z]+")
_WORDS: Final = {"hs": "hors-série", "oav": "OAV"}
_UNPUBLISHED: Final = re.compile(
    r"[?&](?:videoid|oid|id)=(?:&|$)|/embed-\.html|/(?:embed|e)/?$", re.IGNORECASE
)
_SEASON_NUMBER: Final = re.compile(r"saison(\d{1,3})(?:-\d{1,3})?")
_KAI: Final = re.compile(r"kai(\d{0,3})")
_LONGEST_URL: Final = 2_000
_MOST_PLAYERS: Final = 50


@dataclass(frozen=True, slots=True)
class Slot:
    """One position of a season: the name that the site shows, and its usable players."""

    position: int
    name: str
    players: tuple[str, ...]


@dataclass(slots=True)
class _Columns:
    """The lists of players by name, filled token by token."""

    by_name: dict[str, list[str]] = field(default_factory=dict)
    open_list: list[str] | None = None
    value: str | None = None

    def take(self, match: re.Match[str]) -> None:
        kind = match.lastgroup
        if kind == "name":
            self.open_list = self.by_name[match["name"]] = []
            self.value = None
        elif self.open_list is None:
            return
        elif kind == "comma":
            # A hole or an empty text keeps its place, else all later episodes would shift.
            self.open_list.append(self.value or "")
            self.value = None
        elif kind == "end":
            if self.value is not None:
                self.open_list.append(self.value)
            self.open_list = None
        elif kind is not None:
            self.value = "" if kind == "nothing" else unescaped(match[kind])


def parse_players(script: str) -> list[tuple[str, ...]]:
    """The players of each position, in the order in which the site shows them.

    `epsN` is one player with a slot for each position. Raises LayoutChanged when there is no such
    list, NotFound when the file is blank.
    """
    columns = _Columns()
    for match in _TOKEN.finditer(script):
        columns.take(match)
    if not columns.by_name:
        if is_blank(script):
            raise NotFound("The site has no episodes of this season in this language.")
        raise LayoutChanged("episodes.js")
    ordered = [columns.by_name[name] for name in sorted(columns.by_name, key=_shown_order)]
    if len(ordered) > _MOST_PLAYERS or max(map(len, ordered)) > MOST_POSITIONS:
        raise LayoutChanged("episodes.js")
    return list(zip_longest(*ordered, fillvalue=""))


def is_blank(script: str) -> bool:
    """Whether a script says nothing: how the site answers for a season that it does not have."""
    return not without_comments(script).strip(" \t\r\n\ufeff/")


def _shown_order(name: str) -> tuple[int, str]:
    """Players by number; the site shows the second one first."""
    if not (name.isascii() and name.isdecimal()):
        return MOST_POSITIONS, name
    return {1: 2, 2: 1}.get(int(name), int(name)), name


def usable(url: str) -> bool:
    """Whether a player's address leads to a video; unpublished episodes have one without its id."""
    is_address = url.startswith(("http://", "https://", "/")) and len(url) <= _LONGEST_URL
    return is_address and not _UNPUBLISHED.search(url[-200:])


def offered(script: str, season_page: str) -> list[Slot]:
    """The positions of a season that can be watched, with names that occur once.

    Raises EmptyList when there is none yet.
    """
    rows = parse_players(script)
    names = numbered_once(parse_names(season_page, len(rows)))
    slots = [
        Slot(position, name, tuple(filter(usable, map(str.strip, row))))
        for position, (name, row) in enumerate(zip(names, rows, strict=True))
    ]
    found = [slot for slot in slots if slot.players]
    if not found:
        raise EmptyList("The site lists no episode of this season yet.")
    return found


def season_number(season: str) -> int:
    """1 for "saison1" and "kai", 2 for "saison2-1", 0 for films, OAV and special seasons."""
    if found := _SEASON_NUMBER.fullmatch(season):
        return int(found[1])
    if found := _KAI.fullmatch(season):
        return int(found[1] or 1)
    return 0


def kind_of(season: str) -> str:
    """What a season of extras is called: "Film 2" for "film2", "Saison 1 hors-série" for its own.

    Films, OAV and the rest of one work are each counted from one as season 0, so that without it
    the first of each would have the same name.
    """
    words = " ".join(_WORDS.get(word, word) for word in _WORD.findall(season))
    return words[:1].upper() + words[1:]


def listings(slots: Iterable[Slot], season: str, url: str) -> list[EpisodeListing]:
    """Episodes in the site's order; the reference is season and name, whatever the position."""
    slots = list(slots)
    number = season_number(season)
    numbers = list(_by_name(slots) if number else _by_order(slots))
    kind = "" if number else kind_of(season)
    return [
        EpisodeListing(
            ref=f"{season}/{slot.name}",
            number=counted if counted is not None else special,
            season=number if counted is not None else 0,
            position=slot.position,
            title=_title(slot.name) or kind,
            url=url,
            is_special=counted is None,
        )
        for slot, (counted, special) in zip(slots, numbers, strict=True)
    ]


def _by_name(slots: list[Slot]) -> Iterator[tuple[Decimal | None, Decimal]]:
    """The number in the name, or none and a number among the specials."""
    own = {slot.position: trailing_number(slot.name) for slot in slots}
    taken = {number for slot in slots if not _numbered(slot) if (number := own[slot.position])}
    following = (Decimal(n) for n in range(1, MOST_POSITIONS) if Decimal(n) not in taken)
    for slot in slots:
        if found := _numbered(slot):
            yield found, Decimal(0)
        else:
            yield None, own[slot.position] or next(following)


def _numbered(slot: Slot) -> Decimal | None:
    found = _NUMBERED.match(slot.name)
    return decimal_of(found[1]) if found else None


def _title(name: str) -> str:
    """What the name says beyond "Episode 12"."""
    found = _NUMBERED.match(name)
    return name[found.end() :].strip(" :-\u2013\u2014") if found else name


def _by_order(slots: list[Slot]) -> Iterator[tuple[Decimal | None, Decimal]]:
    """Films and OAV are counted; their own numbers hold only where every one has one."""
    named = [_numbered(slot) for slot in slots]
    has_own = None not in named and len(set(named)) == len(named)
    for slot, own in zip(slots, named, strict=True):
        yield (own if has_own else Decimal(slot.position + 1)), Decimal(0)
