"""Find series at the providers, and look at a pasted address before following it."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from providers import gateway
from providers.errors import NotASeries, ProviderError
from providers.types import SeriesDetails
from watchlist import faults
from watchlist.api.base import Resource
from watchlist.api.errors import provider_refusal
from watchlist.api.serializers.server import (
    PreviewQuerySerializer,
    PreviewSerializer,
    SearchQuerySerializer,
    SearchSerializer,
)
from watchlist.api.throttles import ScopedThrottle
from watchlist.models import Series
from watchlist.selectors.items import followed_refs
from watchlist.services import asking
from watchlist.services.items import Found, look_up


class SearchViews(Resource):
    """`/api/search`."""

    throttle_classes = (ScopedThrottle,)
    throttle_scope = "search"
    pagination_class = None

    @extend_schema(
        operation_id="search", parameters=[SearchQuerySerializer], responses=SearchSerializer
    )
    def find(self, request: Request) -> Response:
        """Search all providers, or one; a slow or broken one never breaks the rest."""
        del request
        asked = self.asked(SearchQuerySerializer)
        outcome = asking.search(asked["q"], provider_id=asked.get("provider_id"))
        followed = followed_refs(self.user)
        results = [
            {
                "provider_id": provider_id,
                "anime_title": hit.title,
                "anime_url": hit.url,
                "lang": hit.lang,
                "poster_image": hit.poster_url,
                "synopsis": hit.synopsis,
                "genres": list(hit.genres),
                "other_titles": list(hit.other_titles),
                "item_id": followed.get((provider_id, hit.series_ref, hit.lang)),
            }
            for provider_id, hit in outcome.matches
        ]
        errors = {provider_id: faults.told(error) for provider_id, error in outcome.errors.items()}
        return Response({"results": results, "errors": errors})


class PreviewViews(Resource):
    """`/api/preview`."""

    throttle_classes = (ScopedThrottle,)
    throttle_scope = "preview"
    pagination_class = None

    @extend_schema(
        operation_id="preview", parameters=[PreviewQuerySerializer], responses=PreviewSerializer
    )
    def look(self, request: Request) -> Response:
        """Recognise the provider of an address, and show what would be followed."""
        del request
        url = self.asked(PreviewQuerySerializer)["url"]
        try:
            provider_id, locator = gateway.recognise(url)
            seen = look_up(provider_id, url, locator.lang)
            if isinstance(seen.error, NotASeries | asking.Busy):
                raise seen.error
        except ProviderError as error:
            raise provider_refusal(error, url_field="url") from error
        return Response(_preview(self.user, provider_id, seen))


def _preview(user: User, provider_id: str, seen: Found) -> dict[str, Any]:
    item_id = followed_refs(user).get((provider_id, seen.series_ref, seen.lang))
    # A figure for somebody else would say that others follow it.
    known = Series.objects.filter(items=item_id).values_list("episodes_known", flat=True)
    return _described(seen) | {
        "provider_id": provider_id,
        "anime_url": gateway.url_of(provider_id, seen.series_ref),
        "lang": seen.lang,
        "episodes_known": known.first() if item_id else None,
        "already_followed": item_id is not None,
        "item_id": item_id,
        "error": None if seen.error is None else faults.told(seen.error),
    }


def _described(seen: Found) -> dict[str, Any]:
    """What the provider told of the series; little when it did not answer in time."""
    details = seen.details or SeriesDetails(
        series_ref=seen.series_ref, url="", title="", lang=seen.lang
    )
    return {
        "anime_title": details.title or seen.locator.title_guess,
        "languages": list(details.languages) or [seen.lang],
        "seasons": [
            {"label": offer.label, "lang": offer.lang, "anime_url": offer.url}
            for offer in details.seasons
        ],
        "poster_image": details.poster_url,
        "synopsis": details.synopsis,
        "genres": list(details.genres),
        "airing_status": details.airing_status.value,
    }
