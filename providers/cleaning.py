"""Making adapters' results safe to keep: clean text, real addresses, unique references.

Every value that leaves the gateway passes here, so that no title can spoil a page, a feed or a
database row. Plain Python.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from urllib.parse import quote

from providers.errors import EgressRefused, NotFound, TooLarge
from providers.safe_url import check_url
from providers.streams import VideoSource
from providers.text import clean_text
from providers.types import (
    EpisodeList,
    EpisodeListing,
    SeasonOffer,
    SeriesDetails,
    SeriesLocator,
    SeriesMatch,
)

MAX_TITLE_LENGTH = 300
MAX_SERIES_REF_LENGTH = 2000
MAX_EPISODE_REF_LENGTH = 500
MAX_SYNOPSIS_LENGTH = 5000
MAX_EPISODES = 20_000
_RESERVED = "%/?#[]@!$&'()*+,;=:~"
_MAX_LABEL_LENGTH = 100
_MAX_LANG_LENGTH = 20
_MAX_MATCHES = 100
_MAX_NAMES = 30
_MAX_SOURCES = 50
_LARGEST_NUMBER = Decimal(99_999)
_LARGEST_SEASON = 9_999
_NUMBER_STEP = Decimal("0.001")


def clean_url(url: str) -> str:
    """The address when a request could be sent to it, else "".

    Letters that no text keeps as they are (decomposed ones, no-break spaces) name another file
    when they are changed, so they are written in percent form.
    """
    try:
        parts = check_url(url)
        if clean_text(url, len(url)) != url:
            path, query = quote(parts.path, _RESERVED), quote(parts.query, _RESERVED)
            url = parts._replace(path=path, query=query, fragment="").geturl()
            check_url(url)
    except (EgressRefused, UnicodeEncodeError):
        return ""
    return url if clean_text(url, len(url)) == url else ""


def _series_ref(ref: str) -> str:
    return clean_text(ref, MAX_SERIES_REF_LENGTH)


def _title(text: str) -> str:
    return clean_text(text, MAX_TITLE_LENGTH)


def _lang(text: str) -> str:
    return clean_text(text, _MAX_LANG_LENGTH).lower()


def _names(names: Iterable[str]) -> tuple[str, ...]:
    cleaned = (clean_text(name, MAX_TITLE_LENGTH) for name in names)
    return tuple(dict.fromkeys(name for name in cleaned if name))[:_MAX_NAMES]


def clean_locator(locator: SeriesLocator) -> SeriesLocator:
    """The same locator with clean text."""
    return replace(
        locator,
        series_ref=_series_ref(locator.series_ref),
        url=clean_url(locator.url),
        lang=None if locator.lang is None else _lang(locator.lang),
        title_guess=_title(locator.title_guess) or "?",
    )


def clean_matches(matches: Iterable[SeriesMatch]) -> list[SeriesMatch]:
    """The hits that have a title and a reference, at most a hundred."""
    cleaned = [
        replace(
            match,
            series_ref=_series_ref(match.series_ref),
            url=clean_url(match.url),
            title=_title(match.title),
            lang=_lang(match.lang),
            poster_url=clean_url(match.poster_url),
            synopsis=clean_text(match.synopsis, MAX_SYNOPSIS_LENGTH, multiline=True),
            genres=_names(match.genres),
            other_titles=_names(match.other_titles),
        )
        for match in list(matches)[:_MAX_MATCHES]
    ]
    return [match for match in cleaned if match.title and match.series_ref]


def clean_details(details: SeriesDetails) -> SeriesDetails:
    """The same details with clean text."""
    return replace(
        details,
        series_ref=_series_ref(details.series_ref),
        url=clean_url(details.url),
        title=_title(details.title),
        lang=_lang(details.lang),
        other_titles=_names(details.other_titles),
        synopsis=clean_text(details.synopsis, MAX_SYNOPSIS_LENGTH, multiline=True),
        genres=_names(details.genres),
        poster_url=clean_url(details.poster_url),
        seasons=tuple(_season(offer) for offer in details.seasons),
        languages=tuple(_lang(lang) for lang in details.languages),
    )


def _season(offer: SeasonOffer) -> SeasonOffer:
    return replace(
        offer,
        series_ref=_series_ref(offer.series_ref),
        url=clean_url(offer.url),
        label=clean_text(offer.label, _MAX_LABEL_LENGTH),
        lang=_lang(offer.lang),
    )


def clean_episodes(found: EpisodeList) -> EpisodeList:
    """The same list with clean text; of two episodes with one reference the first is kept.

    Raises TooLarge when it has more than 20,000 episodes.
    """
    if len(found.episodes) > MAX_EPISODES:
        raise TooLarge("The site lists more than 20,000 episodes for this series.")
    by_ref: dict[str, EpisodeListing] = {}
    # On many sites every episode of a season has the address of the season's page.
    addresses = {url: clean_url(url) for url in {episode.url for episode in found.episodes}}
    for episode in found.episodes:
        cleaned = _episode(episode, addresses[episode.url])
        if cleaned.ref:
            by_ref.setdefault(cleaned.ref, cleaned)
    return replace(found, episodes=tuple(by_ref.values()))


def _episode(episode: EpisodeListing, url: str) -> EpisodeListing:
    ref = clean_text(episode.ref, MAX_EPISODE_REF_LENGTH)
    number = _number(episode.number)
    season = min(max(episode.season, 0), _LARGEST_SEASON)
    title = _title(episode.title)
    is_clean = (ref, number, season, title, url) == (
        episode.ref,
        episode.number,
        episode.season,
        episode.title,
        episode.url,
    )
    if is_clean:
        return episode
    return replace(episode, ref=ref, number=number, season=season, title=title, url=url)


def _number(number: Decimal) -> Decimal:
    """A number that every database can hold: finite, at most 99,999, three decimals."""
    if not number.is_finite():
        return Decimal(0)
    number = min(max(number, Decimal(0)), _LARGEST_NUMBER)
    return number if number == number.to_integral_value() else number.quantize(_NUMBER_STEP)


def clean_sources(sources: Iterable[VideoSource]) -> list[VideoSource]:
    """The sources with a usable address, best first. Raises NotFound when none is left."""
    cleaned = [
        replace(
            source,
            url=url,
            label=clean_text(source.label, _MAX_LABEL_LENGTH),
            lang=_lang(source.lang),
            headers={name: value for name, value in source.headers.items() if value.isprintable()},
        )
        for source in list(sources)[:_MAX_SOURCES]
        if (url := clean_url(source.url))
    ]
    if not cleaned:
        raise NotFound("The site names no usable address for this episode.")
    return cleaned
