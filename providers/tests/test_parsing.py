from __future__ import annotations

import contextlib
from decimal import Decimal

import pytest

from providers.errors import LayoutChanged
from providers.parsing import (
    absolute,
    attribute,
    best_first,
    folded,
    numbered_once,
    plain,
    readable,
    scripts,
    split_names,
    text_of,
    trailing_number,
    tree,
    unescaped,
    without_comments,
)
from providers.types import SeriesMatch

MEGABYTE = 1_000_000
HOSTILE = {
    "attributes without end": "<div " + " ".join(f"a{n}" for n in range(125_000)) + ">",
    "attributes with values that look closed": "<a " + 'b=">" ' * 160_000 + ">",
    "attributes with single quotes": "<a " + "b='>' " * 160_000 + ">",
    "an open quote": '<a href="' + "x" * MEGABYTE,
    "nested boxes": "<div>" * 200_000,
    "nested formatting": "<b><i>" * 100_000,
    "nested fonts": "<font>" * 83_000,
    "open comments": "<!--" * 250_000,
    "open links": "<a " * 330_000,
    "open tables": "<table><tr><td>" * 60_000,
    "entities": "&amp" * 200_000,
    "unknown entities": "&x;" * 300_000,
    "nothing but smaller-than": "<" * MEGABYTE,
    "closing tags": "</div>" * 160_000,
    "open scripts": "<script>" * 120_000,
    "open selects": "<select><option>" * 60_000,
    "zeros": "\x00" * MEGABYTE,
    "quotes in tags": "<a'\"" * 200_000,
}


# What hangs here hangs a worker: the C parser cannot be interrupted.
@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_page_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(LayoutChanged):
        page = tree(f"<html><body><h1>Title</h1>{text}</body></html>")
        assert text_of(page.select_one("h1")).startswith("Title")
    assert sum(map(len, scripts(text))) <= len(text)
    assert len(without_comments(text)) <= len(text)


def test_a_tag_too_long_to_be_read_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChanged, match="too long"):
        tree(HOSTILE["attributes without end"])


def test_text_and_attributes_of_nothing_are_empty() -> None:
    page = tree('<a class="x  y" href=" /z "> a <b>b</b>\n c</a>')
    link = page.select_one("a")
    assert (text_of(link), attribute(link, "href"), attribute(link, "class")) == (
        "a b c",
        "/z",
        "x y",
    )
    assert (text_of(None), attribute(None, "href"), attribute(link, "title")) == ("", "", "")


@pytest.mark.parametrize(
    ("href", "url"),
    [
        ("b.html", "https://site.example/a/b.html"),
        ("/b", "https://site.example/b"),
        ("//cdn.example/b", "https://cdn.example/b"),
        (" http://x.example/ ", "http://x.example/"),
        ("", ""),
        ("javascript:alert(1)", ""),
        ("data:text/html,x", ""),
        ("http://[::1", ""),
    ],
)
def test_addresses_become_absolute(href: str, url: str) -> None:
    assert absolute("https://site.example/a/", href) == url


def test_scripts_in_comments_do_not_count() -> None:
    page = '<script src="a.js"></script><!-- <script>1</script> --><SCRIPT>2</SCRIPT><script>3'
    assert list(scripts(page)) == ["", "2", "3"]


def test_comments_go_and_strings_stay() -> None:
    script = "a('//b', \"/*c*/\", 'd\\'//e'); // f\n/* g */ h `//i`"
    assert without_comments(script).split() == [
        "a('//b',", '"/*c*/",', "'d\\'//e');", "h", "`//i`"
    ]  # fmt: skip


def test_escapes_are_read() -> None:
    assert unescaped("L\\'\\u00e9t\\xe9\\n\\/x") == "L'été\n/x"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Episode 12", Decimal(12)),
        ("Ep. 007", Decimal(7)),
        ("12.5", Decimal("12.5")),
        ("12,5 ", Decimal("12.5")),
        ("Film", None),
        ("", None),
        ("Saison 2 - fin", None),
        ("9" * 400, None),
        ("Episode 08 v2", Decimal(8)),
        ("Episode 08v2", Decimal(8)),
        ("Episode 12 FIN", Decimal(12)),
        ("Episode 12 [End]", Decimal(12)),
        ("Episode 12 v2 (1080p)", Decimal(12)),
        ("Film 1080p", None),
    ],
)
def test_the_number_at_the_end(text: str, number: Decimal | None) -> None:
    assert trailing_number(text) == number


def test_numbers_are_written_plainly() -> None:
    assert [plain(Decimal(text)) for text in ("7", "12.50", "100", "0")] == [
        "7",
        "12.5",
        "100",
        "0",
    ]


def test_names_are_told_apart() -> None:
    assert numbered_once(["a", "b", "a", "a"]) == ["a", "b", "a (2)", "a (3)"]
    assert split_names(" a, b,,a , c") == ("a", "b", "c")


def test_addresses_read_as_titles() -> None:
    assert readable("le-phare_des%20brumes") == "Le Phare Des Brumes"


def test_titles_compare_without_accents_or_punctuation() -> None:
    assert folded("L'Été, enfin !") == "l ete enfin"
    assert folded("灯台") == "灯台"


def test_the_closest_title_stands_first() -> None:
    titles = ["Retour des Brumes", "Autre", "Brumes", "Brumes d'été", "Encore"]
    others = {"Autre": ("Brumes",)}
    found = best_first(
        "brumes",
        [
            SeriesMatch(title, "", title, "vostfr", other_titles=others.get(title, ()))
            for title in titles
        ],
    )
    assert [match.title for match in found] == [
        "Brumes", "Brumes d'été", "Retour des Brumes", "Autre", "Encore"
    ]  # fmt: skip
