"""What would be followed: the series behind an address, and how many episodes each choice means."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from typing import Any, Final

from django.core.cache import cache
from redis.exceptions import RedisError

from providers import gateway
from providers.errors import ProviderError, Unreachable
from providers.types import AiringStatus, SeasonOffer, SeriesDetails, SeriesLocator
from watchlist.models import Episode
from watchlist.places import is_after, season_of_start, spans_of
from watchlist.services import asking
from watchlist.services.asking import Busy
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
    """The regular episodes on offer now by season and number, and how many specials there are."""

    regular: tuple[tuple[int, Decimal], ...]
    specials: int

    @property
    def total(self) -> int:
        """All of them."""
        return len(self.regular) + self.specials

    @property
    def latest(self) -> Decimal | None:
        """The number of the last regular one."""
        return self.regular[-1][1] if self.regular else None

    def after(self, start: Decimal | None) -> int:
        """How many regular ones are wanted with this start; None wants all."""
        if start is None:
            return len(self.regular)
        season = season_of_start(start, spans_of(self.regular))
        return sum(is_after(*one, start_season=season, start_number=start) for one in self.regular)


def offer_of(url: str, provider_id: str, lang: str) -> Offer:
    """Recognise the address and ask the provider, for a few seconds at most.

    What it told is remembered for some minutes: a person who adds a series asks three times.
    Raises ProviderError when the address is not a series.
    """
    if not provider_id:
        provider_id, _locator = gateway.recognise(url)
    known = known_offer(url, provider_id, lang)
    if known is not None:
        return known
    try:
        offer = Offer(provider_id, url, look_up(provider_id, url, lang or None), False)  # noqa: FBT003 - named in the class
    except NoSuchLanguage:
        own = gateway.locate(provider_id, url).lang
        offer = Offer(provider_id, url, look_up(provider_id, url, own), True)  # noqa: FBT003 - as above
    if offer.found.details is not None:
        # The dialog's form names the language that was found.
        plain = replace(offer, is_other_language=False)
        _remember(_key("offer", provider_id, url, offer.found.lang), asdict(plain))
        _remember(_key("offer", provider_id, url, lang), asdict(offer))
    return offer


def known_offer(url: str, provider_id: str, lang: str) -> Offer | None:
    """What the provider told of this address a moment ago."""
    fields = _remembered(_key("offer", provider_id, url, lang))
    return None if fields is None else _offer_from(fields)


def numbers_of(offer: Offer) -> Numbers | ProviderError:
    """What is on offer: as our last check saw it, else as the provider says now."""
    found = offer.found
    known = Episode.objects.filter(
        series__provider_id=offer.provider_id,
        series__ref=found.series_ref,
        series__lang=found.lang,
        is_listed=True,
    ).values_list("season", "number", "is_special")
    rows = list(known)
    if rows:
        return _numbers(rows)
    if isinstance(found.error, Unreachable | Busy):
        # It has just kept somebody waiting for nothing.
        return found.error
    return _asked(offer)


def _asked(offer: Offer) -> Numbers | ProviderError:
    found = offer.found
    key = _key("places", offer.provider_id, found.series_ref, found.lang)
    remembered = _remembered(key)
    if remembered is not None:
        return _numbers(
            [(season, Decimal(number), special) for season, number, special in remembered]
        )
    try:
        listed = asking.list_episodes(offer.provider_id, found.series_ref, found.lang)
    except ProviderError as error:
        return error
    rows = [(one.season, one.number, one.is_special) for one in listed.episodes]
    _remember(key, [(season, str(number), special) for season, number, special in rows])
    return _numbers(rows)


def _numbers(rows: Sequence[tuple[int, Decimal, bool]]) -> Numbers:
    regular = sorted((season, number) for season, number, is_special in rows if not is_special)
    return Numbers(tuple(regular), len(rows) - len(regular))


def _offer_from(fields: dict[str, Any]) -> Offer:
    """The offer whose `asdict` was remembered; the cache keeps plain values only."""
    found = fields["found"]
    told = found["details"]
    lists = {name: tuple(told[name]) for name in ("other_titles", "genres", "languages")}
    seasons = tuple(SeasonOffer(**season) for season in told["seasons"])
    status = AiringStatus(told["airing_status"])
    details = SeriesDetails(**told | lists | {"seasons": seasons, "airing_status": status})
    locator = SeriesLocator(**found["locator"])
    return Offer(**fields | {"found": Found(**found | {"locator": locator, "details": details})})


def _key(*parts: str) -> str:
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=12).hexdigest()
    return f"preview:{digest}"


def _remembered(key: str) -> Any:
    try:
        return cache.get(key)
    except (RedisError, OSError):
        return None


def _remember(key: str, value: object) -> None:
    try:
        cache.set(key, value, _REMEMBERED_SECONDS)
    except (RedisError, OSError):
        return
