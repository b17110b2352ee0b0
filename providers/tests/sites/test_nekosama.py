from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from providers.base import SiteAdapter
from providers.errors import EmptyList, LayoutChanged, NotASeries, NotFound
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.sites.nekosama import NekoSamaAdapter
from providers.sites.nekosama_database import parse_database
from providers.sites.nekosama_pages import (
    listings,
    parse_episodes,
    parse_players,
    parse_series,
)
from providers.streams import StreamKind
from providers.tests.contract import ProviderContract
from providers.tests.origin import Origin, redirects, serves
from providers.tests.sites.real_pages import real_page
from providers.types import AiringStatus

URL = "https://site.example/anime/info/12-le-phare_vostfr"


def entry(number: int, title: str = "") -> dict[str, object]:
    return {
        "time": "24 min",
        "episode": f"Ep. {number}",
        "num": number,
        "title": title,
        "url": f"/anime/episode/12-le-phare-{number:02d}_vostfr",
        "url_image": "https://img.example/1.jpg",
    }


def series_page(listed: str, *, kind: str = "tv", status: str = "En cours") -> str:
    return f"""<html><head><meta property="og:image" content="https://img.example/og.jpg"></head>
<body><div class="cover"><img src="/lazy.gif" data-src="https://img.example/phare.jpg"></div>
<h1>Le Phare des Brumes VOSTFR<small>Kiri no Toudai</small></h1>
<div class="synopsis"><p>Une gardienne.</p></div><div class="list"><span>Drame</span></div>
<div id="anime-info-list"><div class="item"><small>Score</small> 4.27/5</div>
<div class="item"><small>Format</small> {kind}</div>
<div class="item"><small>Status</small> {status}</div>
<div class="item"><small>Episodes</small> 12</div></div>{listed}</body></html>"""


def in_script(*entries: dict[str, object]) -> str:
    listed = json.dumps(list(entries))
    return f"<script>/* var episodes = []; */\nvar episodes = {listed};\nvar x = 1;</script>"


def buttons(*labels: str) -> str:
    links = "".join(
        f'<a class="button" href="/anime/episode/12-le-phare-{n}_vf">{label}</a>'
        for n, label in enumerate(labels)
    )
    return f'<div class="episodes">{links}</div>'


EPISODE = (
    b"<script>var video = [];\nvideo[0] = 'https://fusevideo.example/e/2';\n"
    b"// video[2] = 'https://old.example/';\nvideo[1] = '';"
    b'video[10] = "https://streamtape.example/e/2";</script>'
)
DATABASE = [
    {
        "id": 12,
        "title": "Le Phare des Brumes",
        "title_english": "The Lighthouse",
        "title_romanji": "Kiri no Toudai",
        "title_french": None,
        "others": "灯台 Toudai",
        "type": "tv",
        "status": "1",
        "popularity": 3.5,
        "url": "/anime/info/12-le-phare_vostfr",
        "genres": ["c0m1dy", "drama"],
        "url_image": "https://img.example/phare.jpg",
        "score": "4.64",
        "start_date_year": "2026",
        "nb_eps": "? Eps",
    },
    {"id": 13, "title": "Brumes", "url": "/anime/info/13-brumes_vf", "popularity": "much"},
    {"id": 14, "title": "", "url": "/anime/info/14-x_vf"},
    {"id": 15, "title": "Brumes perdues", "url": "https://other.example/"},
    "noise",
]


class TestContract(ProviderContract):
    adapter_class: ClassVar[type[SiteAdapter]] = NekoSamaAdapter
    series_ref = "12-le-phare_vostfr"
    episode_ref = "Episode 2"
    pages: ClassVar[Mapping[str, bytes]] = {
        "/animes-search-vostfr.json": json.dumps(DATABASE).encode(),
        "/anime/info/12-le-phare_vostfr": series_page(in_script(entry(2), entry(1))).encode(),
        "/anime/episode/12-le-phare-02_vostfr": EPISODE,
    }


@pytest.fixture
def adapter(origin: Origin, policy: EgressPolicy) -> NekoSamaAdapter:
    for path, body in TestContract.pages.items():
        origin.answers[path] = serves(body, ETag='"1"')
    return NekoSamaAdapter(SiteHttpClient(origin.url, policy, deadline_seconds=5))


@pytest.mark.parametrize(
    ("address", "ref", "lang"),
    [
        ("neko-sama.fr/anime/info/12-le-phare_vostfr", "12-le-phare_vostfr", "vostfr"),
        ("www.animecat.net/anime/info/12-le-phare_vf/", "12-le-phare_vf", "vf"),
        ("neko-sama.io/anime/info/12-le-phare-vostfr", "12-le-phare-vostfr", "vostfr"),
        ("127.0.0.1:9/site/anime/info/1-a_VF", "1-a_VF", "vf"),
    ],
)
def test_addresses_old_and_new_are_recognised(address: str, ref: str, lang: str) -> None:
    base = "http://127.0.0.1:9/site"
    located = NekoSamaAdapter.locate(urlsplit(f"http://{address}"), base)
    assert (located.series_ref, located.lang) == (ref, lang)
    assert located.url == f"{base}/anime/info/{ref}" == NekoSamaAdapter.url_of(ref, base)


