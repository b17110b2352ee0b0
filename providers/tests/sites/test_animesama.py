from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from providers import gateway
from providers.base import SiteAdapter
from providers.errors import EmptyList, LayoutChanged, NotASeries, NotFound
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.sites.animesama import AnimeSamaAdapter
from providers.tests.contract import ProviderContract
from providers.tests.origin import Origin, redirects, serves

WORK = b"""<html><head><meta property="og:image" content="https://img.example/phare.webp"></head>
<body><h1>Le Phare des Brumes</h1><h2 id="titreAlter">Kiri no Toudai</h2>
<p id="synopsisText">Une gardienne.</p><dl class="oe-infos"><dt>Statut</dt><dd>En cours</dd></dl>
<script>panneauAnime("nom", "url"); panneauAnime("Saison 1", "saison1/vostfr");
panneauAnime("Saison 2", "saison2/vostfr"); panneauAnime("Film", "film/vostfr");</script>
</body></html>"""
SEASON = b"""<html><body><h3 id="titreOeuvre">Le Phare des Brumes</h3>
<script src='episodes.js?filever=12'></script><script>resetListe(); finirListe(1);</script>
<script>resetListe(); newSPF('Prologue'); finirListe(1);</script></body></html>"""
SCRIPT = b"""var eps1 = ['https://vidmoly.to/embed-1.html', 'https://vidmoly.to/embed-2.html', ''];
var eps2 = ['https://sendvid.com/embed/1', 'https://sendvid.com/embed/2',
'https://sendvid.com/embed/3'];"""
CARDS = b"""<div id="list_catalog"><div class="as-carte" data-url="/catalogue/le-phare"
data-img="/a.webp"><h3>Le Phare des Brumes</h3><span class="as-badge">Anime</span></div>
<div class="as-carte" data-url="/catalogue/brumes/">
<h3>Brumes</h3><span class="as-badge">Anime</span>
<img title="VF"></div><div class="as-carte" data-url="/catalogue/lu/"><h3>Brumes lues</h3>
<span class="as-badge">Scans</span></div></div>"""
BASE = "/catalogue/le-phare/"


class TestContract(ProviderContract):
    adapter_class: ClassVar[type[SiteAdapter]] = AnimeSamaAdapter
    series_ref = "le-phare/saison1/vostfr"
    episode_ref = "saison1/Episode 2"
    pages: ClassVar[Mapping[str, bytes]] = {
        "/catalogue/": CARDS,
        BASE: WORK,
        f"{BASE}saison1/vostfr/": SEASON,
        f"{BASE}saison1/vostfr/episodes.js": SCRIPT,
    }


@pytest.fixture
def adapter(origin: Origin, policy: EgressPolicy) -> AnimeSamaAdapter:
    for path, body in TestContract.pages.items():
        origin.answers[path] = serves(body, ETag='"1"')
    return AnimeSamaAdapter(SiteHttpClient(origin.url, policy, deadline_seconds=5))


