from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from providers.errors import ProviderError
from providers.feeds import Feed, parse_feed, plain_text
from providers.sites.feed import list_of

URL = "https://feeds.example/show.xml"
FILE = '<enclosure url="https://files.example/a.mp4" type="video/mp4" length="1"/>'
REAL_FEEDS = os.environ.get("TSUZUKU_REAL_DATA", "")


def one(inside: str, before: str = "") -> Feed:
    body = (
        f'{before}<rss version="2.0"><channel><title>t</title><item>{inside}{FILE}</item>'
        "</channel></rss>"
    )
    return parse_feed(body.encode("utf-8", "surrogatepass"), URL)


def test_the_body_is_never_taken_for_an_address_or_a_file(tmp_path: Path) -> None:
    feed = tmp_path / "feed.xml"
    feed.write_text(f"<rss><channel><item><title>secret</title>{FILE}</item></channel></rss>")
    for body in (str(feed).encode(), feed.as_uri().encode(), b"/etc/passwd"):
        with pytest.raises(ProviderError):
            parse_feed(body, URL)


def test_external_entities_are_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("the-secret")
    doctype = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e SYSTEM "{secret.as_uri()}">]>'
    (item,) = one("<title>a&e;b</title>", doctype).items
    assert "the-secret" not in item.title


def test_entities_do_not_multiply() -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    doctype = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e0 "lol">{levels}]>'
    (item,) = one("<title>&e9;</title>", doctype).items
    assert len(item.title) <= 300


def test_one_huge_entity_does_not_multiply() -> None:
    doctype = f'<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY e "{"x" * 100_000}">]>'
    (item,) = one("<title>" + "&e;" * 10_000 + "</title>", doctype).items
    assert len(item.title) <= 300


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "inside",
    [
        "<a>" * 20_000,
        "<title>" * 3000 + "x",
        "<title>" + "&amp;" * 50_000 + "</title>",
        "<title>" + "<![CDATA[" * 5000,
        "<!--" * 20_000,
        "<title " + "a='b' " * 5000 + ">x</title>",
        f"<description>{'&lt;div&gt;' * 5000}</description>",
    ],
    ids=["deep", "open titles", "entities", "cdata", "comments", "attributes", "deep html"],
)
def test_hostile_markup_ends(inside: str) -> None:
    try:
        feed = one(inside)
    except ProviderError:
        return
    assert len(feed.items) <= 1


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Three &lt;b&gt;moons&lt;/b&gt; &amp;amp; more", "Three moons & more"),
        ("<![CDATA[<i>Low</i> tide]]>", "Low tide"),
        ("2 &lt; 3 &amp; 4", "2 < 3 & 4"),
        ("Tom &amp;lt;3 R&amp;amp;B &amp;eacute; AT&amp;T", "Tom <3 R&B é AT&T"),
    ],
)
def test_a_title_is_read_without_its_tags(written: str, read: str) -> None:
    assert one(f"<title>{written}</title>").items[0].title == read


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=80))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=60)
def test_any_title_gives_storable_text(title: str) -> None:
    escaped = title.replace("&", "&amp;").replace("<", "&lt;")
    for item in one(f"<title>{escaped}</title><guid>{escaped}</guid>").items:
        assert item.title.encode().decode() == item.title
        assert "\x00" not in item.title + item.ref
        assert item.ref.encode()


@given(st.binary(max_size=400))
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=100)
def test_any_bytes_give_a_feed_or_an_error(content: bytes) -> None:
    try:
        feed = parse_feed(content, URL)
    except ProviderError:
        return
    assert feed.items == () or feed.entry_count


@pytest.mark.parametrize(
    ("inside", "seconds"),
    [
        ("<itunes:duration>62:03</itunes:duration>", 3723.0),
        ("<itunes:duration>3723</itunes:duration>", 3723.0),
        ("<itunes:duration>0</itunes:duration>", None),
        ("<itunes:duration>later</itunes:duration>", None),
        ("<itunes:duration>99999999999999999999</itunes:duration>", None),
    ],
)
def test_durations_are_seconds(inside: str, seconds: float | None) -> None:
    assert one(inside).items[0].duration_seconds == seconds


@pytest.mark.parametrize(
    "date", ["yesterday", "Mon, 99 Nov 2026 10:00:00 GMT", "Fri, 01 Jan 99999 00:00:00 GMT", ""]
)
def test_impossible_dates_are_left_out(date: str) -> None:
    assert len(one(f"<pubDate>{date}</pubDate>").items) == 1


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<p>One</p>\n\n\n<p>Two &amp; three</p>", "One\n\nTwo & three"),
        ("plain", "plain"),
        ("<script>x()</script>", "x()"),
        ("<!-- only -->", ""),
        ("<", "<"),
        ("", ""),
    ],
)
def test_markup_becomes_text(markup: str, text: str) -> None:
    assert plain_text(markup) == text