@pytest.mark.parametrize(
    "path",
    ["/", "/anime/", "/anime/info/", "/anime/info/le-phare_vf", "/anime/info/12-le-phare",
     "/anime/episode/12-le-phare-02_vostfr", "/x/anime/info/12-le-phare_vf",
     "/anime/info/12-a%2Fb_vf", "/anime/info/12-a%00_vf"],
)  # fmt: skip
def test_other_addresses_are_no_series(path: str) -> None:
    with pytest.raises(NotASeries):
        NekoSamaAdapter.locate(urlsplit(f"https://neko-sama.fr{path}"), "https://a.example")


def test_a_language_is_a_page_of_its_own() -> None:
    assert NekoSamaAdapter.with_language("12-le-phare_vostfr", "vf") is None
    assert NekoSamaAdapter.with_language("12-le-phare_vostfr", "vostfr") == "12-le-phare_vostfr"


def test_search_reads_both_databases_and_puts_the_best_title_first(
    adapter: NekoSamaAdapter, origin: Origin
) -> None:
    hits = adapter.search("Brumes")
    assert [(hit.series_ref, hit.lang) for hit in hits] == [
        ("13-brumes_vf", "vf"),
        ("12-le-phare_vostfr", "vostfr"),
    ]
    assert hits[1].url == f"{origin.url}/anime/info/12-le-phare_vostfr"
    assert hits[1].genres == ("comedy", "drama")
    assert hits[1].other_titles == ("The Lighthouse", "Kiri no Toudai", "灯台 Toudai")
    assert origin.paths() == ["/animes-search-vostfr.json", "/animes-search-vf.json"]
    assert [hit.series_ref for hit in adapter.search("toudai KÍRI")] == ["12-le-phare_vostfr"]
    assert adapter.search("nothing like it") == []
    assert adapter.search(" ?! ") == []


def test_search_falls_back_on_the_older_database(adapter: NekoSamaAdapter, origin: Origin) -> None:
    del origin.answers["/animes-search-vostfr.json"]
    origin.answers["/animes-search.json"] = serves(json.dumps(DATABASE).encode())
    assert len(adapter.search("phare")) == 1


@pytest.mark.parametrize("value", [{}, "text", [1, 2], [{"title": "no address"}]])
def test_a_database_of_another_shape_is_a_changed_layout(value: object) -> None:
    with pytest.raises(LayoutChanged, match="search database"):
        parse_database(value, URL)


def test_the_series_page_is_read() -> None:
    found = parse_series(series_page(in_script(entry(1))), URL)
    assert found.title == "Le Phare des Brumes"
    assert (found.synopsis, found.genres) == ("Une gardienne.", ("Drame",))
    assert found.poster_url == "https://img.example/phare.jpg"
    assert found.airing_status is AiringStatus.AIRING
    assert found.extra == ""
    ended = parse_series(series_page("", kind="m0v1e", status="Terminé"), URL)
    assert (ended.airing_status, ended.extra) == (AiringStatus.FINISHED, "Film")
    none_yet = parse_series("<h1>X</h1><div class='synopsis'><p>Aucun synopsis pour le moment", URL)
    assert none_yet.synopsis == ""


def test_the_script_until_2023_lists_the_newest_first() -> None:
    links = parse_episodes(series_page(in_script(entry(12, "La fin"), entry(11))), URL)
    assert [(link.name, link.number) for link in links] == [
        ("Episode 11", Decimal(11)),
        ("Episode 12", Decimal(12)),
    ]
    assert links[1].title == "La fin"
    assert links[1].url == "https://site.example/anime/episode/12-le-phare-12_vostfr"


def test_the_buttons_since_2023_end_in_the_number() -> None:
    page = series_page(buttons("Le Phare - 891 VF - 891", "Le Phare - 12.5 VF - 12.5"))
    assert [link.name for link in parse_episodes(page, URL)] == ["Episode 12.5", "Episode 891"]


def test_what_stands_behind_the_number_is_no_part_of_it() -> None:
    first, second = entry(2), entry(1)
    first["episode"], second["episode"] = "Ep. 2 v2", "Ep. 1"
    page = series_page(buttons("Le Phare - 2 FIN - 02 FIN", "Le Phare - 1 v2 - 01 v2"))
    for text in (page, series_page(in_script(first, second))):
        assert [link.name for link in parse_episodes(text, URL)] == ["Episode 1", "Episode 2"]


def test_both_encodings_give_the_same_identities() -> None:
    old = parse_episodes(series_page(in_script(entry(2), entry(1))), URL)
    new = parse_episodes(series_page(buttons("Le Phare - 2 - 02", "Le Phare - 1 - 01")), URL)
    assert [link.name for link in old] == [link.name for link in new]


