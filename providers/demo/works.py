"""What the demo site knows: works with seasons, episodes and languages; changed while it runs."""

from __future__ import annotations

import copy
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum


def utc_now() -> datetime:
    """The current moment, aware."""
    return datetime.fromtimestamp(time.time(), UTC)


class ProviderId(StrEnum):
    """The formats that the site speaks."""

    ANIMESAMA = "animesama"
    NEKOSAMA = "nekosama"
    ANIMEULTIME = "animeultime"
    FEED = "feed"


class CardLayout(StrEnum):
    """The card layouts that anime-sama's catalogue has had."""

    OCTOBER_2026 = "2026-10"
    FEBRUARY_2026 = "2026-02"
    YEAR_2025 = "2025"


class NekoEncoding(StrEnum):
    """How neko-sama's series pages have listed episodes."""

    SCRIPT = "script"
    BUTTONS = "buttons"


@dataclass(slots=True)
class Episode:
    """One episode of a season."""

    uid: int  # unique in the site
    name: str  # "Episode 5", or the name of a special
    number: int  # 0 for specials
    published_at: datetime

    @property
    def is_special(self) -> bool:
        """Whether it stands outside the numbering."""
        return self.number == 0


@dataclass(slots=True)
class Season:
    """One season; `offered` tells how many of its episodes each language has."""

    path: str  # as in anime-sama's addresses: "saison1", "film"
    label: str
    first_number: int = 1
    episodes: list[Episode] = field(default_factory=list)
    offered: dict[str, int] = field(default_factory=dict)

    def in_language(self, lang: str) -> list[Episode]:
        """The episodes that a language has."""
        return self.episodes[: self.offered.get(lang, 0)]


@dataclass(slots=True)
class Work:
    """A series or film, as all the formats tell of it."""

    number: int
    slug: str
    title: str
    synopsis: str
    genres: tuple[str, ...]
    seasons: list[Season]
    providers: tuple[ProviderId, ...]
    other_titles: tuple[str, ...] = ()
    year: int = 2026
    studio: str = "Studio Lanterne"
    kind: str = "Anime"
    is_airing: bool = False
    announced: int = 12
    groups: tuple[str, ...] = ("Brume-Fansub",)
    neko_encoding: NekoEncoding = NekoEncoding.SCRIPT
    lists_all_languages: bool = False
    is_licensed: bool = False

    def season(self, path: str) -> Season | None:
        """The season at an address."""
        return next((season for season in self.seasons if season.path == path), None)


class Catalogue:
    """All works. The site's lock is held by whoever changes it."""

    def __init__(self, works: list[Work]) -> None:
        self._original = copy.deepcopy(works)
        self.works = works
        self.card_layout = CardLayout.OCTOBER_2026
        self.changed_at = utc_now()

    def reset(self) -> None:
        """Back to the beginning."""
        self.works = copy.deepcopy(self._original)
        self.card_layout = CardLayout.OCTOBER_2026
        self._touch()

    def of(self, provider: ProviderId) -> Iterator[Work]:
        """The works that one format lists."""
        return (work for work in self.works if provider in work.providers)

    def work(self, slug: str) -> Work:
        """A work by its name in addresses. Raises KeyError."""
        for work in self.works:
            if work.slug == slug:
                return work
        raise KeyError(f"the demo site has no series named {slug!r}")

    def find(self, provider: ProviderId, slug: str) -> Work | None:
        """A work that one format lists, None when it does not."""
        return next((work for work in self.of(provider) if work.slug == slug), None)

    def search(self, provider: ProviderId, query: str) -> list[Work]:
        """Works whose title holds the words of a query; all for an empty one."""
        words = query.lower().split()
        return [
            work
            for work in self.of(provider)
            if all(word in " ".join((work.title, *work.other_titles)).lower() for word in words)
        ]

    def airing(self) -> Work:
        """The work that gets new episodes by itself."""
        return next(work for work in self.works if work.is_airing)

    def by_uid(self, uid: int) -> tuple[Work, Season, Episode] | None:
        """An episode by its number in the site."""
        for work in self.works:
            for season in work.seasons:
                for episode in season.episodes:
                    if episode.uid == uid:
                        return work, season, episode
        return None

    def publish(self, slug: str | None = None) -> int:
        """Append an episode to a work's last season, in all its languages; its number."""
        work = self.work(slug) if slug else self.airing()
        season = work.seasons[-1]
        numbers = [episode.number for episode in season.episodes]
        number = max([season.first_number - 1, *numbers]) + 1
        season.episodes.append(self._episode(f"Episode {number}", number))
        for lang, count in season.offered.items():
            # A language that lags behind keeps its distance.
            season.offered[lang] = count + 1
        self._touch()
        return number

    def insert_special(self, slug: str, *, title: str, position: int = 0) -> None:
        """Put a special before the episode at a position of the last season."""
        season = self.work(slug).seasons[-1]
        season.episodes.insert(position, self._episode(title, 0))
        for lang, count in season.offered.items():
            if count >= position:
                season.offered[lang] = count + 1
        self._touch()

    def add_language(self, slug: str, lang: str) -> None:
        """Offer a whole work in one more language."""
        for season in self.work(slug).seasons:
            season.offered[lang] = len(season.episodes)
        self._touch()

    def show_cards_as(self, layout: CardLayout) -> None:
        """Choose the layout of anime-sama's catalogue."""
        self.card_layout = layout
        self._touch()

    def _episode(self, name: str, number: int) -> Episode:
        uids = (episode.uid for work in self.works for s in work.seasons for episode in s.episodes)
        return Episode(max(uids, default=0) + 1, name, number, utc_now())

    def _touch(self) -> None:
        # Last-Modified counts whole seconds; two changes within one must not look the same.
        now = utc_now()
        self.changed_at = max(now, self.changed_at + timedelta(seconds=1))
