"""What the demo account follows, so that `make demo` shows something at once."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.contrib.auth.models import User

from providers import gateway
from providers.errors import ProviderError
from watchlist.models import ItemStatus, WatchlistItem
from watchlist.services import items
from watchlist.services.items import AlreadyFollowed, Wish

logger = logging.getLogger(__name__)

USERNAME: Final = "demo"


@dataclass(frozen=True, slots=True)
class _Follow:
    """A series of the demo site, and from how many episodes before its last one."""

    provider_id: str
    slug: str
    episodes_back: int
    status: str = ItemStatus.ACTIVE
    auto_download: bool = True


_FOLLOWED: Final = (
    _Follow("animesama", "les-horlogers-de-minuit", episodes_back=2),
    _Follow("animesama", "le-phare-des-brumes", episodes_back=3),
    _Follow("animesama", "cobalt-neuf", episodes_back=1),
    _Follow("animesama", "le-dernier-ferry-pour-hoshino", episodes_back=1),
    _Follow("animesama", "tambours-du-nord", episodes_back=0, auto_download=False),
    _Follow("animeultime", "jardin-d-acier", episodes_back=1),
    _Follow("animeultime", "sous-la-neige-rouge", episodes_back=1),
    _Follow("nekosama", "cuisine-de-bord", episodes_back=0, status=ItemStatus.PAUSED),
    _Follow("feed", "orbite-basse", episodes_back=2),
)


def seed_demo(base_url: str) -> None:
    """Follow a few series of the demo site at `base_url`, unless some are followed already."""
    user = User.objects.get(username=USERNAME)
    if WatchlistItem.objects.filter(user=user).exists():
        return
    offered = _offered(base_url)
    for follow in _FOLLOWED:
        for series in offered.get(follow.provider_id, []):
            if series["slug"] == follow.slug:
                _follow(user, follow, series)
                break


def _offered(base_url: str) -> dict[str, list[dict[str, Any]]]:
    page = gateway.fetch_bytes(f"{base_url}/control", max_bytes=1_000_000, deadline_seconds=20)
    providers: dict[str, list[dict[str, Any]]] = json.loads(page.content)["providers"]
    return providers


def _follow(user: User, follow: _Follow, series: dict[str, Any]) -> None:
    start = series["episodes"] - follow.episodes_back
    wish = Wish(
        anime_url=series["url"],
        provider_id=follow.provider_id,
        lang=series["lang"],
        status=follow.status,
        auto_download=follow.auto_download,
        last_episode_downloaded=Decimal(start) if start > 0 else None,
    )
    try:
        items.follow(user=user, wish=wish)
    except (AlreadyFollowed, ProviderError) as error:
        logger.warning("The demo account does not follow %s: %s", series["url"], error)