@pytest.mark.parametrize(
    ("address", "ref", "lang", "path"),
    [
        ("anime-sama.to/catalogue/x-y/saison1/vf/", "x-y/saison1/vf", "vf", "x-y/saison1/vf/"),
        ("www.anime-sama.fr/catalogue/x/film/vf", "x/film/vf", "vf", "x/film/vf/"),
        ("anime-sama.si/Catalogue/x/Saison2-1/VF1/", "x/saison2-1/vf1", "vf1", "x/saison2-1/vf1/"),
        ("anime-sama.tv/catalogue/x/kaihs/vf/episodes.js?a=1", "x/kaihs/vf", "vf", "x/kaihs/vf/"),
        ("anime-sama.org/catalogue/x/", "x//vostfr", None, "x/"),
        ("anime-sama.eu/catalogue/x", "x//vostfr", None, "x/"),
        ("anime-sama.to/catalogue/x/saison3/", "x/saison3/vostfr", None, "x/saison3/vostfr/"),
        ("anime-sama.to/catalogue/x/VF/", "x//vf", "vf", "x/"),
        (
            "127.0.0.1:9/site/catalogue/l%27%C3%A9t%C3%A9/",
            "l'été//vostfr",
            None,
            "l'%C3%A9t%C3%A9/",
        ),
    ],
)
def test_addresses_old_and_new_are_recognised(
    address: str, ref: str, lang: str | None, path: str
) -> None:
    located = AnimeSamaAdapter.locate(urlsplit(f"http://{address}"), "http://127.0.0.1:9/site")
    assert (located.series_ref, located.lang) == (ref, lang)
    assert located.url == f"http://127.0.0.1:9/site/catalogue/{path}"
    assert AnimeSamaAdapter.url_of(ref, "http://127.0.0.1:9/site") == located.url


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/catalogue/",
        "/planning/",
        "/catalogue/x/scan/vf/",
        "/catalogue/x/scan_noir-et-blanc/vf/",
        "/catalogue/x/saison1/klingon/",
        "/catalogue/x/saison1/vf/more/",
        "/catalogue/x/sai%2Fson1/vf/",
        "/catalogue/x%2Fy/saison1/vf/",
        "/catalogue/x%00y/",
        "/elsewhere/catalogue/x/",
    ],
)
def test_other_addresses_are_no_series(path: str) -> None:
    with pytest.raises(NotASeries):
        AnimeSamaAdapter.locate(urlsplit(f"https://anime-sama.to{path}"), "https://a.example")


@pytest.mark.django_db
def test_the_page_that_announces_moves_is_no_feed() -> None:
    with pytest.raises(NotASeries, match=r"looks like https://anime-sama\.to/"):
        gateway.recognise("https://anime-sama.pw/")


def test_the_language_is_the_last_part_of_the_reference() -> None:
    assert AnimeSamaAdapter.with_language("x/saison1/vostfr", "vf") == "x/saison1/vf"
    assert AnimeSamaAdapter.with_language("x//vostfr", "vf") == "x//vf"


def test_a_title_guess_is_readable() -> None:
    parts = urlsplit("https://anime-sama.to/catalogue/le-phare-des-brumes/")
    assert AnimeSamaAdapter.locate(parts, "").title_guess == "Le Phare Des Brumes"


