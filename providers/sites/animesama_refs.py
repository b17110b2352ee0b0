"""anime-sama's addresses and references: a work, a season of it, a language."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote, urlsplit

from providers.errors import NotASeries, NotFound
from providers.parsing import quoted

LANGUAGES: Final = ("vostfr", "vf", "vf1", "vf2", "va", "vj", "vcn", "vkr", "vqc", "var")
_SEASON: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f/\\]")
_FIELDS: Final = 3


@dataclass(frozen=True, slots=True)
class Ref:
    """The parts of a series reference; the season is "" while it is not chosen."""

    slug: str
    season: str
    lang: str

    @classmethod
    def parse(cls, series_ref: str) -> Ref:
        """Read what `str` of a reference gives. Raises NotASeries."""
        parts = series_ref.split("/")
        if len(parts) != _FIELDS or not parts[0]:
            raise NotASeries("This is no reference of anime-sama.")
        return cls(*parts)

    def in_language(self, lang: str) -> Ref:
        """The same season in another language. Raises NotFound for one that the site never has."""
        if lang not in LANGUAGES:
            raise NotFound(f"anime-sama has no language {lang!r}.")
        return replace(self, lang=lang)

    @property
    def path(self) -> str:
        """The page of the season, or of the work, below the site's base address."""
        work = f"/catalogue/{quoted(self.slug)}/"
        return f"{work}{quoted(self.season)}/{quoted(self.lang)}/" if self.season else work

    def __str__(self) -> str:
        return f"{self.slug}/{self.season}/{self.lang}"


def ref_of_path(path: str, base_url: str) -> tuple[Ref, bool]:
    """What the path of an address names, and whether it names a language. Raises NotASeries."""
    segments = [unquote(part) for part in _below(path, base_url).split("/") if part]
    if len(segments) < 2 or segments[0].lower() != "catalogue":  # noqa: PLR2004 -- with a work
        raise NotASeries("This address names no work.")
    slug, *rest = segments[1:]
    if rest and rest[-1].lower() == "episodes.js":
        rest.pop()
    if rest and rest[0].lower().startswith("scan"):
        raise NotASeries("Scans are read, not watched.")
    season, lang, *others = (*(part.lower() for part in rest), "", "")
    if season in LANGUAGES and not lang:
        season, lang = "", season
    is_known = lang in {"", *LANGUAGES} and not any(others)
    if not is_known or _UNSAFE.search(slug) or not (season == "" or _SEASON.fullmatch(season)):
        raise NotASeries("This address names no season of a work.")
    return Ref(slug, season, lang or LANGUAGES[0]), bool(lang)


def depth_of(url: str) -> int:
    """How many parts an address has below the catalogue: 1 for a work, 0 for the home page."""
    below = urlsplit(url).path.lower().partition("/catalogue/")[2]
    return sum(1 for part in below.split("/") if part)


def _below(path: str, base_url: str) -> str:
    """The path below the base address; an old domain has none of its prefix."""
    prefix = urlsplit(base_url).path.rstrip("/")
    return path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path
