from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from providers.errors import LayoutChanged, Licensed, NotFound
from providers.sites import animeultime_v4 as v4
from providers.sites import animeultime_v5 as v5
from providers.sites.animeultime_files import language_of, listings, named, season_of
from providers.tests.sites.real_pages import real_page
from providers.types import AiringStatus

URL = "https://v5.site.example/x.html"
SEARCH = [
    {"id": 41, "title": "Le Phare &amp;amp; l&amp;#039;été", "type": "Anime", "format": "Episode",
     "url": "https://v5.anime-ultime.net/Le-Phare-streaming.html", "number": "2/12",
     "img_url": "https://img.example/41_thindex.png"},
    {"id": "42", "title": "Le Phare &amp; l'été [Saison 2]", "type": "Anime", "format": "Episode",
     "url": "https://v5.anime-ultime.net/le-phare-saison-2-streaming.html", "number": "3/3"},
    {"id": 44, "title": "Le Phare", "type": "OST", "format": "OST", "url": "/a-streaming.html"},
]  # fmt: skip


def _file(number: str, group: str, href: str) -> str:
    return (
        f'<li class="file"><div class="number"><label>{number}</label></div>'
        f'<div class="fansub"><label>{group}</label></div>'
        f'<a href="/Le-Phare-streaming-{href}.html">Voir</a></li>'
    )


SERIES_PAGE = (
    '<html><head><meta property="og:image" content="/img/41.png"></head><body>'
    "<h1>Le Phare &amp; l'été</h1><div class='AUVideoPlayer' data-serie='41'></div>"
    '<div data-target="synopsis">Une gardienne.</div><div data-target="info"><ul>'
    "<li>Année de production : 2026</li><li>Genre : Drame | Mer</li></ul></div>"
    '<ul class="ficheDownload">'
    + _file("Episode 01", "Kumo", "Episode-01-vostfr-par-Kumo")
    + _file("Episode 01", "Brume", "Episode-01-vostfr-par-Brume")
    + _file("Episode 01", "Kumo", "Episode-01-vf-par-Kumo")
    + _file("Episode 02", "Kumo", "Episode-02-vostfr-par-Kumo")
    + _file("OAV", "Kumo", "OAV-01-vostfr-par-Kumo").replace(">OAV<", ">OAV 01<")
    + "</ul></body></html>"
)
EPISODE_PAGE = (
    '<h1>Le Phare 02</h1><div class="AUVideoPlayer" data-serie="41" data-focus="412"></div>'
    '<iframe src="https://video.sibnet.ru/shell.php?videoid=9"></iframe>'
)
PLAYER = {
    "720p": {"mp4": {"url": "/T/720"}},
    "1080p": {
        "mp4": {"url": "https://files.example/T/1080%2Fa"},
        "webm": {"url": "https://files.example/T/1080w"},
    },
    "quality": "720p",
    "title": "Le Phare 02",
    "playlist": [
        {"id": 411, "title": "Le Phare 01"},
        {"id": 412, "title": "Le Phare 02"},
        {"id": 413, "title": "Le Phare 01 vf"},
        {"id": 414, "title": "Le Phare 02"},
        {"id": 415, "title": "Le Phare OAV 01"},
    ],
}
OLD_SEARCH = """<html><div class="title">Recherche</div><table class="jtable"><tr><th>Nom</th></tr>
<tr><td onmouseover="show('img=images/img41.png')"><a href="file-0-1/41-Le-Phare">Le Phare</a></td>
<td>Episode</td><td>02/12</td><td>4.5/5</td></tr>
<tr><td><a href="file-0-1/43-L-ete"><b>L'été</b></a></td><td>Film</td><td>1/1</td></tr>
<tr><td><a href="file-0-1/44-Le-Phare-OST">Le Phare</a></td><td>OST</td></tr></table></html>"""
OLD_SERIES = """<html><head><meta property="og:image" content="/images/img41.png"></head><body>
<h1>Le Phare &amp; l'été</h1><div class="principal_contain">TITRE ORIGINAL : Kiri no Toudai<br/>
ANNÉE(S) DE PRODUCTION : 2026 - 2027<br/>STUDIO : [Sarcelle]<br/>GENRES : [Drame] [Mer]<br/>[Auteur]
<br/>Une gardienne reçoit chaque nuit un message venu d'un navire disparu, et part à sa recherche.
</div><table><tr><td><a href="info-0-1/411/Le-Phare-01-vostfr">01</a></td></tr>
<tr><td><a href="info-0-1/412/Le-Phare-01-vf">01</a></td></tr>
<tr><td><a href="info-0-1/413/Le-Phare-02-vostfr">02</a>
<a href="info-0-1/413/Le-Phare-02-vostfr">x</a></td></tr></table></body></html>"""
OLD_PLAYLIST = """<rss version="2.0"><channel><title>Playlist</title>
<item><title>Le Phare &amp; l'été 01</title><description>Fansub Par Kumo</description>
<pubDate>2026-08-29T18:45:50+01:00</pubDate><media:content url="/stream-11.mp4" duration="1444" />
<jwplayer:mediaid>8817</jwplayer:file><jwplayer:file>/stream-12.mp4</jwplayer:file>
<jwplayer:hd.file>/stream-11.mp4</jwplayer:hd.file></item>
<item><title>Le Phare &amp; l'été 02</title>
<media:content url="/stream-21.mp4" duration="0"/></item>
</channel></rss>"""


