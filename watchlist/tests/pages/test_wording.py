"""Days and texts as the language writes them."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polib
import pytest
from django.conf import settings
from django.utils import translation

from watchlist.pages import wording

CATALOGUE = Path(settings.BASE_DIR) / "locale" / "fr" / "LC_MESSAGES" / "django.po"


@pytest.mark.parametrize(
    ("language", "day", "style", "written"),
    [
        ("en", date(2026, 11, 3), "j M", "3 Nov"),
        ("fr", date(2026, 11, 3), "j M", "3 nov."),
        ("fr", date(2026, 6, 3), "j M Y", "3 juin 2026"),
        ("fr", date(2026, 8, 1), "j M", "1er août"),
        ("fr", date(2026, 8, 1), "l j F", "samedi 1er août"),
        ("en", date(2026, 8, 1), "l j F", "Saturday 1 August"),
        ("fr", date(2026, 8, 1), "D", "sam."),
    ],
)
def test_a_day_is_written_as_the_language_does(
    language: str, day: date, style: str, written: str
) -> None:
    with translation.override(language):
        assert wording.dated(day, style) == written


def french_texts() -> list[str]:
    return [
        text
        for entry in polib.pofile(str(CATALOGUE))
        if not entry.obsolete and not entry.msgctxt
        for text in (entry.msgstr_plural.values() or [entry.msgstr])
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        re.compile(r"\w'\w"),  # an apostrophe of a typewriter
        re.compile(r"[ \u00a0][:;!»]"),  # a space at which a line may break, or a wide one
        re.compile(r"[^\W\d_][;!»]"),  # no space at all
        re.compile("«[^\u202f]"),
        re.compile(r'"'),
    ],
    ids=["apostrophe", "space", "no space", "guillemet", "quotes"],
)
def test_french_is_set_as_french(wrong: re.Pattern[str]) -> None:
    assert [text for text in french_texts() if wrong.search(text)] == []
