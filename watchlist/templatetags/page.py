"""Icons, numbers, sizes and times as the pages write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from django import template
from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString

from watchlist.decisions import plain_number
from watchlist.pages import wording

register = template.Library()


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, extra: str = "") -> SafeString:
    """An icon of the sprite; it says nothing to a screen reader, so a word stands beside it."""
    classes = f"i {extra}" if extra else "i"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        classes,
        static("icons.svg"),
        name,
    )


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
