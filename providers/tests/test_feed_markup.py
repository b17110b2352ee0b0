"""What a feed costs, and what of a broken or unusual one is still read."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from providers.errors import LayoutChanged
from providers.feeds import Feed, parse_feed

URL = "https://feeds.example/show.xml"
HEAD = (
    '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>t</title>'
)
FILE = '<enclosure url="https://files.example/a.mp4" type="video/mp4" length="1"/>'
ROOT = Path(__file__).parents[2]
ATOM = '<feed xmlns="http://www.w3.org/2005/Atom">{}</feed>'

# Each of these took minutes to days of one regular expression, which no thread interrupts.
_READS_COSTLY_FEEDS = """
import resource
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from providers.errors import ProviderError
from providers.feeds import parse_feed
HEAD, FILE, SIZE = {head!r}, {file!r}, 300_000
def item(inside): return HEAD + "<item>" + inside + FILE + "</item></channel></rss>"
def repeated(text): return text * (SIZE // len(text))
def counted(text): return "".join(text.format(n) for n in range(SIZE // len(text)))
FEEDS = {{
    "author": item("<author>" + repeated("a") + "</author>"),
    "dotted author": item("<author>" + repeated("a.") + "</author>"),
    "keywords": item("<itunes:keywords>" + counted("{{}},") + "</itunes:keywords>"),
    "categories": item(counted("<category>{{}}</category>")),
    "blank lines": "<?xml version='1.0'?>" + repeated("\\n") + "<!ENTITY" + item(""),
    "entities": "<?xml version='1.0'?>" + repeated("\\n<!ENTITY a \\"") + item(""),
    "named entities": "<!DOCTYPE r [" + counted("<!ENTITY e{{}} 'x'>") + "]>" + item("&e1;"),
    "encodings": "<?" + repeated("encoding='") + item(""),
    "punycode": "<?xml version='1.0' encoding='punycode'?>" + item(repeated("a")) + repeated("-b"),
    "attributes": HEAD + "<item " + counted("a{{}}='' ") + "/>",
    "large tags": HEAD + ("<item " + "".join(f"a{{n}}='' " for n in range(1500)) + "/>") * 20,
    "namespaces": HEAD + counted("<a{{0}}:x xmlns:a{{0}}='u'/>"),
    "bases": "<rss xml:base='http://h.example/'>" + repeated("<item xml:base='a/'>"),
    "quotes": HEAD + repeated("<a \\"<a\\" ' <a' "),
    "comments": HEAD + repeated("<!-- -"),
}}
for name, text in FEEDS.items():
    print(name, flush=True)
    try:
        parse_feed(text.encode(), "https://feeds.example/show.xml")
    except ProviderError:
        pass
print("all read")
"""


def test_no_feed_takes_more_than_its_length_is_worth() -> None:
    script = _READS_COSTLY_FEEDS.format(head=HEAD, file=FILE)
    ran = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert ran.stdout.endswith("all read\n"), ran.stdout + ran.stderr


def test_a_tag_that_is_very_long_is_refused() -> None:
    with pytest.raises(LayoutChanged, match="too long"):
        parse_feed(f"{HEAD}<item a='{'x' * 30_000}'>{FILE}</item>".encode(), URL)


def one(inside: str) -> Feed:
    return parse_feed(f"{HEAD}<item><guid>g</guid>{inside}</item></channel></rss>".encode(), URL)


@pytest.mark.parametrize(
    ("written", "title"),
    [
        ("A < B <3 & C", "A < B <3 & C"),
        ("caf&eacute;&nbsp;R&B", "café R&B"),
        ("&nameless; thing", "&nameless; thing"),
        ("<![CDATA[A & <b>B</b>]]>", "A & B"),
        ("One<br>two", "Onetwo"),
        ("a<!-- not this -->b", "ab"),
    ],
)
def test_broken_markup_in_a_title_is_read(written: str, title: str) -> None:
    (item,) = one(f"<title>{written}</title>{FILE}").items
    assert (item.ref, item.title) == ("g", title)


def test_a_file_behind_html_without_ends_is_found() -> None:
    (item,) = one(f"<title>A</title><description>Hello <p>boats</description>{FILE}").items
    assert item.media[0].url == "https://files.example/a.mp4"


def test_an_address_with_a_bare_ampersand_is_whole() -> None:
    (item,) = one('<enclosure url="https://files.example/a.mp4?x=1&y=2" type="video/mp4"/>').items
    assert item.media[0].url == "https://files.example/a.mp4?x=1&y=2"


def test_entities_that_a_feed_declares_are_read() -> None:
    doctype = '<!DOCTYPE rss [<!ENTITY boat "Three &#38; boats">]>'
    body = f"{doctype}{HEAD}<item><title>&boat;</title>{FILE}</item></channel></rss>"
    assert parse_feed(body.encode(), URL).items[0].title == "Three & boats"


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "iso-8859-1", "windows-1251"]
)
def test_the_declared_encoding_is_read(encoding: str) -> None:
    letters = "Маяк" if encoding == "windows-1251" else "été"
    named = encoding.removesuffix("-sig").removesuffix("-le")
    body = (
        f"<?xml version='1.0' encoding='{named}'?>{HEAD}<item><title>{letters}</title>{FILE}</item>"
    )
    assert parse_feed(body.encode(encoding), URL).items[0].title == letters


def test_what_an_entry_quotes_of_its_source_is_not_its_own() -> None:
    entry = (
        "<entry><id>1</id><title type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>"
        "Low <b>tide</b></div></title><link rel='enclosure' type='video/mp4' href='/a.mp4'/>"
        "<source><id>9</id><title>Elsewhere</title></source></entry>"
    )
    (item,) = parse_feed(ATOM.format(entry).encode(), URL).items
    assert (item.ref, item.title) == ("1", "Low tide")


def test_prefixes_that_are_not_declared_are_understood() -> None:
    body = (
        f"<rss><channel><item>{FILE}<itunes:season>2</itunes:season>"
        "<itunes:episode>7</itunes:episode></item></channel></rss>"
    )
    (item,) = parse_feed(body.encode(), URL).items
    assert (item.season, item.number) == (2, Decimal(7))