@pytest.mark.parametrize(
    ("label", "name", "number", "is_regular"),
    [
        ("Episode 08", "Episode 8", Decimal(8), True),
        ("Terra E... 01", "Episode 1", Decimal(1), True),
        ("Le Phare 12.5 vostfr", "Episode 12.5", Decimal("12.5"), True),
        ("Le Phare - 07 [VF]", "Episode 7", Decimal(7), True),
        ("OAV", "OAV", None, False),
        ("Le Phare oav 02 vf", "OAV 2", Decimal(2), False),
        ("Film", "Film", None, False),
        ("Le filmeur 03", "Episode 3", Decimal(3), True),
        ("Le Phare", "Le Phare", None, False),
        ("Episode 08 v2", "Episode 8", Decimal(8), True),
        ("Terra E... 08v2", "Episode 8", Decimal(8), True),
        ("Episode 12 FIN", "Episode 12", Decimal(12), True),
        ("Le Phare 12 [FIN] vostfr", "Episode 12", Decimal(12), True),
        ("Episode 01 HD", "Episode 1", Decimal(1), True),
        ("Episode 7 (1080p)", "Episode 7", Decimal(7), True),
        # Two in one file count as the last of them.
        ("Episode 12-13", "Episode 13", Decimal(13), True),
        ("Special A 05 vostfr", "Episode 5", Decimal(5), True),
        ("Film Noir - 03 vostfr", "Episode 3", Decimal(3), True),
        ("Bonus Stage Episode 4", "Episode 4", Decimal(4), True),
        ("Special A OAV 02", "OAV 2", Decimal(2), False),
        ("Le Phare [OAV 2]", "OAV 2", Decimal(2), False),
        ("Le Phare OAV - Episode 02 v2", "OAV 2", Decimal(2), False),
        ("Film n°10", "Film 10", Decimal(10), False),
        ("Special A OAV", "OAV", None, False),
    ],
)
def test_labels_become_names(
    label: str,
    name: str,
    number: Decimal | None,
    is_regular: bool,  # noqa: FBT001 -- a column of the table above
) -> None:
    assert named(label) == (name, number, is_regular)


