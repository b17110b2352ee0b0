from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from urllib.parse import urlsplit

import pytest

from providers.errors import LayoutChanged, NotASeries, NotFound
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.sites.feed import FeedAdapter
from providers.streams import StreamKind
from providers.tests.origin import Origin, serves
from providers.types import AiringStatus, EpisodeListing, PageValidator

HEAD = (
    '<rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"'
    ' xmlns:media="http://search.yahoo.com/mrss/"><channel><title>Harbour Lights</title>'
    "<description>&lt;p&gt;Boats &amp;amp; people&lt;/p&gt;</description>"
    "<image><url>/cover.png</url></image>"
)


def item(title: str, *inside: str, guid: str = "") -> str:
    guid = guid or title
    file = f'<enclosure url="https://files.example/{guid}.mp4" type="video/mp4" length="9"/>'
    return f"<item><title>{title}</title><guid>{guid}</guid>{''.join(inside) or file}</item>"


def rss(*items: str, head: str = HEAD) -> bytes:
    return f"{head}{''.join(items)}</channel></rss>".encode()


@pytest.fixture
def adapter(origin: Origin, policy: EgressPolicy) -> FeedAdapter:
    return FeedAdapter(SiteHttpClient("", policy, deadline_seconds=5))


def listed(adapter: FeedAdapter, origin: Origin, body: bytes) -> tuple[EpisodeListing, ...]:
    origin.answers["/show/feed.xml"] = serves(body, Content_Type="application/rss+xml")
    return adapter.list_episodes(f"{origin.url}/show/feed.xml", "original", {}).episodes


@pytest.mark.parametrize(
    ("url", "ref", "guess"),
    [
        (
            "https://Pod.Example/harbour-lights/feed.xml#x",
            "https://pod.example/harbour-lights/feed.xml",
            "harbour lights",
        ),
        ("https://pod.example", "https://pod.example/", "pod.example"),
        ("https://pod.example/rss?show=1", "https://pod.example/rss?show=1", "pod.example"),
    ],
)
def test_any_address_may_be_a_feed(url: str, ref: str, guess: str) -> None:
    located = FeedAdapter.locate(urlsplit(url), "")
    assert (located.series_ref, located.url, located.title_guess) == (ref, ref, guess)
    assert FeedAdapter.url_of(ref, "") == ref
    assert FeedAdapter.with_language(ref, "vf") == ref


def test_details_come_from_the_head_of_the_feed(adapter: FeedAdapter, origin: Origin) -> None:
    head = HEAD + "<itunes:complete>Yes</itunes:complete>"
    origin.answers["/f"] = serves(rss(item("Ep. 1"), head=head))
    found = adapter.details(f"{origin.url}/f", "original")
    assert found.title == "Harbour Lights"
    assert found.synopsis == "Boats & people"
    assert found.poster_url == f"{origin.url}/cover.png"
    assert found.airing_status is AiringStatus.FINISHED


@pytest.mark.parametrize(
    ("title", "season", "number"),
    [
        ("Harbour S02E05 The tide", 2, "5"),
        ("Harbour s02e05.5", 2, "5.5"),
        ("Ep. 5", 1, "5"),
        ("Episode 12.5: half", 1, "12.5"),
        ("Épisode 7", 1, "7"),
        ("Saison 3 épisode 7", 3, "7"),
        ("#7 The tide", 1, "7"),
        ("[Group] Harbour - 12 [720p].mkv", 1, "12"),
        ("Harbour - 12v2 (1080p)", 1, "12"),
        ("Harbour - 12", 1, "12"),
        ("Ep 0", 1, "0"),
        ("Ep. 1,234", 1, "1234"),
        ("Harbour 1x05", 1, "5"),
        ("E12 - The tide", 1, "12"),
        ("Ep12 The tide", 1, "12"),
        ("No. 5: The tide", 1, "5"),
        ("Harbour \u2014 07", 1, "7"),
        ("[Group] Harbour - 12 END [720p]", 1, "12"),
        ("[Group] Harbour - 12 FIN", 1, "12"),
        ("Harbour - 01 VOSTFR", 1, "1"),
        ("Harbour - 12-13 [1080p]", 1, "12"),
    ],
)
def test_numbers_are_read_from_titles(
    *, adapter: FeedAdapter, origin: Origin, title: str, season: int, number: str
) -> None:
    (episode,) = listed(adapter, origin, rss(item(title, guid="g")))
    assert (episode.season, episode.number) == (season, Decimal(number))
    assert not episode.is_special


