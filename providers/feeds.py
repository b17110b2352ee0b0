"""Reading RSS 2.0, Atom and Media RSS into plain items; bytes in, dataclasses out, no network.

Sources: RSS 2.0 (rssboard.org), RFC 4287, Media RSS 1.5.1, Apple's podcast tags.
"""

from __future__ import annotations

import calendar
import hashlib
import html
import io
import re
from collections import Counter
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import feedparser
import lxml.etree
import lxml.html

from providers.errors import LayoutChanged
from providers.feed_markup import readable_markup
from providers.feed_media import FeedMedia, has_torrent, http_url, media_of, whole_number
from providers.text import clean_text

_MAX_ITEMS = 20_000
_MAX_TITLE_LENGTH = 300
_MAX_REF_LENGTH = 300
_MAX_MARKUP_LENGTH = 20_000
_TAG = re.compile(r"</?[a-zA-Z]")
_REFERENCE = re.compile(r"&(?:\w{1,31}|#\d{1,7}|#[xX][0-9A-Fa-f]{1,6});")
# Read only on titles of at most 300 characters; none of them can backtrack far.
_SEASON_AND_EPISODE = re.compile(
    r"\bS(\d{1,3})\s?[.:_-]?\s?E(\d{1,5}(?:\.\d{1,2})?)(?!\d)", re.IGNORECASE
)
_SEASON_X_EPISODE = re.compile(r"\b(\d{1,2})x(\d{2})\b")
_EPISODE = (
    re.compile(
        r"\b(?:episode|épisode|ep|folge)\b\s?[.:#-]?\s?"
        r"(\d{1,3}(?:,\d{3})+(?!\d)|\d{1,5}(?:\.\d{1,2})?(?!\d))",
        re.IGNORECASE,
    ),
    # "E3" is a fair, and more letters follow in "E12a".
    re.compile(r"\b(?:Ep|E(?=\d\d)|EP)(\d{1,5}(?:\.\d{1,2})?)(?![\d\w])"),
    re.compile(r"(?:#|\b(?:no|nr)\.|\bn°)\s?(\d{1,5}(?:\.\d{1,2})?)(?!\d)", re.IGNORECASE),
    # Of two episodes in one file, "12-13", the first counts; a year is no number.
    re.compile(
        r"\s[-\u2013\u2014]\s(?!(?:19|20)\d\d\b)(\d{1,4}(?:\.\d{1,2})?)(?:-\d{1,4})?(?:v\d)?"
        r"(?:\s(?:end|fin|final|vostfr|vost|vf))?(?=\s?$|\s?[\[(]|\s[-\u2013\u2014:])",
        re.IGNORECASE,
    ),
)
# "Show 7", "Show 7 VOSTFR", "Show 7: The sea", "7"; what follows the words is no year.
_BARE = re.compile(
    r"(?P<words>|.*?\S\s)(?!(?:19|20)\d\d\b)(?P<number>\d{1,4}(?:\.\d{1,2})?)(?:v\d)?"
    r"(?=\s?$|\s?[\[(:]|\s[-\u2013\u2014]\s|\s(?:end|fin|final|vostfr|vost|vf|\d{3,4}p)\b)",
    re.IGNORECASE,
)
_SEASON = re.compile(r"\b(?:season|saison|staffel)\s?(\d{1,3})\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One entry that has media; several files are the same episode, best first."""

    ref: str
    title: str
    link: str
    season: int | None
    number: Decimal | None
    is_special: bool
    published_at: datetime | None  # aware UTC
    duration_seconds: float | None
    media: tuple[FeedMedia, ...]


@dataclass(frozen=True, slots=True)
class Feed:
    """A whole feed."""

    title: str
    description: str
    image_url: str
    is_complete: bool  # the publisher says that nothing will follow
    has_torrents: bool
    entry_count: int  # with and without media
    items: tuple[FeedItem, ...]  # oldest first


def parse_feed(content: bytes, url: str) -> Feed:
    """Read a feed that was found at `url`. Raises LayoutChanged when it is none.

    The bytes go in as a stream: feedparser would open a string as an address or a file. It is not
    told the address, since it would make each entry's identity depend on it.
    """
    markup = io.BytesIO(readable_markup(content))
    parsed = feedparser.parse(markup, resolve_relative_uris=False, sanitize_html=False)
    if not parsed.get("version") and not parsed.entries:
        raise LayoutChanged("feed", "The address did not answer with an RSS or Atom feed.")
    entries = parsed.entries[:_MAX_ITEMS]
    ids = Counter(str(entry.get("id", "")) for entry in entries)
    items = []
    for entry in entries:
        base = _base(entry, url)
        if media := media_of(entry, base):
            is_id_unique = ids[str(entry.get("id", ""))] == 1
            items.append(_item(entry, media, base, is_id_unique=is_id_unique))
    head = parsed.feed
    return Feed(
        title=_title(head),
        description=plain_text(str(head.get("subtitle") or head.get("description") or "")),
        image_url=_image(head, url),
        is_complete=str(head.get("itunes_complete", "")).strip().lower() == "yes",
        has_torrents=any(has_torrent(entry) for entry in entries),
        entry_count=len(entries),
        items=_oldest_first(_with_bare_numbers(items, _title(head))),
    )


def plain_text(markup: str) -> str:
    """The text of an HTML fragment."""
    markup = clean_text(markup, _MAX_MARKUP_LENGTH, multiline=True)
    if "<" not in markup and "&" not in markup:
        return markup
    try:
        text = "".join(str(part) for part in lxml.html.fromstring(markup).itertext())
        return clean_text(text, _MAX_MARKUP_LENGTH, multiline=True)
    except (lxml.etree.LxmlError, ValueError):
        return ""


def _title(part: Any) -> str:
    """A title without the tags of some feeds, or what others escape once too often."""
    title = str(part.get("title", ""))
    if _TAG.search(title):
        title = plain_text(title)
    else:
        title = _REFERENCE.sub(lambda found: html.unescape(found[0]), title)
    return clean_text(title, _MAX_TITLE_LENGTH)


def _with_bare_numbers(items: list[FeedItem], feed_title: str) -> list[FeedItem]:
    """Numbers that stand behind the same words in most titles, where none tells them otherwise.

    One title alone says nothing, unless the words are the feed's own.
    """
    regular = [item for item in items if not item.is_special]
    if any(item.number is not None for item in regular):
        return items
    found = {item.ref: match for item in regular if (match := _BARE.match(item.title))}
    words = Counter(match["words"].strip().casefold() for match in found.values())
    usual, count = words.most_common(1)[0] if words else ("", 0)
    is_own = usual in {"", feed_title.casefold()}
    if 2 * count <= len(regular) or (count == 1 and not is_own):
        return items
    numbers = {
        ref: Decimal(match["number"])
        for ref, match in found.items()
        if match["words"].strip().casefold() == usual
    }
    if len(set(numbers.values())) < count:
        return items
    return [replace(item, number=numbers.get(item.ref)) for item in items]


def _oldest_first(items: list[FeedItem]) -> tuple[FeedItem, ...]:
    """By date where all have one; else as the document has them, feeds put the newest first.

    Those that put the oldest first are known by the dates that there are.
    """
    dated = [item.published_at for item in items if item.published_at is not None]
    if not dated or dated[0] >= dated[-1]:
        items.reverse()
    if len(dated) == len(items):
        items.sort(key=lambda item: item.published_at or dated[0])
    return tuple(items)


def _item(entry: Any, media: tuple[FeedMedia, ...], base: str, *, is_id_unique: bool) -> FeedItem:
    title = _title(entry)
    season, number = _numbers(entry, title)
    kind = str(entry.get("itunes_episodetype", "full")).strip().lower()
    link = _link(entry, base) or media[0].url
    identity = str(entry.get("id", "")) if is_id_unique else ""
    return FeedItem(
        ref=_stable_ref(identity or media[0].url),
        title=title,
        link=link,
        season=season,
        number=number,
        is_special=kind in {"trailer", "bonus"},
        published_at=_published_at(entry),
        duration_seconds=_duration(entry),
        media=media,
    )


def _link(entry: Any, base: str) -> str:
    """The page of an entry; feedparser gives an identity in its place that may be no address."""
    link = str(entry.get("link", "")).strip()
    if link == str(entry.get("id", "")).strip() and "://" not in link:
        return ""
    return http_url(link, base)


def _stable_ref(identity: str) -> str:
    """The identity itself where it can be stored, else its digest."""
    if len(identity) <= _MAX_REF_LENGTH and clean_text(identity, _MAX_REF_LENGTH) == identity:
        return identity
    encoded = identity.encode("utf-8", "surrogatepass")
    return "sha256:" + hashlib.sha256(encoded).hexdigest()


def _numbers(entry: Any, title: str) -> tuple[int | None, Decimal | None]:
    """Season and number: from the podcast tags, else from the title."""
    season = whole_number(entry.get("itunes_season"), most_digits=4)
    tagged = re.fullmatch(r"\s*(\d{1,5}(?:\.\d{1,3})?)\s*", str(entry.get("itunes_episode", "")))
    if tagged:
        return season, Decimal(tagged[1])
    both = _SEASON_AND_EPISODE.search(title) or _SEASON_X_EPISODE.search(title)
    if both:
        return int(both[1]), Decimal(both[2])
    if season is None and (named := _SEASON.search(title)):
        season = int(named[1])
    for pattern in _EPISODE:
        if found := pattern.search(title):
            return season, Decimal(found[1].replace(",", ""))
    return season, None


def _published_at(entry: Any) -> datetime | None:
    # Asked by membership: feedparser warns when one date stands in for the other.
    names = [name for name in ("published_parsed", "updated_parsed") if name in entry]
    moment = next((entry[name] for name in names if entry[name]), None)
    try:
        return datetime.fromtimestamp(calendar.timegm(moment), UTC) if moment else None
    except (ValueError, TypeError, OverflowError):
        return None


def _duration(entry: Any) -> float | None:
    """Seconds, from "1:02:03", "62:03" or "3723"; Media RSS gives plain seconds."""
    values = [entry.get("itunes_duration")]
    values += [media.get("duration") for media in entry.get("media_content", ())]
    for value in values:
        text = str(value).strip()
        if re.fullmatch(r"\d{1,6}(?:\.\d{1,6})?", text):
            return float(text) or None
        if re.fullmatch(r"(?:\d{1,3}:)?\d{1,3}:\d{1,2}", text):
            seconds = 0
            for part in text.split(":"):
                seconds = 60 * seconds + int(part)
            return float(seconds) or None
    return None


def _base(entry: Any, feed_url: str) -> str:
    """What relative addresses in an entry are relative to; feedparser keeps it with texts only."""
    for name in ("title_detail", "summary_detail"):
        base = str(entry.get(name, {}).get("base", ""))
        if base:
            return http_url(base, feed_url) or feed_url
    return feed_url


def _image(head: Any, feed_url: str) -> str:
    image = head.get("image", {})
    return http_url(str(image.get("href") or image.get("url") or head.get("logo") or ""), feed_url)
