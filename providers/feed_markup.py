"""Any feed as a small well-formed document that holds only what we read of it.

feedparser and its second parser, for broken XML, have patterns whose time grows with the square of
a text, and one of them holds up every thread of the process. So they never see a feed as it came:
libxml2 reads it, whose time grows with the length, and this module writes it anew, without markup
declarations, with the few elements that `providers.feeds` looks at and each text cut to a length.

Every pattern here is possessive or runs on a short text.
"""

from __future__ import annotations

import codecs
import html
import re
from collections.abc import Iterator
from typing import Final
from xml.sax.saxutils import escape, quoteattr

import lxml.etree

from providers.errors import LayoutChanged

_LONGEST_TAG: Final = 20_000
_LONGEST_TEXT: Final = 20_000
_LONGEST_DATUM: Final = 200
_LONGEST_BASE: Final = 300
_MOST_ATTRIBUTES: Final = 50
_MOST_ENTRIES: Final = 20_000

_BYTE_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (b"\x00<\x00?", "utf-16-be"),
    (b"<\x00?\x00", "utf-16-le"),
)
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]{0,200}encoding=["']([A-Za-z0-9._-]{2,40})["']""")
# Some of Python's codecs, such as punycode, take the square of a text's length.
_QUICK_CODECS: Final = re.compile(
    r"(?:utf-8|ascii|iso8859-|cp\d|mac|koi8|gb|big5|euc|shift_jis|iso2022|johab|tis-620).*"
)
_FIRST_TAG: Final = re.compile(r"<[A-Za-z_]")
_ROOT: Final = re.compile(r"<(?:[\w.-]{1,40}:)?(?:rss|rdf|feed|channel)\b", re.IGNORECASE)
# Short values alone: of a long one, named often, a small feed would make gigabytes.
_ENTITY: Final = re.compile(r"""<!ENTITY\s++(\w{1,40})\s++["']([^"'<]{0,60})["']\s*+>""")
_ILLEGAL: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_MARKUP: Final = re.compile(
    r"<!\[CDATA\[(?P<verbatim>[^\]]*+(?:\](?!\]>)[^\]]*+)*+)(?:\]\]>)?"
    r"|(?P<nothing><!--[^-]*+(?:-(?!->)[^-]*+)*+(?:-->)?"
    r"|<![A-Za-z][^>\[]*+(?:\[[^\]]*+\]?)?[^>]*+>?"
    r"|<\?[^>]*+>?"
    # Tags of HTML without an end: in a text that should be escaped they would swallow the rest.
    r"|</?(?:br|hr|img|wbr|input)\b[^<>]*+>)"
    r"|(?P<bracket><(?!/?[A-Za-z_]))"
    r"|&(?!(?:lt|gt|amp|quot|apos|\#\d{1,7}|\#x[0-9A-Fa-f]{1,6});)(?:(?P<entity>\w{1,40});)?"
)
_TAG: Final = re.compile(r"""<[A-Za-z_](?:[^>"']++|"[^"]*+"|'[^']*+')*+""")

_PREFIXES: Final = {
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes:",
    "http://search.yahoo.com/mrss/": "media:",
    "http://search.yahoo.com/mrss": "media:",
    "http://purl.org/dc/elements/1.1/": "dc:",
    "http://purl.org/dc/terms/": "dcterms:",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf:",
    "http://www.w3.org/xml/1998/namespace": "xml:",
    "http://www.w3.org/2005/atom": "",
    "http://purl.org/atom/ns#": "",
    "http://purl.org/rss/1.0/": "",
    "http://my.netscape.com/rdf/simple/0.9/": "",
    "http://backend.userland.com/rss": "",
    "http://backend.userland.com/rss2": "",
    "http://blogs.law.harvard.edu/tech/rss": "",
    "": "",
}
# A broken feed forgets to declare its prefixes.
_USUAL_PREFIXES: Final = {"itunes", "media", "dc", "dcterms", "rdf", "xml"}
_DECLARATIONS: Final = "".join(
    f' xmlns:{name}="{address}"'
    for name, address in (
        ("itunes", "http://www.itunes.com/dtds/podcast-1.0.dtd"),
        ("media", "http://search.yahoo.com/mrss/"),
        ("dc", "http://purl.org/dc/elements/1.1/"),
        ("dcterms", "http://purl.org/dc/terms/"),
        ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    )
)
_ENTRIES: Final = frozenset({"item", "entry"})
_CONTAINERS: Final = _ENTRIES | {"channel", "image", "media:group", "media:content"}
_TEXTS: Final = frozenset(
    [
        "title",
        "link",
        "guid",
        "id",
        "url",
        "logo",
        "description",
        "summary",
        "subtitle",
        "tagline",
        "abstract",
        "dc:title",
        "dc:description",
        "itunes:summary",
        "itunes:subtitle",
        "media:title",
        "media:description",
    ]
)
_DATA: Final = frozenset(
    [
        "enclosure",
        "pubdate",
        "published",
        "issued",
        "updated",
        "modified",
        "dc:date",
        "dcterms:issued",
        "dcterms:modified",
        "itunes:season",
        "itunes:episode",
        "itunes:episodetype",
        "itunes:duration",
        "itunes:complete",
        "itunes:image",
    ]
)
_SWALLOWED: Final = frozenset({"enclosure", "guid", "link", "pubdate", "media:content"})
_XHTML: Final = frozenset({"xhtml", "application/xhtml+xml"})


def readable_markup(content: bytes) -> bytes:
    """The feed as UTF-8. Raises LayoutChanged when it is none, or too costly to be read."""
    text = _well_formed(_decoded(content))
    start = _ROOT.search(text) or _FIRST_TAG.search(text)
    if start is None:
        raise LayoutChanged("feed", "The address did not answer with an RSS or Atom feed.")
    if any(match.end() - match.start() > _LONGEST_TAG for match in _TAG.finditer(text)):
        raise LayoutChanged("feed", "The feed has a tag that is too long to be read.")
    parser = lxml.etree.XMLParser(
        encoding="utf-8", recover=True, resolve_entities=False, no_network=True, collect_ids=False
    )
    try:
        root = lxml.etree.fromstring(text[start.start() :].encode(), parser)
    except lxml.etree.XMLSyntaxError:
        root = None
    if root is None:
        raise LayoutChanged("feed", "The address did not answer with an RSS or Atom feed.")
    return "".join(_written(root)).encode()


def _decoded(content: bytes) -> str:
    marked = [name for mark, name in _BYTE_MARKS if content.startswith(mark)]
    declared = _DECLARED.match(content[:300])
    named = [declared[1].decode()] if declared and _is_quick(declared[1].decode()) else []
    for name in [*marked[:1], *named, "utf-8", "windows-1252"]:
        try:
            return content.decode(name)
        except UnicodeDecodeError:
            continue
    return content.decode("iso-8859-2")


def _is_quick(name: str) -> bool:
    try:
        return _QUICK_CODECS.fullmatch(codecs.lookup(name).name) is not None
    except LookupError:
        return False


def _well_formed(text: str) -> str:
    """The text with tags, references of XML and plain characters alone."""
    text = _ILLEGAL.sub("", text)
    first = _FIRST_TAG.search(text)
    head = text[: first.start()] if first else ""
    declared = {found[1]: found[2] for found in _ENTITY.finditer(head)}

    def replaced(found: re.Match[str]) -> str:
        if found["verbatim"] is not None:
            return escape(found["verbatim"])
        if found["nothing"]:
            return ""
        if found["bracket"]:
            return "&lt;"
        name = found["entity"]
        if not name:
            return "&amp;"
        meant = html.unescape(declared.get(name) or f"&{name};")
        return f"&amp;{name};" if meant.startswith("&") and len(meant) > 1 else escape(meant)

    return _MARKUP.sub(replaced, text)


def _written(root: lxml.etree._Element) -> Iterator[str]:
    """The root with its namespace, from which feedparser knows the kind of feed."""
    space = lxml.etree.QName(root).namespace or ""
    if _PREFIXES.get(space.lower()) != "":
        space = root.nsmap.get(None) or ""
    declared = f" xmlns={quoteattr(space)}" if space and _PREFIXES.get(space.lower()) == "" else ""
    name = lxml.etree.QName(root).localname.rpartition(":")[2].lower()
    yield f"<{name}{declared}{_DECLARATIONS}{_attributes(root)}>"
    yield from _children(root, [0])
    yield f"</{name}>"


def _children(parent: lxml.etree._Element, entry_count: list[int]) -> Iterator[str]:
    for child in parent:
        name = _name(child.tag)
        if name in _CONTAINERS:
            entry_count[0] += name in _ENTRIES
            if entry_count[0] > _MOST_ENTRIES:
                return
            yield f"<{name}{_attributes(child)}>"
            yield from _children(child, entry_count)
            yield f"</{name}>"
        elif name in _TEXTS or name in _DATA:
            longest = _LONGEST_TEXT if name in _TEXTS else _LONGEST_DATUM
            text = "".join(str(part) for part in child.itertext())[:longest]
            if child.get("type") in _XHTML:  # of which only the text is left
                text = escape(text)
            yield f"<{name}{_attributes(child)}>{escape(text)}</{name}>"
            yield from _swallowed(child)


def _swallowed(text: lxml.etree._Element) -> Iterator[str]:
    """What a text without an end took in: HTML in it that is not escaped, and not closed either."""
    for element in text.iterdescendants():
        name = _name(element.tag)
        if name in _SWALLOWED:
            content = escape(str(element.text or "")[:_LONGEST_TEXT])
            yield f"<{name}{_attributes(element)}>{content}</{name}>"


def _attributes(element: lxml.etree._Element) -> str:
    written: dict[str, str] = {}
    for tag, value in element.attrib.items()[:_MOST_ATTRIBUTES]:
        name = _name(tag)
        if name == "type" and value in _XHTML:
            written[name] = ' type="html"'
        # Every address of an entry is joined to the base.
        elif name and not (name == "xml:base" and len(value) > _LONGEST_BASE):
            written.setdefault(name, f" {name}={quoteattr(str(value))}")
    return "".join(written.values())


def _name(tag: object) -> str:
    """A name in lower case with the prefix that we declare; "" for what nobody reads."""
    if not isinstance(tag, str):
        return ""  # a comment
    space, _, local = tag.rpartition("}")
    prefix = _PREFIXES.get(space[1:].lower())
    given, colon, rest = local.partition(":")
    if colon:
        prefix, local = (f"{given}:", rest) if given in _USUAL_PREFIXES else ("", rest)
        if given not in {*_USUAL_PREFIXES, "atom"}:
            return ""
    return "" if prefix is None else (prefix + local).lower()
