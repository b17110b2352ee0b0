"""The icons of the sprite."""

from __future__ import annotations

from functools import lru_cache

from django.templatetags.static import static
from django.utils.html import format_html
from django.utils.safestring import SafeString


@lru_cache(maxsize=256)
def icon(name: str, extra: str = "") -> SafeString:
    """An icon; it says nothing to a screen reader, so a word stands beside it."""
    classes = f"i {extra}" if extra else "i"
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"/></svg>',
        classes,
        static("icons.svg"),
        name,
    )