@pytest.mark.parametrize(
    "title",
    [
        "Blade Runner 2049",
        "1080p",
        "Top 10 boats",
        "A - B",
        "S2",
        "Concert - 2024 - live",
        "E3 news",
        "1920x1080",
    ],
)
def test_other_numbers_in_titles_are_no_episodes(
    adapter: FeedAdapter, origin: Origin, title: str
) -> None:
    episodes = listed(adapter, origin, rss(item("Ep. 4", guid="4"), item(title, guid="x")))
    assert episodes[0].is_special
    assert (episodes[0].season, episodes[0].number) == (0, Decimal(1))
    assert episodes[1].number == Decimal(4)


def test_podcast_tags_win_over_titles(adapter: FeedAdapter, origin: Origin) -> None:
    tags = "<itunes:season>3</itunes:season><itunes:episode>9</itunes:episode>"
    file = '<enclosure url="https://files.example/a.mp3" type="audio/mpeg" length="5"/>'
    extra = "<itunes:duration>1:02:03</itunes:duration>"
    bonus = "<itunes:episodeType>bonus</itunes:episodeType>"
    body = rss(item("Ep. 1", tags, file, extra, guid="a"), item("Extra", file, bonus, guid="b"))
    special, episode = listed(adapter, origin, body)
    assert (episode.season, episode.number, episode.duration_seconds) == (3, Decimal(9), 3723.0)
    assert (special.season, special.number, special.is_special) == (0, Decimal(1), True)


def test_the_oldest_comes_first(adapter: FeedAdapter, origin: Origin) -> None:
    dated = [
        item("new", "<pubDate>Tue, 03 Nov 2026 10:00:00 +0100</pubDate>", _file("n"), guid="n"),
        item("old", "<pubDate>Mon, 02 Nov 2026 10:00:00 GMT</pubDate>", _file("o"), guid="o"),
    ]
    for body in (rss(*dated), rss(*reversed(dated)), rss(item("new"), item("old"))):
        episodes = listed(adapter, origin, body)
        assert [each.title for each in episodes] == ["old", "new"]
        assert [each.number for each in episodes] == [1, 2]
    published = listed(adapter, origin, rss(*dated))[1].published_at
    assert published == datetime(2026, 11, 3, 9, tzinfo=UTC)


def test_one_missing_date_does_not_turn_the_order_round(
    adapter: FeedAdapter, origin: Origin
) -> None:
    dates = ("Mon, 02 Nov 2026 10:00:00 GMT", "Tue, 03 Nov 2026 10:00:00 GMT")
    first, last = (
        item(f"on {date[:3]}", f"<pubDate>{date}</pubDate>", _file(date[:3])) for date in dates
    )
    undated = item("some day")
    for body in (rss(first, undated, last), rss(last, undated, first)):
        titles = [each.title for each in listed(adapter, origin, body)]
        assert titles == ["on Mon", "some day", "on Tue"]


def test_media_are_known_by_their_medium_alone(adapter: FeedAdapter, origin: Origin) -> None:
    files = '<media:content url="https://files.example/show?id=5" medium="video"/>'
    (episode,) = listed(adapter, origin, rss(item("Ep. 1", files, guid="g")))
    assert episode.ref == "g"


def _file(name: str) -> str:
    return f'<enclosure url="https://files.example/{name}.mp4" type="video/mp4" length="1"/>'


def test_the_count_goes_on_when_old_entries_leave_the_feed(
    adapter: FeedAdapter, origin: Origin
) -> None:
    url = f"{origin.url}/f"
    known: dict[str, PageValidator] = {}
    numbers: dict[str, Decimal] = {}
    for newest in range(3, 30, 4):
        window = [item(f"night {name}", guid=str(name)) for name in range(newest, newest - 3, -1)]
        origin.answers["/f"] = serves(rss(*window[: min(3, newest)]))
        found = adapter.list_episodes(url, "original", known)
        known = dict(found.validators)
        for episode in found.episodes:
            assert numbers.setdefault(episode.ref, episode.number) == episode.number
    origin.answers["/f"] = serves(
        rss(*[item(f"night {name}", guid=str(name)) for name in (29, 28, 27, 26)])
    )
    again = adapter.list_episodes(url, "original", known).episodes
    for episode in again:
        assert numbers.setdefault(episode.ref, episode.number) == episode.number


