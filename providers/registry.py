"""Every adapter, in the order in which a pasted address is offered to them; feeds take the rest."""

from __future__ import annotations

from typing import Final

from providers.base import SiteAdapter
from providers.sites.animesama import AnimeSamaAdapter
from providers.sites.animeultime import AnimeUltimeAdapter
from providers.sites.feed import FeedAdapter
from providers.sites.nekosama import NekoSamaAdapter

ADAPTERS: Final[tuple[type[SiteAdapter], ...]] = (
    AnimeSamaAdapter,
    AnimeUltimeAdapter,
    NekoSamaAdapter,
    FeedAdapter,
)
