"""What anime-ultime offers of a series, whichever of its two sites it was read from.

One episode may be there several times, once for each group of translators and each language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from providers.parsing import plain, with_number
from providers.types import EpisodeListing

_LANGUAGE: Final = re.compile(r"[\s\-_\[(]+(vostfr|vf)[\s\])]*$", re.IGNORECASE)
_LANGUAGE_WORD: Final = re.compile(r"(?:^|[^a-z])vf(?:[^a-z]|$)", re.IGNORECASE)
_KINDS: Final = r"(?:^|[\s\-_\[(])(OAV|OVA|ONA|Film|Sp[ée]cial|Bonus)"
_KIND: Final = re.compile(rf"{_KINDS}\b", re.IGNORECASE)
# A title may hold such a word, too: only the one that the number belongs to is a kind.
_KIND_OF_NUMBER: Final = re.compile(
    rf"{_KINDS}[\s\-_\[(]*(?:n°|[ée]p(?:isode)?\b)?[\s\-.]*$", re.IGNORECASE
)
_SEASON: Final = re.compile(r"saison[\s\-_]{0,2}(\d{1,2})(?!\d)", re.IGNORECASE)
_LONGEST_LABEL: Final = 200


@dataclass(frozen=True, slots=True)
class File:
    """One file: an episode in one language by one group."""

    name: str  # "Episode 8", "OAV 2", "Film": the same for every file of an episode
    number: Decimal | None
    is_regular: bool
    lang: str
    group: str = ""
    file_id: str = ""  # "" when only its page is known
    url: str = ""  # its page
    streams: tuple[str, ...] = ()  # direct addresses that do not expire, best first
    published_at: datetime | None = None
    duration_seconds: float | None = None


def language_of(label: str) -> str:
    """The language that a label or address names: "vf", or subtitles when it names none."""
    label = label[-_LONGEST_LABEL:]
    # The other word may be in the name of the group that made the subtitles.
    is_dubbed = "vostfr" not in label.lower() and _LANGUAGE_WORD.search(label)
    return "vf" if is_dubbed else "vostfr"


def named(label: str) -> tuple[str, Decimal | None, bool]:
    """Name, number and whether it is a regular episode, for example of "Terra E... 01"."""
    label = _LANGUAGE.sub("", " ".join(label[-_LONGEST_LABEL:].split()))
    before, number = with_number(label.rstrip(" ])"))
    if number is None:
        kinds = _KIND.findall(label)
        return _word(kinds[-1]) if kinds else label, None, False
    kind = _KIND_OF_NUMBER.search(before)
    word = _word(kind[1]) if kind else "Episode"
    return f"{word} {plain(number)}", number, kind is None


def _word(kind: str) -> str:
    return kind.upper() if kind.lower() in {"oav", "ova", "ona"} else kind.capitalize()


def season_of(*names: str) -> int:
    """The season that a title or address names, else 1."""
    for name in names:
        found = _SEASON.search(name[:_LONGEST_LABEL])
        if found:
            return int(found[1])
    return 1


def in_language(files: Iterable[File], lang: str) -> list[File]:
    """The files of one language, in the site's order."""
    return [file for file in files if file.lang == lang]


def listings(files: Iterable[File], season: int) -> Iterator[EpisodeListing]:
    """One entry for each episode, with what its first file says; extras are counted as season 0."""
    first_of: dict[str, File] = {}
    for file in files:
        first_of.setdefault(file.name, file)
    has_regular = any(file.is_regular for file in first_of.values())
    taken = {file.number for file in first_of.values() if not file.is_regular}
    free = (Decimal(number) for number in range(1, len(first_of) + 2) if number not in taken)
    for position, file in enumerate(_in_order(first_of.values())):
        yield EpisodeListing(
            ref=file.name,
            number=next(free) if file.number is None else file.number,
            season=season if file.is_regular else 0,
            position=position,
            title="" if file.is_regular else file.name,
            url=file.url,
            is_special=has_regular and not file.is_regular,
            published_at=file.published_at,
            duration_seconds=file.duration_seconds,
        )


def _in_order(files: Iterable[File]) -> list[File]:
    """Regular episodes by number; others stay behind those they are listed behind."""
    last = Decimal(0)
    keyed: list[tuple[Decimal, File]] = []
    for file in files:
        if file.is_regular and file.number is not None:
            last = file.number
        keyed.append((last, file))
    return [file for _, file in sorted(keyed, key=lambda pair: pair[0])]