class Readings:
    """One feed read again and again, each time with what was remembered of it."""

    def __init__(self, adapter: FeedAdapter, origin: Origin) -> None:
        self.adapter, self.origin = adapter, origin
        self.known: dict[str, PageValidator] = {}

    def numbers(self, *names: object, extra: str = "") -> dict[str, Decimal]:
        """Read a feed with these entries, the newest first; the numbers by guid."""
        self.origin.answers["/f"] = serves(
            rss(
                *(
                    item(f"the {name}th night", _file(str(name)), extra, guid=str(name))
                    for name in names
                )
            )
        )
        found = self.adapter.list_episodes(f"{self.origin.url}/f", "original", self.known)
        self.known = dict(found.validators)
        return {episode.ref: episode.number for episode in found.episodes}


def test_an_entry_that_is_withdrawn_does_not_disturb_the_count(
    adapter: FeedAdapter, origin: Origin
) -> None:
    readings = Readings(adapter, origin)
    assert readings.numbers(*range(20, 0, -1))["20"] == 20
    assert readings.numbers(*range(19, 0, -1))["19"] == 19
    assert readings.numbers(22, *range(19, 0, -1))["22"] == 21
    assert readings.numbers(23, *range(19, 0, -1))["23"] == 22
    assert readings.numbers(25, 24, 23, *range(19, 3, -1))["25"] == 24


def test_specials_are_counted_on_when_old_ones_leave_the_feed(
    adapter: FeedAdapter, origin: Origin
) -> None:
    readings = Readings(adapter, origin)
    bonus = "<itunes:episodeType>bonus</itunes:episodeType>"
    numbers: dict[str, Decimal] = {}
    for newest in range(3, 20):
        numbers |= readings.numbers(newest, newest - 1, newest - 2, extra=bonus)
    assert numbers == {str(n): Decimal(n) for n in range(1, 20)}


def test_one_title_with_a_number_makes_no_specials_of_the_others(
    adapter: FeedAdapter, origin: Origin
) -> None:
    body = rss(item("Talk C", guid="c"), item("Recap of episode 5", guid="b"), item("A", guid="a"))
    assert [(each.season, each.number) for each in listed(adapter, origin, body)] == [
        (1, Decimal(1)),
        (1, Decimal(2)),
        (1, Decimal(3)),
    ]


def test_the_count_outlives_a_reading_that_does_not_need_it(
    adapter: FeedAdapter, origin: Origin
) -> None:
    readings = Readings(adapter, origin)
    readings.numbers("d", "c", "b", "a")
    origin.answers["/f"] = serves(rss(item("Ep. 9", guid="n"), item("Ep. 8", guid="m")))
    readings.known = dict(
        adapter.list_episodes(f"{origin.url}/f", "original", readings.known).validators
    )
    assert readings.numbers("f", "e") == {"e": Decimal(5), "f": Decimal(6)}


def test_identity_is_the_guid_then_the_file(adapter: FeedAdapter, origin: Origin) -> None:
    bare = "<item><title>x</title>{}</item>"
    body = rss(
        item("a", guid="guid-a"),
        bare.format(_file("b")),
        item("c", _file("c"), guid="same"),
        item("d", _file("d"), guid="same"),
        item("e", guid="long" * 200),
    )
    refs = [episode.ref for episode in reversed(listed(adapter, origin, body))]
    assert refs[:4] == [
        "guid-a",
        "https://files.example/b.mp4",
        "https://files.example/c.mp4",
        "https://files.example/d.mp4",
    ]
    assert refs[4].startswith("sha256:")
    assert len(set(refs)) == 5


def test_identity_survives_a_special_between_the_others(
    adapter: FeedAdapter, origin: Origin
) -> None:
    before = listed(adapter, origin, rss(item("Ep. 2", guid="2"), item("Ep. 1", guid="1")))
    after = listed(
        adapter, origin, rss(item("Ep. 2", guid="2"), item("Making of"), item("Ep. 1", guid="1"))
    )
    facts = {each.ref: (each.season, each.number) for each in after}
    assert {each.ref: (each.season, each.number) for each in before}.items() <= facts.items()


