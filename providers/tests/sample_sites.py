"""Two small catalogue sites for tests of the gateway; their pages are lines of plain text."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar
from urllib.parse import SplitResult

from providers import gateway
from providers.base import SiteAdapter
from providers.errors import LayoutChanged, NotASeries
from providers.streams import StreamKind, VideoSource
from providers.types import (
    Capability,
    EpisodeList,
    EpisodeListing,
    Pace,
    PageValidator,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)


class AlphaAdapter(SiteAdapter):
    """`/series/<ref>` lists one episode title a line; `/search` one title a line."""

    id: ClassVar[str] = "alpha"
    name: ClassVar[str] = "Alpha"
    domains: ClassVar[frozenset[str]] = frozenset({"alpha.example", "old-alpha.example"})
    default_base_url: ClassVar[str] = "https://alpha.example"
    languages: ClassVar[tuple[str, ...]] = ("vostfr", "vf")
    capabilities: ClassVar[frozenset[Capability]] = frozenset(Capability)
    example_url: ClassVar[str] = "https://alpha.example/series/some-name"
    pace: ClassVar[Pace] = Pace(1000, 32)

    @classmethod
    def locate(cls, parts: SplitResult, base_url: str) -> SeriesLocator:
        before, found, ref = parts.path.partition("/series/")
        if not found or not ref.strip("/"):
            raise NotASeries("This page is not a series.")
        del before
        ref = ref.strip("/")
        return SeriesLocator(ref, cls.url_of(ref, base_url), "vostfr", ref.replace("-", " "))

    @classmethod
    def url_of(cls, series_ref: str, base_url: str) -> str:
        return f"{base_url}/series/{series_ref}"

    def search(self, query: str) -> list[SeriesMatch]:
        lines = self.client.get("/search", params={"q": query}).text.splitlines()
        if lines == ["crash"]:
            raise KeyError("an adapter's mistake")
        return [
            SeriesMatch(ref, f"{self.client.base_url}/series/{ref}", ref, "vf") for ref in lines
        ]

    def details(self, series_ref: str, lang: str) -> SeriesDetails:
        title = self.client.get(f"/series/{series_ref}").text
        return SeriesDetails(
            series_ref,
            self.url_of(series_ref, self.client.base_url),
            title,
            lang,
            synopsis=title,
            genres=(title, title),
            poster_url="javascript:alert(1)",
        )

    def list_episodes(
        self, series_ref: str, lang: str, known: Mapping[str, PageValidator]
    ) -> EpisodeList:
        del lang
        page = self.client.get(f"/series/{series_ref}", known=known.get("page"))
        if page.unchanged:
            return EpisodeList((), {"page": page.validator}, unchanged=True)
        lines = page.text.splitlines()
        if lines == ["changed"]:
            raise LayoutChanged("episodes")
        episodes = tuple(
            EpisodeListing(
                ref=line, number=Decimal(place + 1), season=1, position=place, title=line
            )
            for place, line in enumerate(lines)
        )
        return EpisodeList(episodes, {"page": page.validator})

    def resolve(self, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
        del series_ref, lang
        addresses = self.client.get(f"/episode/{episode_ref}").text.splitlines()
        return [VideoSource(url, StreamKind.PAGE, "player") for url in addresses]


class BetaAdapter(AlphaAdapter):
    """The same shape at another address."""

    id: ClassVar[str] = "beta"
    name: ClassVar[str] = "Beta"
    domains: ClassVar[frozenset[str]] = frozenset({"beta.example"})
    default_base_url: ClassVar[str] = "https://beta.example"


def described(provider_id: str) -> gateway.ProviderDescription:
    return next(each for each in gateway.describe() if each.id == provider_id)
