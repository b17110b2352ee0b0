"""anime-ultime: series subtitled or dubbed in French by fan groups, served by the site itself.

Site: https://v5.anime-ultime.net (JSON), and the older http://www.anime-ultime.net (v4) behind it.
Languages: vostfr, vf; one page has both.
Offers: search, details, episode lists with conditional requests, direct files in several qualities.
URL shapes: /<Series>-streaming.html (v5) and /file-0-1/<id>-<series> (v4),
    for example https://v5.anime-ultime.net/Le-Phare-des-Brumes-streaming.html
Last verified: 2026-07, from published descriptions and a saved playlist.
Known limits: files have short-lived addresses, so they are read when a download starts. Licensed
    series are reported as such. One download at a time is what the site likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final
from urllib.parse import SplitResult

from providers.base import SiteAdapter, SiteClient
from providers.errors import EmptyList, Licensed, NotFound, ProviderError
from providers.parsing import best_first, folded, readable
from providers.sites import animeultime_v4 as v4
from providers.sites import animeultime_v5 as v5
from providers.sites.animeultime_files import File, in_language, listings, season_of
from providers.sites.animeultime_reading import FALL_BACK, NewSite, OldSite, from_any
from providers.sites.animeultime_refs import Ref, ref_of_path
from providers.streams import VideoSource
from providers.types import (
    AiringStatus,
    Capability,
    EpisodeList,
    Pace,
    PageValidator,
    SeasonOffer,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)

_LANGUAGES: Final = ("vostfr", "vf")
_SHORTEST_QUERY: Final = 2
_MOST_FILES: Final = 4


class AnimeUltimeAdapter(SiteAdapter):
    """Reads one page, which holds both languages, as one series for each."""

    id: ClassVar[str] = "animeultime"
    name: ClassVar[str] = "anime-ultime"
    domains: ClassVar[frozenset[str]] = frozenset({"anime-ultime.net", "v5.anime-ultime.net"})
    default_base_url: ClassVar[str] = "https://v5.anime-ultime.net"
    languages: ClassVar[tuple[str, ...]] = _LANGUAGES
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    example_url: ClassVar[str] = "https://v5.anime-ultime.net/Le-Phare-des-Brumes-streaming.html"
    pace: ClassVar[Pace] = Pace(requests_per_second=2.0, max_concurrent=2)

    def __init__(self, client: SiteClient) -> None:
        super().__init__(client)
        self._new = NewSite(client)
        self._old = OldSite(client)

    @classmethod
    def locate(cls, parts: SplitResult, base_url: str) -> SeriesLocator:
        """The page of a series, on either of the two sites."""
        ref, name = ref_of_path(parts.path, base_url)
        return SeriesLocator(str(ref), ref.url(base_url), None, readable(name) or name)

    @classmethod
    def url_of(cls, series_ref: str, base_url: str) -> str:
        """The series page."""
        return Ref.parse(series_ref).url(base_url)

    def search(self, query: str) -> list[SeriesMatch]:
        """Series whose title matches; the older site is asked when the newer one cannot say."""
        if len(query.strip()) < _SHORTEST_QUERY:
            return []
        hits: Iterable[v5.Hit | v4.Hit]
        try:
            hits = self._new.hits(query)
        except FALL_BACK:
            hits = self._old.hits(query)
        return best_first(query, map(self._match, hits))

    def details(self, series_ref: str, lang: str) -> SeriesDetails:
        """What the series page tells; a reference without the name of its page is completed."""
        ref = self._completed(Ref.parse(series_ref))
        try:
            page: v5.SeriesPage | v4.SeriesPage = (
                self._new.series(ref) if ref.page else self._old.series(ref)
            )
        except FALL_BACK:
            if not (ref.page and ref.series_id):
                raise
            page = self._old.series(ref)
        if isinstance(page, v5.SeriesPage) and not ref.series_id:
            ref = Ref(page.series_id, ref.page)
        hits = self._hits(page.title)
        base_url = self.client.base_url
        return SeriesDetails(
            series_ref=str(ref),
            url=ref.url(base_url),
            title=_title(page.title, ref),
            lang=lang,
            synopsis=page.synopsis,
            genres=page.genres,
            poster_url=page.poster_url,
            airing_status=_airing_status(hits, ref),
            seasons=tuple(_seasons(hits, page.title, base_url, lang)),
            languages=_languages_of(page.files),
        )

    def list_episodes(
        self, series_ref: str, lang: str, known: Mapping[str, PageValidator]
    ) -> EpisodeList:
        """The episodes that have a file in this language. Raises NotFound when none has."""
        ref = Ref.parse(series_ref)
        found, _ = from_any(self._new, self._old, ref, known)
        if found.unchanged:
            return EpisodeList((), found.validators, unchanged=True)
        files = _in_language(found.files, lang)
        return EpisodeList(tuple(listings(files, season_of(ref.page))), found.validators)

    def resolve(self, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
        """The files of an episode, those of the group that the site lists first in front."""
        ref = Ref.parse(series_ref)
        found, is_old = from_any(self._new, self._old, ref, {})
        files = [file for file in _in_language(found.files, lang) if file.name == episode_ref]
        if not files:
            raise NotFound("The site does not list this episode any more.")
        if is_old and not any(file.streams for file in files):
            files = self._old.streams(ref, files)
        sources: list[VideoSource] = []
        problem: ProviderError | None = None
        for file in files[:_MOST_FILES]:
            try:
                sources += (
                    self._old.sources(file) if is_old else self._new.sources(file, found.series_id)
                )
            except (*FALL_BACK, Licensed) as error:
                # Of several reasons, that nobody may have it tells most.
                problem = error if isinstance(error, Licensed) else problem or error
        if not sources:
            raise problem or NotFound("The site has no file of this episode.")
        return list({source.url: source for source in sources}.values())

    def _completed(self, ref: Ref) -> Ref:
        """The reference with the page that the newer site has for this id, if it says."""
        if ref.page:
            return ref
        try:
            title = self._old.series(ref).title
        except (*FALL_BACK, Licensed):
            return ref
        for hit in self._hits(title):
            if hit.series_id == ref.series_id and hit.page:
                return Ref(ref.series_id, hit.page)
        return ref

    def _hits(self, title: str) -> list[v5.Hit]:
        try:
            return self._new.hits(_base_title(title))
        except ProviderError:
            # Only adds to what the series page has said already.
            return []

    def _match(self, hit: v5.Hit | v4.Hit) -> SeriesMatch:
        ref = Ref(hit.series_id, hit.page if isinstance(hit, v5.Hit) else "")
        return SeriesMatch(
            series_ref=str(ref),
            url=ref.url(self.client.base_url),
            title=hit.title,
            lang=_LANGUAGES[0],
            poster_url=hit.poster_url,
        )


def _in_language(files: Iterable[File], lang: str) -> list[File]:
    files = list(files)
    if not files:
        raise EmptyList("The site lists no episode of this series yet.")
    found = in_language(files, lang)
    if not found:
        raise NotFound(f"This series is not offered in {lang.upper()}.")
    return found


def _languages_of(files: Iterable[File]) -> tuple[str, ...]:
    offered = {file.lang for file in files}
    return tuple(lang for lang in _LANGUAGES if lang in offered)


def _airing_status(hits: Iterable[v5.Hit], ref: Ref) -> AiringStatus:
    for hit in hits:
        if hit.page == ref.page or (ref.series_id and hit.series_id == ref.series_id):
            return hit.airing_status
    return AiringStatus.UNKNOWN


def _seasons(hits: Iterable[v5.Hit], title: str, base_url: str, lang: str) -> Iterable[SeasonOffer]:
    """The pages that have the same title but for the season in brackets."""
    wanted = folded(_base_title(title))
    for hit in hits:
        if hit.page and folded(_base_title(hit.title)) == wanted:
            ref = Ref(hit.series_id, hit.page)
            label = f"Saison {season_of(hit.title, hit.page)}"
            yield SeasonOffer(str(ref), ref.url(base_url), label, lang)


def _title(title: str, ref: Ref) -> str:
    """Seasons share a title where their episodes carry the season's number."""
    return _base_title(title) if season_of(ref.page) > 1 else title


def _base_title(title: str) -> str:
    """The title without the season: "[Saison 2]" stands behind it."""
    return title.partition(" [")[0].strip()