def numbers_of(feed_title: str, *titles: str) -> list[str | None]:
    """The numbers read from these titles, of a feed that puts its newest entry first."""
    entries = "".join(
        f"<item><title>{title}</title><guid>g{place}</guid>"
        f'<enclosure url="https://h.example/{place}.mp4" type="video/mp4" length="1"/></item>'
        for place, title in enumerate(reversed(titles))
    )
    feed = f"<rss version='2.0'><channel><title>{feed_title}</title>{entries}</channel></rss>"
    items = parse_feed(feed.encode(), "https://h.example/feed.xml").items
    assert [item.title for item in items] == list(titles)
    return [None if item.number is None else str(item.number) for item in items]


@pytest.mark.parametrize(
    ("titles", "numbers"),
    [
        (("Slow Show 1", "Slow Show 2", "Slow Show 3"), ["1", "2", "3"]),
        (("Show 12", "Show 12.5", "Show 13"), ["12", "12.5", "13"]),
        (("7", "8"), ["7", "8"]),
        (("Show 01 VOSTFR 1080p", "Show 02v2 VOSTFR 1080p"), ["1", "2"]),
        (("Show 1: The Sea", "Show 2 - The Shore", "Show 3 [720p]"), ["1", "2", "3"]),
        (("Catch 22 1", "Catch 22 2"), ["1", "2"]),
        (("Show 1", "Show 2", "Behind the scenes"), ["1", "2", None]),
    ],
)
def test_numbers_behind_the_same_words_are_read(titles: tuple[str, ...], numbers: object) -> None:
    assert numbers_of("A feed", *titles) == numbers


@pytest.mark.parametrize(
    "titles",
    [
        ("Area 51: Part one", "Area 51: Part two"),
        ("Top 10 songs", "Top 5 dogs"),
        ("Talk 2024-01-05", "Talk 2024-01-12"),
        ("Concert 2023", "Concert 2024"),
        ("Area 51", "The gate", "Catch 22"),
    ],
)
def test_numbers_that_count_nothing_are_not_read(titles: tuple[str, ...]) -> None:
    assert set(numbers_of("A feed", *titles)) == {None}


def test_a_single_entry_is_numbered_when_it_begins_like_its_feed() -> None:
    assert numbers_of("Demo Show", "Demo Show 7") == ["7"]
    assert numbers_of("A feed", "Area 51") == [None]


@pytest.mark.parametrize(
    ("inside", "link"),
    [
        ("<link>https://h.example/12</link><guid>fr-12</guid>", "https://h.example/12"),
        ("<guid>https://h.example/g12</guid>", "https://h.example/g12"),
        ("<guid>fr-12</guid>", "https://h.example/12.mp4"),
        ('<guid isPermaLink="false">fr-12</guid>', "https://h.example/12.mp4"),
    ],
)
def test_an_entry_without_a_page_leads_to_its_file(inside: str, link: str) -> None:
    media = '<enclosure url="https://h.example/12.mp4" type="video/mp4" length="1"/>'
    item = f"<item><title>Episode 12</title>{inside}{media}</item>"
    feed = f"<rss version='2.0'><channel><title>Show</title>{item}</channel></rss>"
    (read,) = parse_feed(feed.encode(), "https://h.example/feed.xml").items
    assert read.link == link


@pytest.mark.skipif(
    not REAL_FEEDS, reason="TSUZUKU_REAL_DATA names no folder with saved feeds; none ship with us"
)
def test_saved_feeds_of_others_are_read() -> None:
    expected = {
        "flexget_rss.xml": 1,
        "miniflux_small_atom.xml": 0,
        "nyaa_2021_torrent-feed.xml": 0,
        "podcastparser_episode_season.rss": 1,
        "podcastparser_media_episode_thumbnail_atom_group.rss": 0,
        "podcastparser_mediarss.rss": 1,
        "podcastparser_multi_enclosures.rss": 1,
        "podcastparser_no_guid.rss": 1,
    }
    for name, count in expected.items():
        feed = parse_feed((Path(REAL_FEEDS) / "rss" / name).read_bytes(), URL)
        episodes, _ = list_of(feed, {})
        assert len(episodes) == count, name
    assert parse_feed(
        (Path(REAL_FEEDS) / "rss" / "nyaa_2021_torrent-feed.xml").read_bytes(), URL
    ).has_torrents
