"""Feeds of each work: RSS with podcast tags, Atom and Media RSS."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime

from providers.demo.clips import DURATION_SECONDS, HEIGHTS
from providers.demo.context import Context, escaped, poster_url
from providers.demo.wire import Reply, Request
from providers.demo.works import Episode, ProviderId, Work

_NAME = re.compile(r"/feeds/([a-z0-9-]+?)(?:-(atom|media))?\.xml")
_TTL_MINUTES = 5
_TYPICAL_BYTES = 384_000
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
_PODCAST = 'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
_MEDIA_RSS = 'xmlns:media="http://search.yahoo.com/mrss/"'


@dataclass(frozen=True, slots=True)
class _Entry:
    work: Work
    season_number: int
    episode: Episode
    origin: str

    @property
    def title(self) -> str:
        """The name of the episode, with the work's."""
        return f"{self.work.title} - {self.episode.name}"

    @property
    def identity(self) -> str:
        """What stays when everything else changes."""
        return f"urn:demo:{self.work.slug}:{self.episode.uid}"

    def url(self, height: int = 720) -> str:
        """The address of its file."""
        quality = "" if height == max(HEIGHTS) else f"-{height}p"
        return f"{self.origin}/media/{self.work.slug}-{self.episode.uid}{quality}.mp4"


def answer(context: Context, request: Request) -> Reply | None:
    """A feed below /feeds/; `<slug>.xml`, `<slug>-atom.xml` or `<slug>-media.xml`."""
    found = _NAME.fullmatch(request.path)
    work = context.catalogue.find(ProviderId.FEED, found[1]) if found else None
    if found is None or work is None:
        return None
    entries = [
        _Entry(work, number, episode, request.origin)
        for number, season in enumerate(work.seasons, start=1)
        for episode in context.listed(season, "vostfr", request.path)
    ]
    entries.reverse()
    write = _WRITERS[found[2] or "rss"]
    content_type = "application/atom+xml" if found[2] == "atom" else "application/rss+xml"
    return Reply(write(work, entries, request).encode(), f"{content_type}; charset=utf-8")


def _rss(work: Work, entries: list[_Entry], request: Request) -> str:
    items = "\n".join(
        f"<item><title>{escaped(each.title)}</title>"
        f'<guid isPermaLink="false">{each.identity}</guid>'
        f"<pubDate>{format_datetime(each.episode.published_at)}</pubDate>"
        f'<enclosure url="{each.url()}" length="{_TYPICAL_BYTES}" type="video/mp4"/>'
        f"{_podcast_numbers(each)}<itunes:duration>0:{DURATION_SECONDS:02d}</itunes:duration>"
        "</item>"
        for each in entries
    )
    return _rss_document(work, items, request, _PODCAST)


def _podcast_numbers(entry: _Entry) -> str:
    if entry.episode.is_special:
        return "<itunes:episodeType>bonus</itunes:episodeType>"
    return (
        f"<itunes:season>{entry.season_number}</itunes:season>"
        f"<itunes:episode>{entry.episode.number}</itunes:episode>"
        "<itunes:episodeType>full</itunes:episodeType>"
    )


def _media_rss(work: Work, entries: list[_Entry], request: Request) -> str:
    items = "\n".join(
        f"<item><title>{escaped(_numbered_title(each))}</title><guid>{each.identity}</guid>"
        f"<pubDate>{format_datetime(each.episode.published_at)}</pubDate><media:group>"
        + "".join(
            f'<media:content url="{each.url(height)}" type="video/mp4" medium="video" '
            f'height="{height}" duration="{DURATION_SECONDS}"/>'
            for height in HEIGHTS
        )
        + "</media:group></item>"
        for each in entries
    )
    return _rss_document(work, items, request, _MEDIA_RSS)


def _numbered_title(entry: _Entry) -> str:
    if entry.episode.is_special:
        return entry.title
    return f"{entry.work.title} S{entry.season_number:02d}E{entry.episode.number:02d}"


def _rss_document(work: Work, items: str, request: Request, namespace: str) -> str:
    poster = poster_url(request.origin, work.slug)
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0" {namespace}><channel>'
        f"<title>{escaped(work.title)}</title><link>{request.origin}{request.path}</link>"
        f"<description>{escaped(work.synopsis)}</description><language>fr</language>"
        f"<ttl>{_TTL_MINUTES}</ttl><image><url>{poster}</url><title>{escaped(work.title)}</title>"
        f"<link>{request.origin}</link></image>\n{items}\n</channel></rss>\n"
    )


def _atom(work: Work, entries: list[_Entry], request: Request) -> str:
    updated = max((each.episode.published_at for each in entries), default=_LONG_AGO)
    items = "\n".join(
        f"<entry><id>{each.identity}</id><title>{escaped(_numbered_title(each))}</title>"
        f"<published>{each.episode.published_at:%Y-%m-%dT%H:%M:%SZ}</published>"
        f"<updated>{each.episode.published_at:%Y-%m-%dT%H:%M:%SZ}</updated>"
        f'<link rel="enclosure" type="video/mp4" length="{_TYPICAL_BYTES}" href="{each.url()}"/>'
        "</entry>"
        for each in entries
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<feed xmlns="http://www.w3.org/2005/Atom">'
        f"<id>urn:demo:{work.slug}</id><title>{escaped(work.title)}</title>"
        f"<subtitle>{escaped(work.synopsis)}</subtitle>"
        f"<logo>{poster_url(request.origin, work.slug)}</logo>"
        f"<updated>{updated:%Y-%m-%dT%H:%M:%SZ}</updated>\n{items}\n</feed>\n"
    )


_WRITERS: dict[str, Callable[[Work, list[_Entry], Request], str]] = {
    "rss": _rss,
    "atom": _atom,
    "media": _media_rss,
}