@pytest.mark.parametrize(
    ("label", "lang"),
    [
        ("X-01-vf-par-Y", "vf"),
        ("X 01 VF", "vf"),
        ("X-01-vostfr", "vostfr"),
        ("Vfx 01", "vostfr"),
        ("X-streaming-Episode-01-vostfr-par-Team-VF.html Episode 01", "vostfr"),
    ],
)
def test_the_language_is_in_the_label(label: str, lang: str) -> None:
    assert language_of(label) == lang


def test_the_season_is_in_the_title_or_the_address() -> None:
    assert season_of("Le Phare [Saison 2]") == 2
    assert season_of("Le Phare", "le-phare-saison-3-streaming") == 3
    assert season_of("Le Phare 7") == 1


def test_search_results_are_read_and_music_left_out() -> None:
    first, second = v5.parse_hits(SEARCH, URL)
    assert (first.series_id, first.page) == ("41", "Le-Phare-streaming")
    assert first.title == "Le Phare & l'été"
    assert first.airing_status is AiringStatus.AIRING
    assert second.airing_status is AiringStatus.FINISHED
    assert v5.parse_hits([], URL) == []
    others: list[object] = ["text", [1], None]
    for value in others:
        with pytest.raises(LayoutChanged):
            v5.parse_hits(value, URL)


def test_the_series_page_names_group_language_and_address() -> None:
    found = v5.parse_series(SERIES_PAGE, URL)
    assert (found.series_id, found.title) == ("41", "Le Phare & l'été")
    assert (found.synopsis, found.genres) == ("Une gardienne.", ("Drame", "Mer"))
    assert found.poster_url == "https://v5.site.example/img/41.png"
    assert [(f.name, f.lang, f.group) for f in found.files] == [
        ("Episode 1", "vostfr", "Kumo"),
        ("Episode 1", "vostfr", "Brume"),
        ("Episode 1", "vf", "Kumo"),
        ("Episode 2", "vostfr", "Kumo"),
        ("OAV 1", "vostfr", "Kumo"),
    ]
    assert found.files[0].url.endswith("/Le-Phare-streaming-Episode-01-vostfr-par-Kumo.html")


def test_extras_stay_behind_the_episode_they_are_listed_behind() -> None:
    files = list(v5.parse_series(SERIES_PAGE, URL).files)
    found = [entry.ref for entry in listings([files[4], *files[3::-1]], 1)]
    assert found == ["OAV 1", "Episode 1", "Episode 2"]


def test_the_player_lists_and_plays() -> None:
    found = v5.parse_player(PLAYER, URL)
    assert found.streams == (
        (1080, "https://files.example/T/1080%2Fa"),
        (1080, "https://files.example/T/1080w"),
        (720, "https://v5.site.example/T/720"),
    )
    assert [(f.file_id, f.name, f.lang) for f in found.files] == [
        ("411", "Episode 1", "vostfr"),
        ("412", "Episode 2", "vostfr"),
        ("413", "Episode 1", "vf"),
        ("414", "Episode 2", "vostfr"),
        ("415", "OAV 1", "vostfr"),
    ]


def test_the_player_says_why_it_does_not_play() -> None:
    with pytest.raises(Licensed):
        v5.parse_player({"error": "Série licenciée"}, URL)
    with pytest.raises(NotFound):
        v5.parse_player({"error": "Fichier introuvable"}, URL)
    others: list[object] = [{}, {"720p": {"mp4": False}}, [], "text"]
    for value in others:
        with pytest.raises(LayoutChanged):
            v5.parse_player(value, URL)


def test_an_episode_page_names_its_file_and_frames() -> None:
    found = v5.parse_episode(EPISODE_PAGE, URL)
    assert (found.series_id, found.file_id) == ("41", "412")
    assert found.players == ("https://video.sibnet.ru/shell.php?videoid=9",)
    assert v5.parse_episode('<a data-idfile="7">x</a>', URL).file_id == "7"
    with pytest.raises(LayoutChanged, match="player"):
        v5.parse_episode("<p>nothing</p>", URL)


