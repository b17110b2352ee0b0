from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar
from urllib.parse import urlsplit

import pytest

from providers.base import SiteAdapter
from providers.errors import EmptyList, FileNotYet, Licensed, NotASeries, NotFound
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.sites.animeultime import AnimeUltimeAdapter
from providers.streams import StreamKind
from providers.tests.contract import ProviderContract
from providers.tests.origin import Origin, page, redirects, serves
from providers.tests.sites.test_animeultime_pages import (
    EPISODE_PAGE,
    OLD_PLAYLIST,
    OLD_SEARCH,
    OLD_SERIES,
    PLAYER,
    SEARCH,
    SERIES_PAGE,
)
from providers.types import AiringStatus

PAGE = "/Le-Phare-streaming.html"
EPISODE = "/Le-Phare-streaming-Episode-02-vostfr-par-Kumo.html"
LICENSED = serves('{"error": "Série licenciée"}'.encode())
NEW = {
    "/MenuSearch.html": json.dumps(SEARCH).encode(),
    PAGE: SERIES_PAGE.encode(),
    EPISODE: EPISODE_PAGE.encode(),
    "/VideoPlayer.html": json.dumps(PLAYER).encode(),
}
OLD = {
    "/search-0-1/": OLD_SEARCH.encode("iso-8859-1"),
    "/file-0-1/41": OLD_SERIES.encode("iso-8859-1"),
    "/playlist-41.xml": OLD_PLAYLIST.encode("iso-8859-1"),
}


class TestContract(ProviderContract):
    adapter_class: ClassVar[type[SiteAdapter]] = AnimeUltimeAdapter
    series_ref = "/Le-Phare-streaming"
    episode_ref = "Episode 2"
    pages: ClassVar[Mapping[str, bytes]] = NEW


class TestContractOfTheOldSite(ProviderContract):
    adapter_class: ClassVar[type[SiteAdapter]] = AnimeUltimeAdapter
    series_ref = "41/"
    episode_ref = "Episode 2"
    pages: ClassVar[Mapping[str, bytes]] = OLD


@pytest.fixture
def adapter(origin: Origin, policy: EgressPolicy) -> AnimeUltimeAdapter:
    return AnimeUltimeAdapter(SiteHttpClient(origin.url, policy, deadline_seconds=5))


@pytest.fixture
def new_site(origin: Origin) -> None:
    origin.answers.update({path: serves(body, ETag='"1"') for path, body in NEW.items()})


@pytest.fixture
def old_site(origin: Origin) -> None:
    latin = {"Content_Type": "text/html; charset=iso-8859-1"}
    origin.answers.update({path: serves(body, **latin) for path, body in OLD.items()})


@pytest.mark.parametrize(
    ("address", "ref", "path"),
    [
        ("v5.anime-ultime.net/Le-Phare-streaming.html", "/Le-Phare-streaming", PAGE),
        ("www.anime-ultime.net/file-0-1/41-Le-Phare", "41/", "/file-0-1/41"),
        ("anime-ultime.net/file-0-1/41", "41/", "/file-0-1/41"),
        ("v5.anime-ultime.net/Le-Phare-streaming.html/", "/Le-Phare-streaming", PAGE),
        ("127.0.0.1:9/site/le-phare-saison-2-streaming.html", "/le-phare-saison-2-streaming",
         "/le-phare-saison-2-streaming.html"),
    ],
)  # fmt: skip
def test_addresses_of_both_sites_are_recognised(address: str, ref: str, path: str) -> None:
    base = "http://127.0.0.1:9/site"
    located = AnimeUltimeAdapter.locate(urlsplit(f"http://{address}"), base)
    assert (located.series_ref, located.lang) == (ref, None)
    assert located.url == f"{base}{path}" == AnimeUltimeAdapter.url_of(ref, base)
    assert located.title_guess


@pytest.mark.parametrize(
    "path", ["/", "/info-0-1/410/Le-Phare-01-vostfr", "/series-0-1/anime/0---", EPISODE,
             "/file-0-1/abc", "/x/Le-Phare-streaming.html", "/a%2Fb-streaming.html"],
)  # fmt: skip
def test_other_addresses_are_no_series(path: str) -> None:
    with pytest.raises(NotASeries):
        AnimeUltimeAdapter.locate(urlsplit(f"https://anime-ultime.net{path}"), "https://a.example")


def test_each_of_the_two_sites_is_found_beside_the_other() -> None:
    v5, v4 = "https://v5.anime-ultime.net", "http://www.anime-ultime.net"
    assert AnimeUltimeAdapter.url_of("41/", v5) == f"{v4}/file-0-1/41"
    assert AnimeUltimeAdapter.url_of("41/X-streaming", v4) == f"{v5}/X-streaming.html"


def test_both_languages_are_on_one_page() -> None:
    assert AnimeUltimeAdapter.with_language("41/X-streaming", "vf") == "41/X-streaming"


