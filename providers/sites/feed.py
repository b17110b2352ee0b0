"""Feeds: any RSS 2.0, Atom or Media RSS feed whose entries have video or audio files.

Site: none of its own; the reference of a series is the address of its feed.
Languages: one per feed, whatever the follower calls it.
Offers: episode list, details, direct files. No search.
URL shapes: any http(s) address, for example https://example.org/show/feed.xml
Last verified: 2026-11, against feeds of podcasts and of PeerTube's and FlexGet's shape.
Known limits: an entry that has left the feed cannot be downloaded any more. Torrents are refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import PurePosixPath
from typing import ClassVar
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from providers.base import SiteAdapter
from providers.errors import NotASeries, NotFound
from providers.feeds import Feed, FeedItem, parse_feed
from providers.streams import VideoSource
from providers.types import (
    AiringStatus,
    Capability,
    EpisodeList,
    EpisodeListing,
    Pace,
    PageValidator,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)

_FEED = "feed"
_NUMBERING = "numbering"
_NUMBERING_OF_SPECIALS = "numbering of specials"
_ALSO_REMEMBERED = 3
_ACCEPT = {"Accept": "application/rss+xml, application/atom+xml, application/xml;q=0.9, */*;q=0.5"}
_DULL_NAMES = frozenset({"", "feed", "rss", "atom", "index", "feeds", "podcast", "xml", "videos"})


class FeedAdapter(SiteAdapter):
    """Reads one feed as one series."""

    id: ClassVar[str] = "feed"
    name: ClassVar[str] = "RSS / Atom feed"
    domains: ClassVar[frozenset[str]] = frozenset()
    default_base_url: ClassVar[str] = ""
    languages: ClassVar[tuple[str, ...]] = ("original",)
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.DETAILS, Capability.CONDITIONAL}
    )
    example_url: ClassVar[str] = "https://example.org/show/feed.xml"
    pace: ClassVar[Pace] = Pace(requests_per_second=2.0, max_concurrent=4)

    @classmethod
    def locate(cls, parts: SplitResult, base_url: str) -> SeriesLocator:
        """Any address may be a feed; whether it is one is seen when it is read."""
        del base_url
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise NotASeries("A feed has an http or https address.")
        clean = parts._replace(scheme=parts.scheme.lower(), netloc=parts.netloc.lower())
        url = urlunsplit(clean._replace(path=parts.path or "/", fragment=""))
        return SeriesLocator(series_ref=url, url=url, lang=None, title_guess=_title_guess(parts))

    @classmethod
    def url_of(cls, series_ref: str, base_url: str) -> str:
        """The reference is the address."""
        del base_url
        return series_ref

    def search(self, query: str) -> list[SeriesMatch]:
        """Feeds cannot be searched."""
        del query
        return []

    def details(self, series_ref: str, lang: str) -> SeriesDetails:
        """What the head of the feed says. Raises NotASeries for a feed without media."""
        feed = self._read(series_ref)
        return SeriesDetails(
            series_ref=series_ref,
            url=series_ref,
            title=feed.title or _title_guess(urlsplit(series_ref)),
            lang=lang,
            synopsis=feed.description,
            poster_url=feed.image_url,
            airing_status=_airing_status(feed),
        )

    def list_episodes(
        self, series_ref: str, lang: str, known: Mapping[str, PageValidator]
    ) -> EpisodeList:
        """The entries that have media, oldest first."""
        del lang
        page = self.client.get(series_ref, headers=_ACCEPT, known=known.get(_FEED))
        if page.unchanged:
            return EpisodeList((), {**known, _FEED: page.validator}, unchanged=True)
        feed = _with_media(parse_feed(page.content, page.url))
        episodes, numbering = list_of(feed, known)
        return EpisodeList(
            episodes=episodes,
            validators={_FEED: page.validator, **numbering},
            airing_status=_airing_status(feed),
        )

    def resolve(self, series_ref: str, episode_ref: str, lang: str) -> list[VideoSource]:
        """The files of an entry, best first; its sound alone is no episode where it has both."""
        for item in self._read(series_ref).items:
            if item.ref == episode_ref:
                return [
                    VideoSource(
                        url=media.url,
                        kind=media.kind,
                        label=urlsplit(media.url).hostname or "",
                        lang=lang,
                        height=media.height,
                    )
                    for media in item.media
                    if media.is_audio is item.media[0].is_audio
                ]
        raise NotFound("This episode is no longer in the feed.")

    def _read(self, series_ref: str) -> Feed:
        page = self.client.get(series_ref, headers=_ACCEPT)
        return _with_media(parse_feed(page.content, page.url))


def list_of(
    feed: Feed, known: Mapping[str, PageValidator]
) -> tuple[tuple[EpisodeListing, ...], dict[str, PageValidator]]:
    """The episodes of a feed, and what is to be remembered of their numbers.

    Where fewer than half of the entries have a number the order of publication gives it, as it
    does for specials; else an entry without one is a special.
    """
    regular = [item for item in feed.items if not item.is_special]
    is_by_order = 2 * sum(item.number is not None for item in regular) < len(regular)
    by_order = regular if is_by_order else []
    extras = [
        item for item in feed.items if item.number is None and (item.is_special or not is_by_order)
    ]
    remembered = {role: note for role, note in known.items() if role.startswith(_NUMBERING)}
    numbers: dict[str, Decimal] = {}
    for items, role in ((by_order, _NUMBERING), (extras, _NUMBERING_OF_SPECIALS)):
        counted, notes = _counted(items, known, role)
        numbers |= counted
        remembered |= notes
    specials = {item.ref for item in feed.items if item.is_special or item.season == 0}
    specials |= {item.ref for item in extras}
    episodes = [
        EpisodeListing(
            ref=item.ref,
            number=numbers.get(item.ref, item.number or Decimal(0)),
            season=0 if item.ref in specials else item.season or 1,
            position=position,
            title=item.title,
            url=item.link,
            is_special=item.ref in specials,
            published_at=item.published_at,
            duration_seconds=item.duration_seconds,
        )
        for position, item in enumerate(feed.items)
    ]
    return tuple(episodes), remembered


def _counted(
    items: list[FeedItem], known: Mapping[str, PageValidator], role: str
) -> tuple[dict[str, Decimal], dict[str, PageValidator]]:
    """Numbers in the order of publication, by reference, and what is to be remembered of them.

    A feed shows only its latest entries, so the newest are remembered with their numbers and the
    count goes on from there: from several, since one may be withdrawn, and behind the highest.
    """
    roles = [role, *(f"{role} {place}" for place in range(2, 2 + _ALSO_REMEMBERED))]
    notes = [known[name] for name in roles if name in known and known[name].etag.isdecimal()]
    given = {note.digest: int(note.etag) for note in notes}
    highest = max(given.values(), default=0)
    digests = [_digest(item.ref) for item in items]
    shown = [place for place, digest in enumerate(digests) if digest in given]
    last = shown[-1] if shown else -1
    first = max(1, given[digests[last]] - last) if shown else 1
    behind = max(highest, first + last) if shown else highest
    counted = [
        first + place if place <= last else behind + place - last for place in range(len(items))
    ]
    latest = list(zip(digests, counted, strict=True))[: -1 - _ALSO_REMEMBERED : -1]
    top = max([*given.items(), *latest], key=lambda note: note[1], default=None)
    kept = [top, *(note for note in latest if note != top)] if top else []
    return (
        {item.ref: Decimal(number) for item, number in zip(items, counted, strict=True)},
        {
            name: PageValidator(etag=str(number), digest=digest)
            for name, (digest, number) in zip(roles, kept, strict=False)
        },
    )


def _digest(ref: str) -> str:
    return hashlib.blake2b(ref.encode(), digest_size=16).hexdigest()


def _with_media(feed: Feed) -> Feed:
    if feed.items or not feed.entry_count:
        return feed
    if feed.has_torrents:
        raise NotASeries("This feed offers torrents, which are no media files and not downloaded.")
    raise NotASeries("The entries of this feed have no video or audio files.")


def _airing_status(feed: Feed) -> AiringStatus:
    return AiringStatus.FINISHED if feed.is_complete else AiringStatus.UNKNOWN


def _title_guess(parts: SplitResult) -> str:
    """The last telling part of the path, else the host."""
    for name in reversed(unquote(parts.path).split("/")):
        stem = PurePosixPath(name).stem
        if stem.lower() not in _DULL_NAMES:
            return stem.replace("-", " ").replace("_", " ").strip() or stem
    return parts.hostname or "Feed"
