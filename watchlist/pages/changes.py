"""What an open page fetches anew after an action: the cards concerned, or the whole list."""

from __future__ import annotations

import uuid
from collections.abc import Iterable

from django.http import HttpResponse
from django.urls import reverse
from django_htmx.http import trigger_client_event


def cards_changed(response: HttpResponse, item_ids: Iterable[uuid.UUID]) -> HttpResponse:
    """These series look otherwise now, or are gone; the list keeps its order while one looks."""
    event = {"ids": [str(pk) for pk in item_ids], "url": reverse("cards")}
    trigger_client_event(response, "cards", event)
    trigger_client_event(response, "counts")
    return trigger_client_event(response, "refresh")


def list_changed(response: HttpResponse) -> HttpResponse:
    """Series have come that no page knows yet."""
    trigger_client_event(response, "relist")
    return trigger_client_event(response, "refresh")
