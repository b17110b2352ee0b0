"""Posters for signed-in users: from our own disk, kept by the browser for a year."""

from __future__ import annotations

import base64
import uuid
from typing import Final

from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from watchlist.models import WatchlistItem
from watchlist.pages.feedback import user_of
from watchlist.services import posters

# A transparent point: the page shows the initials behind it. An error would be a line in the
# console of everybody whose provider has lost a picture.
_NOTHING: Final = base64.b64decode("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
_FOR_GOOD: Final = "private, max-age=31536000, immutable"
_FOR_A_MINUTE: Final = "private, max-age=60"


@login_required
@require_safe
def poster(request: HttpRequest, followed_id: uuid.UUID) -> HttpResponse:
    """The poster of a series on the user's list, by the item's id or the series' own."""
    mine = WatchlistItem.objects.select_related("series").filter(user=user_of(request))
    item = mine.filter(Q(pk=followed_id) | Q(series_id=followed_id)).first()
    if item is None:
        raise Http404
    by_item = item.pk == followed_id
    return _answer((by_item and item.poster_image) or item.series.poster_url)


@login_required
@require_safe
def preview(request: HttpRequest) -> HttpResponse:
    """The poster of a search result; only addresses that we have signed ourselves are fetched."""
    address = posters.address_of_preview(request.GET.get("u", ""))
    if address is None:
        raise Http404
    return _answer(address)


def _answer(address: str) -> HttpResponse:
    found = posters.stored_or_fetched(address) if address else None
    response = HttpResponse(found or _NOTHING, content_type="image/webp")
    response["Cache-Control"] = _FOR_GOOD if found else _FOR_A_MINUTE
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
