"""Icons, numbers, sizes and times as the pages write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django import template

from watchlist.decisions import plain_number
from watchlist.pages import wording
from watchlist.pages.icons import icon

register = template.Library()


register.simple_tag(icon)


@register.filter
def number(value: Decimal) -> str:
    """7, 12.5."""
    return plain_number(value)


@register.filter
def when(moment: datetime | None) -> str:
    """A moment in as few words as it needs: "17:02", "yesterday 17:02", "Fri 17:02", "3 Nov"."""
    return "" if moment is None else wording.moment(moment)


@register.filter
def ago(moment: datetime | None) -> str:
    """How long ago: "just now", "5 min ago", "3 days ago"."""
    return "" if moment is None else wording.ago(moment)


@register.filter
def size(count: int | None) -> str:
    """Bytes for people: "345 MB"."""
    return "" if count is None else wording.size(count)


@register.filter
def language(code: str) -> str:
    """The tag of a provider's language; these are names of their own and never translated."""
    return code.upper()
