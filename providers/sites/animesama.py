"""anime-sama: a French catalogue of series and films, subtitled and dubbed.

Site: https://anime-sama.to (earlier .fr, .org, .eu, .si, .tv); anime-sama.pw announces moves.
Languages: vostfr, vf and its variants, va, and the original languages vj, vcn, vkr, vqc, var.
Offers: search, details, episode lists with conditional requests, players of video hosts.
URL shapes: /catalogue/<work>/ and /catalogue/<work>/<season>/<language>/,
    for example https://anime-sama.to/catalogue/le-phare-des-brumes/saison1/vostfr/
Last verified: 2026-10, from published descriptions and saved pages of the site.
Known limits: no dates and no sizes of episodes; scans are not followed; a page that names no season
    leads to the first one that has the language. The site counts works, not seasons, as finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar, Final
from urllib.parse import SplitResult

from providers.base import Page, SiteAdapter
from providers.errors import EmptyList, LayoutChanged, NotFound, ProviderError
from providers.parsing import absolute, best_first, led_elsewhere, readable
from providers.sites.animesama_catalogue import (
    Card,
    Panel,
    Work,
    parse_cards,
    parse_panels,
    parse_suggestions,
    parse_work,
)
from providers.sites.animesama_episodes import is_blank, listings, offered, parse_players, usable
from providers.sites.animesama_players import sources
from providers.sites.animesama_refs import LANGUAGES, Ref, depth_of, ref_of_path
from providers.streams import VideoSource
from providers.types import (
    Capability,
    EpisodeList,
    Pace,
    PageValidator,
    SeasonOffer,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)

_WORK: Final = "work"
# A higher number makes lists that did not change be read again, by a reader that was mended.
_EPISODES: Final = "episodes 2 "
_MOST_PROBES: Final = 6


class AnimeSamaAdapter(SiteAdapter):
    """Reads one season in one language as one series."""

    id: ClassVar[str] = "animesama"
    name: ClassVar[str] = "anime-sama"
    domains: ClassVar[frozenset[str]] = frozenset(
        f"anime-sama.{ending}" for ending in ("fr", "org", "eu", "si", "tv", "to", "pw")
    )
    default_base_url: ClassVar[str] = "https://anime-sama.to"
    languages: ClassVar[tuple[str, ...]] = LANGUAGES
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    example_url: ClassVar[str] = (
        "https://anime-sama.to/catalogue/le-phare-des-brumes/saison1/vostfr/"
    )
    pace: ClassVar[Pace] = Pace(requests_per_second=2.0, max_concurrent=2)

    @classmethod
    def locate(cls, parts: SplitResult, base_url: str) -> SeriesLocator:
        """A season in a language, or a work whose season is chosen later."""
        ref, names_language = ref_of_path(parts.path, base_url)
        return SeriesLocator(
            series_ref=str(ref),
            url=base_url + ref.path,
            lang=ref.lang if names_language else None,
            title_guess=readable(ref.slug) or ref.slug,
        )

    @classmethod
    def with_language(cls, series_ref: str, lang: str) -> str | None:
        """Every season has its languages side by side; whether one is offered is seen later."""
        return str(replace(Ref.parse(series_ref), lang=lang))

    @classmethod
    def url_of(cls, series_ref: str, base_url: str) -> str:
        """The season's page, or the work's."""
        return base_url + Ref.parse(series_ref).path

    def search(self, query: str) -> list[SeriesMatch]:
        """The catalogue's own search; the search box, which knows less, when that fails."""
        try:
            page = self.client.get("/catalogue/", params={"search": query})
            cards = parse_cards(page.text, page.url)
        except (NotFound, LayoutChanged):
            page = self.client.post("/template-php/defaut/fetch.php", data={"query": query})
            cards = parse_suggestions(page.text, page.url)
        return best_first(query, (self._match(card) for card in cards if card.has_episodes))

    def details(self, series_ref: str, lang: str) -> SeriesDetails:
        """What the page of the work tells; a reference without a season gets its season here."""
        ref = Ref.parse(series_ref).in_language(lang)
        page = self._page(Ref(ref.slug, "", lang).path)
        work = parse_work(page.text, page.url)
        offered_langs = []
        if not ref.season:
            ref, _ = self._choose(ref, page.text, {})
            offered_langs.append(lang)
        offered_langs += [panel.lang for panel in work.panels if panel.season == ref.season]
        return SeriesDetails(
            series_ref=str(ref),
            url=self.client.base_url + ref.path,
            title=_title(work, ref),
            lang=lang,
            other_titles=work.other_titles,
            synopsis=work.synopsis,
            genres=work.genres,
            poster_url=work.poster_url,
            airing_status=work.airing_status,
            seasons=tuple(self._season_offer(ref.slug, panel) for panel in work.panels),
            languages=self._languages_of(ref, offered_langs),
        )

    def list_episodes(
        self, series_ref: str, lang: str, known: Mapping[str, PageValidator]
    ) -> EpisodeList:
        """The positions that have a player. Raises NotFound when the language is not offered."""
        ref = Ref.parse(series_ref).in_language(lang)
        validators = {}
        if ref.season:
            players = self._players(ref, known.get(_EPISODES + ref.season))
        else:
            page = self._page(ref.path, known.get(_WORK))
            validators[_WORK] = page.validator
            ref, players = self._chosen(ref, page, known)
        validators[_EPISODES + ref.season] = players.validator
        if players.unchanged:
            return EpisodeList((), validators, unchanged=True)
        slots = offered(players.text, self._page(ref.path).text)
        url = self.client.base_url + ref.path
        return EpisodeList(tuple(listings(slots, ref.season, url)), validators)

    def resolve(self, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
        """The players of an episode as the site has them now."""
        season, _, name = episode_ref.partition("/")
        ref = replace(Ref.parse(series_ref).in_language(lang), season=season)
        script = self._players(ref).text
        page = self._page(ref.path)
        for slot in offered(script, page.text):
            if slot.name == name:
                urls = [absolute(page.url, url) for url in slot.players]
                return sources(urls, referer=self.client.base_url + ref.path, lang=lang)
        raise NotFound("The site does not list this episode any more.")

    def _page(self, path: str, known: PageValidator | None = None, referer: str = "") -> Page:
        headers = {"Referer": referer} if referer else None
        page = self.client.get(path, headers=headers, known=known)
        if depth_of(page.url) != depth_of(path):
            raise led_elsewhere(page.url, self.client.base_url)
        return page

    def _players(self, ref: Ref, known: PageValidator | None = None) -> Page:
        referer = self.client.base_url + ref.path
        try:
            page = self._page(f"{ref.path}episodes.js", known, referer)
        except NotFound as error:
            raise _not_offered(ref) from error
        if not page.unchanged and is_blank(page.text):
            raise _not_offered(ref)
        return page

    def _chosen(self, ref: Ref, work: Page, known: Mapping[str, PageValidator]) -> tuple[Ref, Page]:
        """The season to follow; as before while the page of the work is the same."""
        before = [role.removeprefix(_EPISODES) for role in known if role.startswith(_EPISODES)]
        if work.unchanged and before:
            ref = replace(ref, season=before[0])
            return ref, self._players(ref, known[_EPISODES + ref.season])
        text = self._page(ref.path).text if work.unchanged else work.text
        return self._choose(ref, text, known)

    def _choose(self, ref: Ref, work: str, known: Mapping[str, PageValidator]) -> tuple[Ref, Page]:
        """The first season that has the language. Raises NotFound when none has."""
        panels = parse_panels(work)
        if not panels:
            raise EmptyList("The site lists no season of this work yet.")
        listed = [panel.season for panel in panels if panel.lang == ref.lang]
        others = [panel.season for panel in panels]
        for season in list(dict.fromkeys(listed + others))[:_MOST_PROBES]:
            candidate = replace(ref, season=season)
            page = self._offer(candidate, known.get(_EPISODES + season))
            if page is not None:
                return candidate, page
        raise _not_offered(ref)

    def _offer(self, ref: Ref, known: PageValidator | None = None) -> Page | None:
        """The players of a season in a language, None when there is not one."""
        try:
            page = self._players(ref, known)
        except NotFound:
            return None
        if page.unchanged or any(usable(url) for row in parse_players(page.text) for url in row):
            return page
        return None

    def _languages_of(self, ref: Ref, known: list[str]) -> tuple[str, ...]:
        """The known languages of a season and those of the usual two that asking shows."""
        asked = [lang for lang in LANGUAGES[:2] if lang not in known]
        return tuple(
            dict.fromkeys(known + [lang for lang in asked if self._has(ref.in_language(lang))])
        )

    def _has(self, ref: Ref) -> bool:
        try:
            return self._offer(ref) is not None
        except ProviderError:
            # A hint for people; what was asked for has been read already.
            return False

    def _season_offer(self, slug: str, panel: Panel) -> SeasonOffer:
        ref = Ref(slug, panel.season, panel.lang)
        return SeasonOffer(str(ref), self.client.base_url + ref.path, panel.label, panel.lang)

    def _match(self, card: Card) -> SeriesMatch:
        lang = card.languages[0] if card.languages else LANGUAGES[0]
        if LANGUAGES[0] in card.languages:
            lang = LANGUAGES[0]
        ref = Ref(card.slug, "", lang)
        return SeriesMatch(
            series_ref=str(ref),
            url=self.client.base_url + ref.path,
            title=card.title,
            lang=lang,
            poster_url=card.poster_url,
            synopsis=card.synopsis,
            genres=card.genres,
            other_titles=card.other_titles,
        )


def _title(work: Work, ref: Ref) -> str:
    """The shortened telling counts from one again and must not share the original's folder."""
    return f"{work.title} Kai" if ref.season.startswith("kai") else work.title


def _not_offered(ref: Ref) -> NotFound:
    what = "This season" if ref.season else "This work"
    return NotFound(f"{what} is not offered in {ref.lang.upper()}.")