def test_the_old_search_has_a_table() -> None:
    first, second = v4.parse_search(OLD_SEARCH, "http://www.site.example/search-0-1/")
    assert (first.series_id, first.title) == ("41", "Le Phare")
    assert first.poster_url == "http://www.site.example/images/img41.png"
    assert first.airing_status is AiringStatus.AIRING
    assert (second.title, second.airing_status) == ("L'été", AiringStatus.FINISHED)


def test_a_single_hit_is_the_page_of_the_series_itself() -> None:
    single = OLD_SERIES.replace("<table", "<div class='AUVideoPlayer' data-serie='41'></div><table")
    (hit,) = v4.parse_search(single, URL)
    assert (hit.series_id, hit.title) == ("41", "Le Phare & l'été")


def test_no_hit_in_the_old_search_is_an_empty_list() -> None:
    assert v4.parse_search("<div class='title'>Recherche</div><p>0</p>", URL) == []
    with pytest.raises(LayoutChanged):
        v4.parse_search("<p>other</p>", URL)


def test_the_old_series_page_lists_each_file_once() -> None:
    base = "http://www.site.example"
    found = v4.parse_series(OLD_SERIES, f"{base}/file-0-1/41-Le-Phare", base)
    assert [(f.file_id, f.name, f.lang) for f in found.files] == [
        ("411", "Episode 1", "vostfr"),
        ("412", "Episode 1", "vf"),
        ("413", "Episode 2", "vostfr"),
    ]
    assert found.genres == ("Drame", "Mer")
    assert found.synopsis.startswith("Une gardienne reçoit")


@pytest.mark.parametrize("written", ["", "/", "http://www.other.example/"])
@pytest.mark.parametrize("base", ["http://www.site.example", "http://127.0.0.1:9/ultime"])
def test_a_file_of_the_old_site_has_its_address_below_the_base(written: str, base: str) -> None:
    text = OLD_SERIES.replace('href="info', f'href="{written}info')
    found = v4.parse_series(text, f"{base}/file-0-1/41-Le-Phare", base)
    assert found.files[0].url == f"{base}/info-0-1/411/Le-Phare-01-vostfr"
    assert found.files[2].url == f"{base}/info-0-1/413/Le-Phare-02-vostfr"


def test_the_playlist_is_read_although_it_is_no_xml() -> None:
    first, second = v4.parse_playlist(OLD_PLAYLIST, "http://www.site.example/playlist-41.xml")
    assert (first.name, first.group) == ("Episode 1", "Fansub Par Kumo")
    assert first.streams == (
        "http://www.site.example/stream-11.mp4",
        "http://www.site.example/stream-12.mp4",
    )
    assert first.published_at == datetime(2026, 8, 29, 17, 45, 50, tzinfo=UTC)
    assert (first.duration_seconds, second.duration_seconds) == (1444.0, None)
    with pytest.raises(LayoutChanged, match="playlist"):
        v4.parse_playlist("<rss></rss>", URL)


# A reader whose time grows faster than the text would need hours for this much.
@pytest.mark.timeout(30)
@pytest.mark.parametrize("pump", ["<item>", "<item><title>", "[", "<media:content ", ' a="'])
def test_a_hostile_playlist_is_read_in_time_that_grows_with_its_length(pump: str) -> None:
    text = f"<item><title>X 01</title></item>{pump * 200_000}"
    assert v4.parse_playlist(text, URL)[0].name == "Episode 1"


def test_the_real_playlist_is_read() -> None:
    text = real_page("anime-ultime/playlist_terra-e_excerpt.xml").read_text(encoding="iso-8859-1")
    (found,) = v4.parse_playlist(text, "http://www.anime-ultime.net/playlist-1.xml")
    assert (found.name, found.lang) == ("Episode 1", "vostfr")
    assert found.streams == (
        "http://www.anime-ultime.net/stream-7073.mp4",
        "http://www.anime-ultime.net/stream-26464.mp4",
    )
    assert found.duration_seconds == 1444.0
