"""Icons, numbers, sizes and times as the pages write them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django import template
from django.template import Context
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from watchlist import faults
from watchlist.decisions import plain_number
from watchlist.pages import wording
from watchlist.pages.cards import Card, html_of, provider_name
from watchlist.pages.icons import icon
from watchlist.services.users import is_administrator

register = template.Library()
# These are seen at once, so they do not wait.
EAGER_POSTERS: Final = 8

register.simple_tag(icon)


@register.simple_tag(takes_context=True)
def card_html(context: Context, card: Card) -> SafeString:
    """One series of the list, as the reader's list writes it."""
    loop: dict[str, int] = context.get("forloop") or {}
    return html_of(
        card,
        template=context["card_template"],
        language=get_language() or "",
        picking=bool(context.get("picking")),
        is_swapped=bool(context.get("are_swapped")),
        is_lazy=loop.get("counter0", 0) >= EAGER_POSTERS,
    )


register.filter("fault", faults.sentence)
register.filter("provider_name", provider_name)
register.filter("is_administrator", is_administrator)


@register.filter
def number(value: Decimal) -> str:
    """7, 12.5."""
    return plain_number(value)


register.filter("dated", wording.dated)


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
