"""neko-sama in its classic form: French subtitles and dubs, one page for each season and language.

Site: https://neko-sama.fr, later .io and animecat.net; closed in 2024, so it is off by default.
Languages: vostfr, vf.
Offers: search, details, episode lists with conditional requests, players of video hosts.
URL shapes: /anime/info/<id>-<series>_<language>,
    for example https://neko-sama.fr/anime/info/4711-le-phare-des-brumes_vostfr
Last verified: 2024-08, from published descriptions and a saved search database.
Known limits: sites that use the name today have other pages and are not read. A search loads one
    database for each language.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Final
from urllib.parse import SplitResult, unquote, urlsplit

from providers.base import Page, SiteAdapter
from providers.errors import NotASeries, NotFound
from providers.parsing import closeness, folded, led_elsewhere, quoted, readable
from providers.sites.nekosama_database import Entry, parse_database
from providers.sites.nekosama_pages import (
    listings,
    parse_episodes,
    parse_players,
    parse_series,
)
from providers.streams import StreamKind, VideoSource
from providers.types import (
    Capability,
    EpisodeList,
    Pace,
    PageValidator,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)

_LANGUAGES: Final = ("vostfr", "vf")
# Until 2023 the language stood behind a dash.
_REF: Final = re.compile(r"(\d{1,9})-([^/\\?#\x00-\x20]{1,200}?)[_-](vostfr|vf)", re.IGNORECASE)
_INFO: Final = "/anime/info/"
# A higher number makes pages that did not change be read again, by a reader that was mended.
_SERIES: Final = "series 2"
_DATABASE_BYTES: Final = 20_000_000
_MOST_MATCHES: Final = 60


class NekoSamaAdapter(SiteAdapter):
    """Reads one page as one series."""

    id: ClassVar[str] = "nekosama"
    name: ClassVar[str] = "neko-sama"
    domains: ClassVar[frozenset[str]] = frozenset({"neko-sama.fr", "neko-sama.io", "animecat.net"})
    default_base_url: ClassVar[str] = "https://neko-sama.fr"
    languages: ClassVar[tuple[str, ...]] = _LANGUAGES
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    example_url: ClassVar[str] = "https://neko-sama.fr/anime/info/4711-le-phare-des-brumes_vostfr"
    pace: ClassVar[Pace] = Pace(requests_per_second=2.0, max_concurrent=2)

    @classmethod
    def locate(cls, parts: SplitResult, base_url: str) -> SeriesLocator:
        """A series page; its language is in its name."""
        before, found, name = unquote(parts.path).rstrip("/").rpartition("/anime/info/")
        match = _REF.fullmatch(name) if found else None
        if match is None or before not in {"", urlsplit(base_url).path.rstrip("/")}:
            raise NotASeries("This address names no series.")
        return SeriesLocator(
            series_ref=name,
            url=cls.url_of(name, base_url),
            lang=match[3].lower(),
            title_guess=readable(match[2]) or name,
        )

    @classmethod
    def with_language(cls, series_ref: str, lang: str) -> str | None:
        """Only the site knows the other page: its number is another one."""
        match = _REF.fullmatch(series_ref)
        return series_ref if match is not None and match[3].lower() == lang else None

    @classmethod
    def url_of(cls, series_ref: str, base_url: str) -> str:
        """The series page."""
        return f"{base_url}/anime/info/{quoted(series_ref)}"

    def search(self, query: str) -> list[SeriesMatch]:
        """Series with every word of the query in their titles, in all languages."""
        wanted = folded(query)
        if not wanted:
            return []
        hits = [hit for lang in _LANGUAGES for hit in self._hits(lang, wanted)]
        hits.sort(key=lambda hit: (hit[0], -hit[1].popularity))
        return [self._match(entry) for _, entry in hits[:_MOST_MATCHES]]

    def details(self, series_ref: str, lang: str) -> SeriesDetails:
        """The head of the series page."""
        page = self._series(series_ref)
        series = parse_series(page.text, page.url)
        return SeriesDetails(
            series_ref=series_ref,
            url=self.url_of(series_ref, self.client.base_url),
            title=series.title,
            lang=lang,
            synopsis=series.synopsis,
            genres=series.genres,
            poster_url=series.poster_url,
            airing_status=series.airing_status,
            languages=(_language_of(series_ref),),
        )

    def list_episodes(
        self, series_ref: str, lang: str, known: Mapping[str, PageValidator]
    ) -> EpisodeList:
        """The episodes of the series page, oldest first."""
        del lang
        page = self._series(series_ref, known.get(_SERIES))
        validators = {_SERIES: page.validator}
        if page.unchanged:
            return EpisodeList((), validators, unchanged=True)
        links = parse_episodes(page.text, page.url)
        series = parse_series(page.text, page.url)
        return EpisodeList(
            episodes=tuple(listings(links, extra=series.extra)),
            validators=validators,
            airing_status=series.airing_status,
        )

    def resolve(self, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
        """The players of the episode's page; its address is read from the series page first."""
        series = self._series(series_ref)
        for link in parse_episodes(series.text, series.url):
            if link.name == episode_ref and link.url:
                return self._players(link.url, lang)
        raise NotFound("The site does not list this episode any more.")

    def _series(self, series_ref: str, known: PageValidator | None = None) -> Page:
        page = self.client.get(f"{_INFO}{quoted(series_ref)}", known=known)
        if _INFO not in page.url:
            raise led_elsewhere(page.url, self.client.base_url)
        return page

    def _players(self, url: str, lang: str) -> list[VideoSource]:
        page = self.client.get(url)
        found = [
            VideoSource(
                url=player,
                kind=StreamKind.PAGE,
                label=(urlsplit(player).hostname or "").removeprefix("www."),
                lang=lang,
                headers={"Referer": page.url},
            )
            for player in dict.fromkeys(parse_players(page.text))
            if player.startswith(("http://", "https://"))
        ]
        if not found:
            raise NotFound("The site has no player for this episode.")
        return found

    def _hits(self, lang: str, wanted: str) -> list[tuple[int, Entry]]:
        words = wanted.split()
        return [
            (closeness(wanted, [entry.title, *entry.other_titles]), entry)
            for entry in self._database(lang)
            if _has_all(words, folded(" ".join((entry.title, *entry.other_titles))))
        ]

    def _database(self, lang: str) -> list[Entry]:
        """Every series of a language; the site had one database for all until there were two."""
        try:
            page = self.client.get(f"/animes-search-{lang}.json", max_bytes=_DATABASE_BYTES)
        except NotFound:
            if lang != _LANGUAGES[0]:
                return []
            page = self.client.get("/animes-search.json", max_bytes=_DATABASE_BYTES)
        entries = parse_database(page.json(), page.url)
        return [entry for entry in entries if _REF.fullmatch(entry.ref)]

    def _match(self, entry: Entry) -> SeriesMatch:
        return SeriesMatch(
            series_ref=entry.ref,
            url=self.url_of(entry.ref, self.client.base_url),
            title=entry.title,
            lang=_language_of(entry.ref),
            poster_url=entry.poster_url,
            genres=entry.genres,
            other_titles=entry.other_titles,
        )


def _language_of(series_ref: str) -> str:
    match = _REF.fullmatch(series_ref)
    return match[3].lower() if match else _LANGUAGES[0]


def _has_all(words: list[str], text: str) -> bool:
    return all(word in text for word in words)