@pytest.mark.usefixtures("new_site")
def test_search_asks_the_new_site(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    hits = adapter.search("phare")
    assert [(hit.series_ref, hit.title) for hit in hits] == [
        ("41/Le-Phare-streaming", "Le Phare & l'été"),
        ("42/le-phare-saison-2-streaming", "Le Phare & l'été [Saison 2]"),
    ]
    assert origin.requests[-1].endswith(b"search=phare")
    assert origin.header("X-Requested-With") == "XMLHttpRequest"
    assert origin.header("Referer") == f"{origin.url}/"
    assert adapter.search("p") == []


@pytest.mark.usefixtures("old_site")
def test_search_falls_back_on_the_old_site(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    assert [hit.series_ref for hit in adapter.search("été")] == ["43/", "41/"]
    assert origin.requests[-1].endswith(b"search=%E9t%E9")


@pytest.mark.usefixtures("new_site")
def test_one_number_is_one_episode_whichever_group_made_it(
    adapter: AnimeUltimeAdapter, origin: Origin
) -> None:
    found = adapter.list_episodes("/Le-Phare-streaming", "vostfr", {})
    assert [(e.ref, e.number, e.season, e.is_special) for e in found.episodes] == [
        ("Episode 1", Decimal(1), 1, False),
        ("Episode 2", Decimal(2), 1, False),
        ("OAV 1", Decimal(1), 0, True),
    ]
    in_french = adapter.list_episodes("/Le-Phare-streaming", "vf", {})
    assert [e.ref for e in in_french.episodes] == ["Episode 1"]
    assert origin.paths() == [PAGE, PAGE]


@pytest.mark.usefixtures("new_site")
def test_a_language_without_files_is_not_found(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    origin.answers[PAGE] = serves(SERIES_PAGE.replace("-vf-", "-vostfr-").encode())
    with pytest.raises(NotFound, match="not offered in VF"):
        adapter.list_episodes("/Le-Phare-streaming", "vf", {})


@pytest.mark.usefixtures("new_site")
def test_an_id_alone_is_listed_by_the_player(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    found = adapter.list_episodes("41/", "vostfr", {})
    assert [e.ref for e in found.episodes] == ["Episode 1", "Episode 2", "OAV 1"]
    assert origin.requests[-1].endswith(b"idserie=41")
    again = adapter.list_episodes("41/", "vostfr", found.validators)
    assert again.unchanged


@pytest.mark.parametrize("site", ["new_site", "old_site"])
def test_a_page_read_by_an_earlier_version_of_us_is_read_again(
    adapter: AnimeUltimeAdapter, request: pytest.FixtureRequest, site: str
) -> None:
    request.getfixturevalue(site)
    found = adapter.list_episodes("41/Le-Phare-streaming", "vostfr", {})
    (role,) = found.validators
    known = {role.removesuffix(" 2"): found.validators[role]}
    assert role not in known
    assert adapter.list_episodes("41/Le-Phare-streaming", "vostfr", known).episodes


@pytest.mark.usefixtures("old_site")
def test_the_old_site_lists_when_the_new_one_does_not(adapter: AnimeUltimeAdapter) -> None:
    for ref in ("41/", "41/Le-Phare-streaming"):
        found = adapter.list_episodes(ref, "vostfr", {})
        assert [e.ref for e in found.episodes] == ["Episode 1", "Episode 2"]
    assert [e.ref for e in adapter.list_episodes("41/", "vf", {}).episodes] == ["Episode 1"]


@pytest.mark.usefixtures("old_site")
def test_the_playlist_lists_when_the_old_page_has_no_rows(
    adapter: AnimeUltimeAdapter, origin: Origin
) -> None:
    rows = OLD_SERIES.index("<table")
    bare = OLD_SERIES[:rows] + "<script>p = {'file' : '/playlist-41.xml'}</script></body></html>"
    origin.answers["/file-0-1/41"] = serves(bare.encode("iso-8859-1"))
    found = adapter.list_episodes("41/", "vostfr", {})
    assert [e.ref for e in found.episodes] == ["Episode 1", "Episode 2"]
    assert found.episodes[0].duration_seconds == 1444


@pytest.mark.parametrize("ref", ["/Le-Phare-streaming", "41/"])
def test_a_series_that_leads_to_the_home_page_is_not_there(
    adapter: AnimeUltimeAdapter, origin: Origin, ref: str
) -> None:
    for path in (PAGE, "/file-0-1/41"):
        origin.answers[path] = redirects("/")
    origin.answers["/"] = serves(b"<h1>Bienvenue</h1><div data-serie='1'></div>")
    with pytest.raises(NotFound):
        adapter.list_episodes(ref, "vostfr", {})
    with pytest.raises(NotFound):
        adapter.details(ref, "vostfr")


@pytest.mark.usefixtures("new_site")
def test_files_are_resolved_when_they_are_wanted(
    adapter: AnimeUltimeAdapter, origin: Origin
) -> None:
    sources = adapter.resolve("/Le-Phare-streaming", "Episode 2", "vostfr")
    assert [(source.url, source.kind, source.height) for source in sources] == [
        ("https://files.example/T/1080%2Fa", StreamKind.HTTP, 1080),
        ("https://files.example/T/1080w", StreamKind.HTTP, 1080),
        (f"{origin.url}/T/720", StreamKind.HTTP, 720),
        ("https://video.sibnet.ru/shell.php?videoid=9", StreamKind.PAGE, None),
    ]
    assert sources[0].headers == {"Referer": f"{origin.url}/"}
    assert b"idserie=41&focusFile=412" in origin.requests[-1]


@pytest.mark.usefixtures("old_site")
def test_the_old_sites_files_come_from_its_playlist(
    adapter: AnimeUltimeAdapter, origin: Origin
) -> None:
    sources = adapter.resolve("41/", "Episode 1", "vostfr")
    assert [source.url for source in sources] == [
        f"{origin.url}/stream-11.mp4",
        f"{origin.url}/stream-12.mp4",
    ]


@pytest.mark.usefixtures("old_site")
def test_a_direct_download_is_waited_for(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    del origin.answers["/playlist-41.xml"]
    answers = iter([b'{"auth": false, "wait": 1}', b'{"auth": true, "wait": 0, "link": "/ddl/1"}'])

    def ticket(connection: object) -> None:
        connection.sendall(page(next(answers)))  # type: ignore[attr-defined]  # a socket

    ticket.ends_connection = False  # type: ignore[attr-defined]  # read by the origin
    origin.answers["/ddl/authorized_download.php"] = ticket
    (source,) = adapter.resolve("41/", "Episode 1", "vf")
    assert source.url == f"{origin.url}/ddl/1"
    assert origin.requests[-1].endswith(b"idfile=412&type=orig")


@pytest.mark.usefixtures("old_site")
def test_a_long_wait_is_left_to_the_queue(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    del origin.answers["/playlist-41.xml"]
    path = "/ddl/authorized_download.php"
    origin.answers[path] = serves(b'{"auth": false, "wait": "600"}')
    with pytest.raises(FileNotYet) as raised:
        adapter.resolve("41/", "Episode 1", "vf")
    assert raised.value.retry_after_seconds == 600
    origin.answers[path] = serves(b'{"auth": false, "wait": 0}')
    with pytest.raises(NotFound):
        adapter.resolve("41/", "Episode 1", "vf")


@pytest.mark.usefixtures("new_site")
def test_a_licensed_series_is_reported_as_such(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    origin.answers["/VideoPlayer.html"] = LICENSED
    with pytest.raises(Licensed):
        adapter.list_episodes("41/", "vostfr", {})
    with pytest.raises(Licensed):
        adapter.resolve("/Le-Phare-streaming", "Episode 2", "vostfr")
    bare = SERIES_PAGE[: SERIES_PAGE.index("<ul")] + "</body></html>"
    origin.answers[PAGE] = serves(bare.encode())
    with pytest.raises(Licensed):
        adapter.list_episodes("/Le-Phare-streaming", "vostfr", {})


@pytest.mark.usefixtures("old_site")
def test_the_old_site_says_licensed_in_its_text(
    adapter: AnimeUltimeAdapter, origin: Origin
) -> None:
    bare = OLD_SERIES[: OLD_SERIES.index("<table")].replace("GENRES", "Série licenciée. GENRES")
    origin.answers["/file-0-1/41"] = serves(bare.encode("iso-8859-1"))
    with pytest.raises(Licensed):
        adapter.list_episodes("41/", "vostfr", {})


@pytest.mark.usefixtures("new_site")
def test_a_series_without_any_file_is_suspect(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    bare = SERIES_PAGE[: SERIES_PAGE.index("<ul")] + "</body></html>"
    origin.answers[PAGE] = serves(bare.encode())
    origin.answers["/VideoPlayer.html"] = serves(b'{"playlist": []}')
    with pytest.raises(EmptyList):
        adapter.list_episodes("/Le-Phare-streaming", "vostfr", {})


@pytest.mark.usefixtures("new_site")
def test_details_complete_the_reference(adapter: AnimeUltimeAdapter, origin: Origin) -> None:
    found = adapter.details("/Le-Phare-streaming", "vf")
    assert found.series_ref == "41/Le-Phare-streaming"
    assert found.url == f"{origin.url}{PAGE}"
    assert (found.title, found.lang) == ("Le Phare & l'été", "vf")
    assert found.languages == ("vostfr", "vf")
    assert found.airing_status is AiringStatus.AIRING
    assert [(offer.label, offer.series_ref) for offer in found.seasons] == [
        ("Saison 1", "41/Le-Phare-streaming"),
        ("Saison 2", "42/le-phare-saison-2-streaming"),
    ]


@pytest.mark.usefixtures("new_site", "old_site")
def test_an_id_finds_its_page_on_the_new_site(adapter: AnimeUltimeAdapter) -> None:
    assert adapter.details("41/", "vostfr").series_ref == "41/Le-Phare-streaming"


@pytest.mark.usefixtures("old_site")
def test_details_of_the_old_site_are_read_in_its_encoding(adapter: AnimeUltimeAdapter) -> None:
    found = adapter.details("41/", "vostfr")
    assert (found.series_ref, found.title) == ("41/", "Le Phare & l'été")
    assert found.genres == ("Drame", "Mer")
    assert found.synopsis.startswith("Une gardienne reçoit")
