"""Every adapter, in the order in which a pasted address is offered to them; feeds take the rest."""

from __future__ import annotations

from typing import Final

from providers.base import SiteAdapter
from providers.sites.animesama import AnimeSamaAdapter
from providers.sites.feed import FeedAdapter

ADAPTERS: Final[tuple[type[SiteAdapter], ...]] = (AnimeSamaAdapter, FeedAdapter)
