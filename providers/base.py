"""The two contracts to implement: a site that lists episodes, a host that plays them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Protocol
from urllib.parse import SplitResult

from providers.streams import Stream, VideoSource
from providers.types import (
    Capability,
    EpisodeList,
    Pace,
    PageValidator,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)


class Page(Protocol):
    """One answer of the HTTP door; the body is decoded, bounded and complete."""

    status: int
    url: str  # after redirects
    content_type: str  # lower case, without parameters
    text: str  # decoded with the declared or given encoding; invalid bytes become U+FFFD
    content: bytes
    unchanged: bool  # 304, or the same digest as `known`; then text and content are empty
    validator: PageValidator

    def json(self) -> object:
        """The body as JSON. Raises LayoutChanged when it is not."""
        ...


class SiteClient(Protocol):
    """The adapters' one HTTP client, bound to one provider: pace, limits and egress guard inside.

    `path` is joined to the current base URL; an absolute http(s) URL is taken as it is.
    Every method raises only the ProviderError family: 404 and 410 -> NotFound, 403, 451 and
    challenge pages -> Blocked, 429 -> RateLimited, 5xx, resets and deadlines -> Unreachable.
    """

    @property
    def base_url(self) -> str:
        """The current base address, without a trailing slash."""
        ...

    def get(
        self,
        path: str,
        *,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        known: PageValidator | None = None,
        encoding: str | None = None,
        max_bytes: int = 5_000_000,
    ) -> Page:
        """GET a page; `known` makes the request conditional."""
        ...

    def post(
        self,
        path: str,
        *,
        data: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        encoding: str | None = None,
        max_bytes: int = 5_000_000,
    ) -> Page:
        """POST a form."""
        ...


class SiteAdapter(ABC):
    """A catalogue site. Built with a client, holds no other state, never touches Django."""

    id: ClassVar[str]
    name: ClassVar[str]
    domains: ClassVar[frozenset[str]]  # every known host, past and present, without "www."
    default_base_url: ClassVar[str]  # "" for a provider without one site, such as feeds
    languages: ClassVar[tuple[str, ...]]
    capabilities: ClassVar[frozenset[Capability]]
    example_url: ClassVar[str]  # shown when a URL is not a series
    pace: ClassVar[Pace]

    def __init__(self, client: SiteClient) -> None:
        self.client = client

    @classmethod
    @abstractmethod
    def locate(cls, parts: SplitResult, base_url: str) -> SeriesLocator:
        """What `parts`, an http(s) URL on one of our hosts, names. Raises NotASeries.

        Only the path and query matter: the host may be an old one. `base_url` may have a path.
        """

    @classmethod
    def with_language(cls, series_ref: str, lang: str) -> str | None:
        """The same season in another language; None when that is a page of its own.

        The default is for sites where the language is only a label.
        """
        del lang
        return series_ref

    @classmethod
    @abstractmethod
    def url_of(cls, series_ref: str, base_url: str) -> str:
        """The address of a series below `base_url`, for people to open."""

    @abstractmethod
    def search(self, query: str) -> list[SeriesMatch]:
        """Series whose title matches, best first; may be empty."""

    @abstractmethod
    def details(self, series_ref: str, lang: str) -> SeriesDetails:
        """What the site tells of a series; completes a reference that names no season."""

    @abstractmethod
    def list_episodes(
        self, series_ref: str, lang: str, known: Mapping[str, PageValidator]
    ) -> EpisodeList:
        """Every episode on offer in this language, in airing order.

        `known` holds the validators of the last successful answer, by page role.
        """

    @abstractmethod
    def resolve(self, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
        """Where to get an episode, best first, never empty. Raises NotFound or Licensed."""


class HostResolver(ABC):
    """A video host, or a family of them, whose player pages lead to streams."""

    id: ClassVar[str]

    @abstractmethod
    def accepts(self, source: VideoSource) -> bool:
        """Whether this resolver is the one for `source`."""

    @abstractmethod
    def resolve(self, source: VideoSource, max_height: int | None) -> list[Stream]:
        """Streams for a source, best first; above `max_height` only when nothing else is there."""
