"""What several adapters need to read pages: trees, scripts, numbers and titles; plain Python.

Pages are hostile. Every pattern here is possessive or runs on a short string, and a tree is neither
deep nor large, so that the time grows with the length of the text and never faster.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Final
from urllib.parse import quote, unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from providers.errors import LayoutChanged, NotFound, ProviderError
from providers.types import SeriesMatch

# libxml2 compares every attribute of a tag with all others: one tag of a megabyte takes minutes.
_LONGEST_TAG: Final = 64_000
# A tag's text is read once for each tag around it, and a tag takes about a kilobyte of memory. Real
# pages are some 30 tags deep and have some 10,000.
_DEEPEST_TAG: Final = 100
_MOST_TAGS: Final = 200_000
_START_TAG: Final = re.compile(
    r"""<[A-Za-z](?:[^>"']++|"[^"]*+"|'[^']*+')*+""",
)
_HTML_COMMENT: Final = re.compile(r"<!--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->)?")
_SCRIPT_START: Final = re.compile(r"<script\b[^<>]*+>", re.IGNORECASE)
_SCRIPT_END: Final = re.compile(r"</script", re.IGNORECASE)
_SCRIPT_NOISE: Final = re.compile(
    r"""("(?:[^"\\\n]++|\\.)*+"?|'(?:[^'\\\n]++|\\.)*+'?|`[^`]*+`)"""
    r"""|//[^\n]*+|/\*[^*]*+(?:\*(?!/)[^*]*+)*+(?:\*/)?""",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|(.))", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "t": "\t", "r": "\r", "b": "", "f": "", "v": ""}
# Behind the number may stand which try at it this is, that it is the last one, or its quality.
_TRAILING_NUMBER: Final = re.compile(
    r"(?:^|(?<=\D))(\d{1,6}(?:[.,]\d{1,3})?)"
    r"(?:\s?v\d)?(?:\s[\[(]?(?:FIN|END|HD|\d{3,4}p)[\])]?)*\s*$",
    re.IGNORECASE,
)
_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST_NAME: Final = 500


def tree(text: str) -> BeautifulSoup:
    """The page as a tree. Raises LayoutChanged for a page that would be too costly to read."""
    if any(match.end() - match.start() > _LONGEST_TAG for match in _START_TAG.finditer(text)):
        raise LayoutChanged("page", "The site's page has a tag that is too long to be read.")
    if text.count("<") > _MOST_TAGS:
        raise LayoutChanged("page", "The site's page has too many tags to be read.")
    page = BeautifulSoup(text, "lxml")
    depths = {id(page): 0}
    for tag in page.find_all():
        depths[id(tag)] = depth = depths[id(tag.parent)] + 1
        if depth > _DEEPEST_TAG:
            raise LayoutChanged("page", "The site's page is nested too deeply to be read.")
    return page


def text_of(tag: Tag | None) -> str:
    """The text of a tag with white space folded, "" for none."""
    return "" if tag is None else " ".join(tag.get_text(" ").split())


def attribute(tag: Tag | None, name: str) -> str:
    """The value of an attribute without surrounding white space, "" when there is none."""
    value = None if tag is None else tag.get(name)
    if isinstance(value, list):
        value = " ".join(value)
    return (value or "").strip()


def meta(page: Tag, name: str) -> str:
    """The content of `<meta property=name>` or `<meta name=name>`, "" when there is none."""
    found = page.find("meta", attrs={"property": name}) or page.find("meta", attrs={"name": name})
    return attribute(found if isinstance(found, Tag) else None, "content")


def absolute(base: str, href: str) -> str:
    """An address of the page at `base`, "" when there is none that can be asked over http(s)."""
    href = href.strip()
    try:
        url = urljoin(base, href) if href else ""
    except ValueError:
        return ""
    return url if url.startswith(("http://", "https://")) else ""


def led_elsewhere(url: str, base_url: str) -> ProviderError:
    """What it means that a site leads from a page that it had to one of another kind, at `url`.

    From the page of a series to its own home page: the series is gone. To another host: the whole
    site may be, and nothing is known of the series.
    """
    here, there = (urlsplit(address).netloc.removeprefix("www.") for address in (base_url, url))
    if here == there:
        return NotFound("The site does not have this page any more.")
    return LayoutChanged("page", "The site leads to another address.")


def split_names(text: str) -> tuple[str, ...]:
    """The names of a comma-separated list, in order, each once."""
    return tuple(dict.fromkeys(name for part in text.split(",") if (name := part.strip())))


def without_html_comments(page: str) -> str:
    """A page without what stands in `<!-- -->`, scripts included."""
    return _HTML_COMMENT.sub("", page) if "<!--" in page else page


def scripts(page: str) -> Iterator[str]:
    """The inline scripts of a page that are not inside a comment, without building a tree."""
    page = without_html_comments(page)
    opened = _SCRIPT_START.search(page)
    while opened:
        closed = _SCRIPT_END.search(page, opened.end())
        end = closed.start() if closed else len(page)
        yield page[opened.end() : end]
        opened = _SCRIPT_START.search(page, end)


def without_comments(script: str) -> str:
    """A script without its comments; what looks like one inside a string stays."""
    return _SCRIPT_NOISE.sub(lambda match: match[1] or " ", script)


def unescaped(literal: str) -> str:
    """What a JavaScript string says, given without its quotes."""
    if "\\" not in literal:
        return literal
    return _ESCAPE.sub(_character, literal)


def _character(match: re.Match[str]) -> str:
    code = match[1] or match[2]
    if code:
        return chr(int(code, 16))
    return _ESCAPED.get(match[3], match[3])


def decimal_of(text: str) -> Decimal:
    """The number that `text`, digits with a point or comma, means."""
    return Decimal(text.replace(",", "."))


def trailing_number(text: str) -> Decimal | None:
    """The number at the end of a name, for example 12.5 of "Episode 12.5"; None without one."""
    return with_number(text)[1]


def with_number(text: str) -> tuple[str, Decimal | None]:
    """What stands before the number at the end of a name, and the number; all of it without one."""
    text = text[-_LONGEST_NAME:]
    found = _TRAILING_NUMBER.search(text)
    return (text[: found.start(1)], decimal_of(found[1])) if found else (text, None)


def plain(number: Decimal) -> str:
    """A number as people write it: 7, 12.5."""
    return f"{number.normalize():f}"


def numbered_once(names: Iterable[str]) -> list[str]:
    """The names in order; one that occurs again gets a count: "Film", "Film (2)"."""
    seen: dict[str, int] = {}
    unique: list[str] = []
    for name in names:
        seen[name] = count = seen.get(name, 0) + 1
        unique.append(name if count == 1 else f"{name} ({count})")
    return unique


def readable(slug: str) -> str:
    """A title made of the part of an address: "le-phare-des-brumes" reads "Le Phare Des Brumes"."""
    words = unquote(slug).replace("-", " ").replace("_", " ").split()
    return " ".join(word[:1].upper() + word[1:] for word in words)


def quoted(segment: str) -> str:
    """A path segment as it is written in an address."""
    return quote(segment, safe="!'()*,;:@&=+$~")


def folded(text: str) -> str:
    """Words in lower case without accents or punctuation, for comparing titles."""
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return " ".join(_WORD.findall(text.lower()))


def closeness(query: str, names: Iterable[str]) -> int:
    """How well names fit a folded query: 0 the same, 1 begins with it, 2 holds it, 3 otherwise."""
    best = 3
    for name in map(folded, names):
        if name == query:
            return 0
        best = min(best, 1 if name.startswith(query) else 2 if query in name else 3)
    return best


def best_first(query: str, matches: Iterable[SeriesMatch]) -> list[SeriesMatch]:
    """Matches with those whose title fits best in front; otherwise in the given order."""
    wanted = folded(query)
    return sorted(
        matches,
        key=lambda match: (
            closeness(wanted, [match.title]),
            closeness(wanted, match.other_titles),
        ),
    )
