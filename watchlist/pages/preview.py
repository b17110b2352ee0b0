"""What would be followed: the series behind an address, and how many episodes each choice means."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from django.core.cache import cache
from redis.exceptions import RedisError

from providers import gateway
from providers.errors import ProviderError
from watchlist.models import Episode, Series
from watchlist.services.items import Found, NoSuchLanguage, look_up

_REMEMBERED_SECONDS: Final = 300


@dataclass(frozen=True, slots=True)
class Offer:
    """A series that may be followed."""

    provider_id: str
    url: str
    found: Found
    is_other_language: bool  # the wished one is a page of its own; this is what the address has

    @property
    def title(self) -> str:
        """The provider's title, else one made from the address."""
        details = self.found.details
        return (details.title if details else "") or self.found.locator.title_guess


@dataclass(frozen=True, slots=True)
class Numbers:
    """The regular episodes on offer now, rising, and how many specials there are."""

    regular: tuple[Decimal, ...]
    specials: int

    @property
    def total(self) -> int:
        """All of them."""
        return len(self.regular) + self.specials

    @property
    def latest(self) -> Decimal | None:
        """The highest regular number."""
        return self.regular[-1] if self.regular else None

    def from_number(self, number: Decimal) -> int:
        """How many regular ones there are from this number on."""
        return sum(one >= number for one in self.regular)


def offer_of(url: str, provider_id: str, lang: str) -> Offer:
    """Recognise the address and ask the provider, for a few seconds at most.

    Raises ProviderError when the address is not a series.
    """
    if not provider_id:
        provider_id, _locator = gateway.recognise(url)
    try:
        return Offer(provider_id, url, look_up(provider_id, url, lang or None), False)  # noqa: FBT003 - named in the class
    except NoSuchLanguage:
        own = gateway.locate(provider_id, url).lang
        return Offer(provider_id, url, look_up(provider_id, url, own), True)  # noqa: FBT003 - as above


def numbers_of(offer: Offer) -> Numbers | ProviderError:
    """What is on offer: as our last check saw it, else as the provider says now."""
    found = offer.found
    known = Episode.objects.filter(
        series__provider_id=offer.provider_id,
        series__ref=found.series_ref,
        series__lang=found.lang,
        is_listed=True,
    ).values_list("number", "is_special")
    rows = list(known)
    if rows:
        return _numbers(rows)
    return _asked(offer)


def series_of(offer: Offer) -> Series | None:
    """The series, when somebody follows it already."""
    found = offer.found
    return Series.objects.filter(
        provider_id=offer.provider_id, ref=found.series_ref, lang=found.lang
    ).first()


def _asked(offer: Offer) -> Numbers | ProviderError:
    found = offer.found
    text = f"{offer.provider_id}\0{found.series_ref}\0{found.lang}"
    key = f"preview:{hashlib.blake2b(text.encode(), digest_size=12).hexdigest()}"
    remembered = _remembered(key)
    if remembered is not None:
        return remembered
    try:
        listed = gateway.list_episodes(offer.provider_id, found.series_ref, found.lang, {})
    except ProviderError as error:
        return error
    numbers = _numbers([(one.number, one.is_special) for one in listed.episodes])
    _remember(key, numbers)
    return numbers


def _numbers(rows: Sequence[tuple[Decimal, bool]]) -> Numbers:
    regular = sorted(number for number, is_special in rows if not is_special)
    return Numbers(tuple(regular), len(rows) - len(regular))


def _remembered(key: str) -> Numbers | None:
    try:
        found = cache.get(key)
    except (RedisError, OSError):
        return None
    return found if isinstance(found, Numbers) else None


def _remember(key: str, numbers: Numbers) -> None:
    try:
        cache.set(key, numbers, _REMEMBERED_SECONDS)
    except (RedisError, OSError):
        return
