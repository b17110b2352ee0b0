"""What anime-ultime lists of a season: one file for each episode, language and fansub group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from providers.demo.addresses import ultime_id, ultime_name
from providers.demo.context import Context
from providers.demo.works import Episode, ProviderId, Season, Work

_FILES_PER_EPISODE = 20
_GROUPS_PER_LANGUAGE = 10
_LANGUAGES = ("vostfr", "vf")


@dataclass(frozen=True, slots=True)
class UltimeFile:
    """One file; the same episode may have several."""

    work: Work
    season: Season
    episode: Episode
    lang: str
    group: str

    @property
    def idfile(self) -> int:
        """Its number on the site."""
        place = self.work.groups.index(self.group)
        language = _LANGUAGES.index(self.lang) * _GROUPS_PER_LANGUAGE
        return self.episode.uid * _FILES_PER_EPISODE + language + place

    @property
    def label(self) -> str:
        """What the list calls it: "Episode 08"."""
        if self.work.kind == "Film":
            return "Film"
        return f"Episode {self.number}" if self.episode.number else "OAV"

    @property
    def number(self) -> str:
        """Its number in two digits, "" for films and specials."""
        return f"{self.episode.number:02d}" if self.episode.number else ""

    @property
    def name(self) -> str:
        """Its part of version 5's addresses."""
        label = self.label.replace(" ", "-")
        series = ultime_name(self.work)
        return f"{series}-streaming-{label}-{self.lang}-par-{self.group}.html"


def title_of(work: Work, season: Season) -> str:
    """The title with the season."""
    place = work.seasons.index(season) + 1
    return work.title if place == 1 else f"{work.title} [Saison {place}]"


def files_of(context: Context, work: Work, season: Season, path: str) -> list[UltimeFile]:
    """The files of a season as the page at `path` lists them."""
    return [
        UltimeFile(work, season, episode, lang, group)
        for lang in _LANGUAGES
        for episode in context.listed(season, lang, path)
        for group in _groups(work, episode, lang)
    ]


def _groups(work: Work, episode: Episode, lang: str) -> tuple[str, ...]:
    """Dubs come from one group; of the others, some stop early."""
    if lang != "vostfr":
        return work.groups[:1]
    return work.groups if episode.number % 2 else work.groups[:2]


def seasons(context: Context) -> Iterator[tuple[Work, Season]]:
    """Every season that the site lists."""
    for work in context.catalogue.of(ProviderId.ANIMEULTIME):
        for season in work.seasons:
            yield work, season


def season_by_id(context: Context, number: str) -> tuple[Work, Season] | None:
    """A season by its number on the site."""
    for work, season in seasons(context):
        if str(ultime_id(work, season)) == number:
            return work, season
    return None


def file_by_id(context: Context, number: str, path: str) -> UltimeFile | None:
    """A file by its number on the site."""
    for work, season in seasons(context):
        for file in files_of(context, work, season, path):
            if str(file.idfile) == number:
                return file
    return None