def test_several_files_are_sources_best_first(adapter: FeedAdapter, origin: Origin) -> None:
    files = (
        '<enclosure url="https://files.example/a.mp3" type="audio/mpeg" length="999999"/>'
        "<media:group>"
        '<media:content url="https://files.example/480.mp4" type="video/mp4" height="480"/>'
        '<media:content url="/1080.mp4?x=1" type="" height="1080"/>'
        '<media:content url="https://files.example/list.m3u8" type="application/x-mpegURL"/>'
        '<media:content url="https://files.example/x.torrent" type="application/x-bittorrent"/>'
        '<media:content url="https://files.example/still.mp4" medium="image"/>'
        '<media:content url="file:///etc/passwd.mp4" type="video/mp4"/>'
        "</media:group>"
    )
    origin.answers["/f"] = serves(rss(item("Ep. 1", files, guid="g")))
    found = adapter.resolve(f"{origin.url}/f", "g", "original")
    assert [(source.url.rpartition("/")[2], source.height) for source in found] == [
        ("1080.mp4?x=1", 1080),
        ("480.mp4", 480),
        ("list.m3u8", None),
    ], "the sound alone is no episode"
    assert found[0].url == f"{origin.url}/1080.mp4?x=1"
    assert found[2].kind is StreamKind.HLS


def test_relative_addresses_follow_xml_base(adapter: FeedAdapter, origin: Origin) -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://media.example/v/">'
        "<title>F</title><entry><id>1</id><title>One</title>"
        '<link rel="enclosure" type="video/webm" href="one.webm"/></entry></feed>'
    )
    origin.answers["/f"] = serves(body.encode())
    (episode,) = adapter.list_episodes(f"{origin.url}/f", "original", {}).episodes
    (source,) = adapter.resolve(f"{origin.url}/f", episode.ref, "original")
    assert source.url == "https://media.example/v/one.webm"


def test_an_entry_that_left_the_feed_is_not_found(adapter: FeedAdapter, origin: Origin) -> None:
    origin.answers["/f"] = serves(rss(item("Ep. 1")))
    with pytest.raises(NotFound):
        adapter.resolve(f"{origin.url}/f", "gone", "original")


def test_an_unchanged_feed_is_not_read_again(adapter: FeedAdapter, origin: Origin) -> None:
    origin.answers["/f"] = serves(rss(item("a")), ETag='"1"')
    first = adapter.list_episodes(f"{origin.url}/f", "original", {})
    second = adapter.list_episodes(f"{origin.url}/f", "original", first.validators)
    assert second.unchanged
    assert second.validators == first.validators
    assert origin.header("If-None-Match") == '"1"'


def test_torrents_are_refused_with_the_reason(adapter: FeedAdapter, origin: Origin) -> None:
    for link in (
        "<link>https://t.example/1.torrent</link>",
        '<enclosure url="magnet:?xt=urn:btih:1" type="application/x-bittorrent" length="1"/>',
        '<enclosure url="https://t.example/dl/1" type="application/x-bittorrent" length="1"/>',
    ):
        with pytest.raises(NotASeries, match="torrents"):
            listed(adapter, origin, rss(item("Ep. 1", link)))


def test_a_feed_of_articles_is_refused_with_the_reason(
    adapter: FeedAdapter, origin: Origin
) -> None:
    with pytest.raises(NotASeries, match="no video or audio"):
        listed(adapter, origin, rss(item("News", "<link>https://x.example/a</link>")))


def test_a_feed_without_entries_is_an_empty_list(adapter: FeedAdapter, origin: Origin) -> None:
    assert listed(adapter, origin, rss()) == ()


@pytest.mark.parametrize(
    "body", [b"", b"<html><body>Log in</body></html>", b"{}", b"\x00\x01\x02", b"plain text"]
)
def test_what_is_no_feed_is_a_changed_page(
    adapter: FeedAdapter, origin: Origin, body: bytes
) -> None:
    with pytest.raises(LayoutChanged):
        listed(adapter, origin, body)
