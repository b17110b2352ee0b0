from __future__ import annotations

import unicodedata

import lxml.etree
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from providers.text import clean_text, safe_name

# Surrogates included, which text() leaves out.
ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=[]), max_size=200)
BIDI_AND_INVISIBLE = (
    "\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2069\ufeff"
)
RESERVED = {
    "con",
    "prn",
    "aux",
    "nul",
    *(f"{port}{n}" for port in ("com", "lpt") for n in "123456789"),
}


@given(text=ANY_TEXT, multiline=st.booleans())
@example(text="a\x00b\x1b[31m\ud800\ufffe", multiline=False)
@example(text="e\u200b\u0301", multiline=False)
@example(text="x\n\r\n \n\n y", multiline=True)
def test_clean_text_is_safe_for_xml_postgres_and_utf_8(text: str, *, multiline: bool) -> None:
    cleaned = clean_text(text, 100, multiline=multiline)
    element = lxml.etree.Element("a")
    element.text = cleaned
    assert lxml.etree.fromstring(lxml.etree.tostring(element)).text == (cleaned or None)
    assert cleaned.encode().decode() == cleaned
    assert "\x00" not in cleaned
    for character in cleaned:
        assert unicodedata.category(character) not in {"Cs", "Cc"} or (
            multiline and character == "\n"
        )
        assert character not in BIDI_AND_INVISIBLE


@given(text=ANY_TEXT, length=st.integers(0, 60), multiline=st.booleans())
def test_clean_text_twice_is_clean_text_once(text: str, length: int, *, multiline: bool) -> None:
    once = clean_text(text, length, multiline=multiline)
    assert clean_text(once, length, multiline=multiline) == once
    assert len(once) <= length
    assert once == once.strip()
    assert unicodedata.is_normalized("NFC", once)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  Une \t belle\u00a0\u2028série \n", "Une belle série"),
        ("e\u0301te\u0301", "été"),
        ("\u202eevil\u202c", "evil"),
        ("naïve 日本語 🎉", "naïve 日本語 🎉"),
        ("<script>", "<script>"),
    ],
)
def test_ordinary_text_stays_as_it_reads(text: str, expected: str) -> None:
    assert clean_text(text, 50) == expected


def test_paragraphs_stay_with_multiline() -> None:
    text = "One\u00a0line \r\n  two\n\n\n\n three\t\n"
    assert clean_text(text, 100, multiline=True) == "One line\ntwo\n\nthree"


@given(ANY_TEXT)
@example("../../etc/passwd")
@example("CON")
@example("nul.txt")
@example("COM1 .")
@example(" . ")
@example("a" * 300)
@example("字" * 100)
@example("-rf")
def test_a_name_is_one_harmless_component(text: str) -> None:
    name = safe_name(text, "Series 7")
    assert 0 < len(name.encode()) <= 180
    assert not set(name) & set('/\\:*?"<>|\x00')
    assert name.strip(" .") == name
    assert name[0] not in "-~."
    assert name.lower().partition(".")[0].rstrip() not in RESERVED
    assert safe_name(name, "Series 7") == name
    assert clean_text(name, 1000) == name


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("../../etc/passwd", "etc-passwd"),
        ("Re:Zero: Starting Life?", "Re-Zero - Starting Life"),
        ('The "Great" Pretender', "The 'Great' Pretender"),
        ("..", "Series 7"),
        ("", "Series 7"),
        ("\u202e\u200b", "Series 7"),
        ("CON", "CON_"),
        ("Fate/Zero", "Fate-Zero"),
        ("Été à l'été…", "Été à l'été…"),
    ],
)
def test_names_read_like_the_title(text: str, expected: str) -> None:
    assert safe_name(text, "Series 7") == expected


def test_a_fallback_is_made_safe_too() -> None:
    assert safe_name("", "../x") == "x"
    assert safe_name("", "..") == "unnamed"


def test_a_shorter_limit_holds_in_bytes() -> None:
    assert safe_name("é" * 50, "x", max_bytes=21) == "é" * 10