def test_an_episode_inserted_before_keeps_identity() -> None:
    before = parse_episodes(series_page(in_script(entry(2), entry(1))), URL)
    after = parse_episodes(series_page(in_script(entry(2), entry(1), entry(0))), URL)
    assert [link.name for link in after] == ["Episode 0", *(link.name for link in before)]


def test_the_same_number_twice_is_two_episodes() -> None:
    links = parse_episodes(series_page(in_script(entry(1), entry(1))), URL)
    assert [link.name for link in links] == ["Episode 1", "Episode 1 (2)"]


def test_a_film_is_counted_in_season_zero() -> None:
    links = parse_episodes(series_page(buttons("Le Phare - Film VF"), kind="m0v1e"), URL)
    (film,) = listings(links, extra="Film")
    assert (film.ref, film.number, film.season, film.is_special) == ("Film", Decimal(1), 0, False)


def test_extras_that_have_only_a_number_are_called_by_their_kind() -> None:
    links = parse_episodes(series_page(buttons("Le Phare - 2 - 02", "Le Phare - 1 - 01")), URL)
    found = [(entry.season, entry.number, entry.title) for entry in listings(links, extra="OAV")]
    assert found == [(0, Decimal(1), "OAV"), (0, Decimal(2), "OAV")]


def test_a_list_without_episodes_is_suspect_and_no_list_a_changed_layout() -> None:
    with pytest.raises(EmptyList):
        parse_episodes(series_page(in_script()), URL)
    with pytest.raises(EmptyList):
        parse_episodes(series_page(buttons()), URL)
    with pytest.raises(LayoutChanged, match="episodes"):
        parse_episodes(series_page(""), URL)
    with pytest.raises(LayoutChanged, match="episodes"):
        parse_episodes("<script>var episodes = [{]</script>", URL)


def test_players_are_read_in_order_without_empty_ones() -> None:
    assert parse_players(EPISODE.decode()) == [
        "https://fusevideo.example/e/2",
        "https://streamtape.example/e/2",
    ]
    assert parse_players("<script>var video = [];</script>") == []
    with pytest.raises(LayoutChanged, match="video"):
        parse_players("<script>var films = [];</script>")


def test_resolving_reads_the_episode_page(adapter: NekoSamaAdapter, origin: Origin) -> None:
    sources = adapter.resolve("12-le-phare_vostfr", "Episode 2", "vostfr")
    assert [source.url for source in sources] == [
        "https://fusevideo.example/e/2",
        "https://streamtape.example/e/2",
    ]
    assert sources[0].kind is StreamKind.PAGE
    assert sources[0].headers == {
        "Referer": f"{origin.url}/anime/episode/12-le-phare-02_vostfr",
    }


def test_an_episode_without_players_is_not_found(adapter: NekoSamaAdapter, origin: Origin) -> None:
    origin.answers["/anime/episode/12-le-phare-02_vostfr"] = serves(
        b"<script>var video = []; video[0] = '';</script>"
    )
    with pytest.raises(NotFound, match="no player"):
        adapter.resolve("12-le-phare_vostfr", "Episode 2", "vostfr")


def test_a_series_that_leads_to_the_home_page_is_not_there(
    adapter: NekoSamaAdapter, origin: Origin
) -> None:
    origin.answers["/anime/info/12-le-phare_vostfr"] = redirects("/")
    origin.answers["/"] = serves(b"<h1>Bienvenue</h1>")
    with pytest.raises(NotFound):
        adapter.details("12-le-phare_vostfr", "vostfr")
    with pytest.raises(NotFound):
        adapter.list_episodes("12-le-phare_vostfr", "vostfr", {})


def test_a_page_read_by_an_earlier_version_of_us_is_read_again(adapter: NekoSamaAdapter) -> None:
    found = adapter.list_episodes("12-le-phare_vostfr", "vostfr", {})
    known = {"series": found.validators["series 2"]}
    assert adapter.list_episodes("12-le-phare_vostfr", "vostfr", known).episodes


def test_the_list_says_whether_the_series_is_finished(adapter: NekoSamaAdapter) -> None:
    found = adapter.list_episodes("12-le-phare_vostfr", "vostfr", {})
    assert found.airing_status is AiringStatus.AIRING
    assert [(e.ref, e.number, e.season) for e in found.episodes] == [
        ("Episode 1", Decimal(1), 1),
        ("Episode 2", Decimal(2), 1),
    ]


def test_the_real_database_of_2023_is_read() -> None:
    saved = json.loads(
        real_page("neko-sama/animes-search-vostfr_2023-02-18_excerpt.json").read_text()
    )
    entries = parse_database(saved, "https://site.example/animes-search-vostfr.json")
    assert len(entries) == len(saved)
    for found in entries:
        located = NekoSamaAdapter.locate(
            urlsplit(f"https://neko-sama.fr/anime/info/{found.ref}"), ""
        )
        assert located.lang == "vostfr"
        assert found.poster_url.startswith("https://")