def test_search_puts_the_best_title_first_and_leaves_scans_out(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    first, second = adapter.search("brumes")
    assert (first.series_ref, first.lang) == ("brumes//vf", "vf")
    assert (second.title, second.series_ref) == ("Le Phare des Brumes", "le-phare//vostfr")
    assert second.url == f"{origin.url}/catalogue/le-phare/"
    assert origin.paths() == ["/catalogue/?search=brumes"]


def test_search_asks_the_search_box_when_the_catalogue_has_changed(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    origin.answers["/catalogue/"] = serves(b"<html>new</html>")
    origin.answers["/template-php/defaut/fetch.php"] = serves(
        b'<a class="asn-search-result" href="/catalogue/le-phare/">'
        b'<h3 class="asn-search-result-title">Le Phare</h3></a>'
    )
    assert [hit.series_ref for hit in adapter.search("phare")] == ["le-phare//vostfr"]
    assert origin.requests[-1].endswith(b"query=phare")


def test_the_list_is_asked_for_conditionally_and_names_only_when_it_changed(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    found = adapter.list_episodes("le-phare/saison1/vostfr", "vostfr", {})
    assert [(e.ref, e.position) for e in found.episodes] == [
        ("saison1/Prologue", 0),
        ("saison1/Episode 1", 1),
        ("saison1/Episode 2", 2),
    ]
    assert origin.header("Referer", of_request=0) == f"{origin.url}{BASE}saison1/vostfr/"
    origin.answers[f"{BASE}saison1/vostfr/episodes.js"] = serves(b"", status="304 Not Modified")
    origin.requests.clear()
    again = adapter.list_episodes("le-phare/saison1/vostfr", "vostfr", found.validators)
    assert again.unchanged
    assert origin.paths() == [f"{BASE}saison1/vostfr/episodes.js"]
    assert origin.header("If-None-Match") == '"1"'


@pytest.mark.parametrize("answer", [serves(b"//"), serves(b"gone", status="404 Not Found")])
def test_a_language_that_is_not_there_is_said_clearly(
    adapter: AnimeSamaAdapter, origin: Origin, answer: object
) -> None:
    origin.answers[f"{BASE}saison1/vf/episodes.js"] = answer  # type: ignore[assignment]  # a Behaviour
    with pytest.raises(NotFound, match="not offered in VF"):
        adapter.list_episodes("le-phare/saison1/vf", "vf", {})


def test_a_dead_player_left_as_a_long_comment_does_not_hide_the_episodes(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    dead = "".join(f"// 'https://video.sibnet.ru/shell.php?videoid={n}',\n" for n in range(99))
    script = f"// var eps1 = [\n{dead}// ];\n".encode() + SCRIPT
    origin.answers[f"{BASE}saison1/vostfr/episodes.js"] = serves(script)
    assert len(adapter.list_episodes("le-phare/saison1/vostfr", "vostfr", {}).episodes) == 3
    assert adapter.resolve("le-phare/saison1/vostfr", "saison1/Episode 1", "vostfr")


def test_an_unknown_language_is_not_asked_for(adapter: AnimeSamaAdapter, origin: Origin) -> None:
    with pytest.raises(NotFound, match=r"\.\./\.\."):
        adapter.list_episodes("le-phare/saison1/vostfr", "../..", {})
    assert origin.requests == []


def test_a_work_without_a_season_follows_the_first_that_has_the_language(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    origin.answers[f"{BASE}saison1/vf/episodes.js"] = serves(b"var eps1 = ['', ''];")
    origin.answers[f"{BASE}saison2/vf/episodes.js"] = serves(SCRIPT, ETag='"2"')
    origin.answers[f"{BASE}saison2/vf/"] = serves(SEASON)
    found = adapter.list_episodes("le-phare//vf", "vf", {})
    assert found.episodes[1].ref == "saison2/Episode 1"
    assert found.episodes[1].season == 2
    origin.requests.clear()
    again = adapter.list_episodes("le-phare//vf", "vf", found.validators)
    assert again.unchanged
    assert again.validators == found.validators
    assert origin.paths() == [BASE, f"{BASE}saison2/vf/episodes.js"]
    sources = adapter.resolve("le-phare//vf", "saison2/Episode 1", "vf")
    assert sources[0].url == "https://sendvid.com/embed/2"


def test_a_work_whose_page_changed_keeps_its_season_without_reading_it_again(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    found = adapter.list_episodes("le-phare//vostfr", "vostfr", {})
    origin.answers[BASE] = serves(WORK.replace(b"gardienne", b"lumi\xc3\xa8re"), ETag='"9"')
    again = adapter.list_episodes("le-phare//vostfr", "vostfr", found.validators)
    assert again.unchanged
    assert again.validators["work"].etag == '"9"'


def test_a_work_in_no_season_of_which_the_language_is_offered_is_not_found(
    adapter: AnimeSamaAdapter,
) -> None:
    with pytest.raises(NotFound, match="This work is not offered in VF"):
        adapter.details("le-phare//vf", "vf")


@pytest.mark.parametrize("home", ["/", "/catalogue/"])
def test_a_work_that_leads_to_the_home_page_is_not_there(
    adapter: AnimeSamaAdapter, origin: Origin, home: str
) -> None:
    for path in [path for path in origin.answers if path.startswith(BASE)]:
        origin.answers[path] = redirects(home)
    origin.answers[home] = serves(b"<h1>Bienvenue</h1><script>resetListe();</script>")
    for ref in ("le-phare/saison1/vostfr", "le-phare//vostfr"):
        with pytest.raises(NotFound):
            adapter.details(ref, "vostfr")
        with pytest.raises(NotFound):
            adapter.list_episodes(ref, "vostfr", {})


def test_a_season_whose_page_leads_elsewhere_is_not_there(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    origin.answers[f"{BASE}saison1/vostfr/"] = redirects(BASE)
    with pytest.raises(NotFound):
        adapter.list_episodes("le-phare/saison1/vostfr", "vostfr", {})
    with pytest.raises(NotFound):
        adapter.resolve("le-phare/saison1/vostfr", "saison1/Episode 1", "vostfr")


def test_a_site_that_leads_to_another_one_is_a_changed_layout(
    origin: Origin, other_origin: Origin
) -> None:
    for path in (BASE, f"{BASE}saison1/vostfr/episodes.js"):
        origin.answers[path] = redirects(f"{other_origin.url}/")
    other_origin.answers["/"] = serves(b"<h1>This domain is for sale</h1>")
    client = SiteHttpClient(origin.url, EgressPolicy.parse(["127.0.0.1"]))
    with pytest.raises(LayoutChanged):
        AnimeSamaAdapter(client).details("le-phare/saison1/vostfr", "vostfr")
    with pytest.raises(LayoutChanged):
        AnimeSamaAdapter(client).list_episodes("le-phare/saison1/vostfr", "vostfr", {})


def test_a_work_that_has_another_name_now_is_followed(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    for path in [path for path in origin.answers if path.startswith(BASE)]:
        renamed = path.replace("le-phare", "le-grand-phare")
        origin.answers[renamed], origin.answers[path] = origin.answers[path], redirects(renamed)
    assert adapter.details("le-phare/saison1/vostfr", "vostfr").title == "Le Phare des Brumes"
    assert adapter.list_episodes("le-phare/saison1/vostfr", "vostfr", {}).episodes


def test_a_list_read_by_an_earlier_version_of_us_is_read_again(adapter: AnimeSamaAdapter) -> None:
    for ref in ("le-phare/saison1/vostfr", "le-phare//vostfr"):
        found = adapter.list_episodes(ref, "vostfr", {})
        known = {
            role.replace("episodes 2 ", "episodes "): v for role, v in found.validators.items()
        }
        assert known.keys() != found.validators.keys()
        assert adapter.list_episodes(ref, "vostfr", known).episodes == found.episodes


def test_a_work_without_seasons_is_suspect(adapter: AnimeSamaAdapter, origin: Origin) -> None:
    origin.answers[BASE] = serves(b"<h1>Le Phare</h1>")
    with pytest.raises(EmptyList):
        adapter.list_episodes("le-phare//vostfr", "vostfr", {})


def test_details_complete_the_reference_and_name_what_is_offered(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    origin.answers[f"{BASE}saison1/vf/episodes.js"] = serves(SCRIPT)
    found = adapter.details("le-phare//vf", "vf")
    assert found.series_ref == "le-phare/saison1/vf"
    assert found.url == f"{origin.url}{BASE}saison1/vf/"
    assert found.title == "Le Phare des Brumes"
    assert found.languages == ("vf", "vostfr")
    assert [offer.series_ref for offer in found.seasons] == [
        "le-phare/saison1/vostfr",
        "le-phare/saison2/vostfr",
        "le-phare/film/vostfr",
    ]


def test_a_shortened_telling_has_a_title_of_its_own(adapter: AnimeSamaAdapter) -> None:
    assert adapter.details("le-phare/kai/vostfr", "vostfr").title == "Le Phare des Brumes Kai"


def test_players_are_read_again_and_found_by_name(
    adapter: AnimeSamaAdapter, origin: Origin
) -> None:
    sources = adapter.resolve("le-phare/saison1/vostfr", "saison1/Episode 1", "vostfr")
    assert [source.url for source in sources] == [
        "https://sendvid.com/embed/2",
        "https://vidmoly.biz/embed-2.html",
    ]
    assert sources[0].headers == {"Referer": f"{origin.url}{BASE}saison1/vostfr/"}


def test_a_moved_host_is_followed_and_reported(origin: Origin, other_origin: Origin) -> None:
    path = f"{BASE}saison1/vostfr/"
    origin.answers[f"{path}episodes.js"] = redirects(
        f"{other_origin.url}{path}episodes.js", "301 Moved Permanently"
    )
    origin.answers[path] = redirects(f"{other_origin.url}{path}", "301 Moved Permanently")
    other_origin.answers[f"{path}episodes.js"] = serves(SCRIPT)
    other_origin.answers[path] = serves(SEASON)
    moves: list[str] = []
    client = SiteHttpClient(origin.url, EgressPolicy.parse(["127.0.0.1"]), on_moved=moves.append)
    found = AnimeSamaAdapter(client).list_episodes("le-phare/saison1/vostfr", "vostfr", {})
    assert len(found.episodes) == 3
    assert moves[-1] == other_origin.url
