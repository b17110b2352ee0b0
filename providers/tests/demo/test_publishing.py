from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest

from providers.base import SiteAdapter
from providers.demo import DemoSite
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.sites.animesama import AnimeSamaAdapter
from providers.sites.animeultime import AnimeUltimeAdapter
from providers.sites.feed import FeedAdapter
from providers.sites.nekosama import NekoSamaAdapter
from providers.tests.demo.asking import ask
from providers.types import EpisodeListing

AIRING = "les-horlogers-de-minuit"
AIRING_ID = 5010


def adapter_of(site: DemoSite, kind: type[SiteAdapter]) -> SiteAdapter:
    client = SiteHttpClient(site.provider_base(kind.id), EgressPolicy.parse(site.allowed_hosts))
    return kind(client)


def listed(site: DemoSite, kind: type[SiteAdapter], url: str) -> list[EpisodeListing]:
    """The episodes at a followed address, as the program's own adapter reads them."""
    adapter = adapter_of(site, kind)
    found = adapter.locate(urlsplit(url), site.provider_base(kind.id))
    lang = found.lang or kind.languages[0]
    return list(adapter.list_episodes(found.series_ref, lang, {}).episodes)


@pytest.mark.parametrize(
    "kind",
    [AnimeSamaAdapter, NekoSamaAdapter, AnimeUltimeAdapter, FeedAdapter],
)
def test_a_new_episode_is_listed_last(site: DemoSite, kind: type[SiteAdapter]) -> None:
    url = site.url_of(kind.id, AIRING)
    before = listed(site, kind, url)

    number = site.publish_episode()

    after = listed(site, kind, url)
    assert [each.ref for each in after[:-1]] == [each.ref for each in before]
    assert after[-1].number == number == len(before) + 1


def of_home(site: DemoSite) -> str:
    return ask(f"{site.base_url}/animesama/").text


def of_ultime(site: DemoSite) -> str:
    return ask(site.url_of("animeultime", AIRING)).text


def of_ultime_playlist(site: DemoSite) -> str:
    return ask(f"{site.base_url}/animeultime/playlist-{AIRING_ID}.xml").text


def of_ultime_player(site: DemoSite) -> str:
    url = f"{site.base_url}/animeultime/VideoPlayer.html"
    return ask(url, form={"idserie": str(AIRING_ID)}).text


def of_ultime_table(site: DemoSite) -> str:
    answer = ask(f"{site.base_url}/animeultime/file-0-1/{AIRING_ID}-x")
    return answer.body.decode("iso-8859-1")


def of_neko_home(site: DemoSite) -> str:
    return ask(f"{site.base_url}/nekosama/").text


def of_atom(site: DemoSite) -> str:
    return ask(f"{site.base_url}/feeds/{AIRING}-atom.xml").text


def of_media_rss(site: DemoSite) -> str:
    return ask(f"{site.base_url}/feeds/{AIRING}-media.xml").text


@pytest.mark.parametrize(
    ("read", "sign"),
    [
        (of_home, "Saison 1 Episode 6"),
        (of_neko_home, "minuit-06_vostfr"),
        (of_ultime, "Episode 06"),
        (of_ultime_playlist, "minuit 06"),
        (of_ultime_player, "Episode 06"),
        (of_ultime_table, "Episode 06"),
        (of_atom, "S01E06"),
        (of_media_rss, "S01E06"),
    ],
)
def test_a_new_episode_shows_on_every_page(
    site: DemoSite, read: Callable[[DemoSite], str], sign: str
) -> None:
    assert sign not in read(site)

    site.publish_episode()

    assert sign in read(site)


def test_a_series_can_be_named(site: DemoSite) -> None:
    assert site.publish_episode("cobalt-neuf") == 109


def test_episodes_appear_by_themselves() -> None:
    with DemoSite(publish_every=0.05) as site:
        url = site.url_of("feed", AIRING)
        for _ in range(400):
            if ask(url).text.count("<item>") > 6:
                return
            time.sleep(0.05)
    pytest.fail("no second episode in twenty seconds")


def test_offset_numbers_are_read_by_the_adapter(site: DemoSite) -> None:
    episodes = listed(site, AnimeSamaAdapter, site.url_of("animesama", "cobalt-neuf"))

    assert [int(each.number) for each in episodes] == list(range(100, 109))


def test_a_special_inserted_before_keeps_the_other_names(site: DemoSite) -> None:
    url = site.url_of("animesama", AIRING)
    before = {each.ref for each in listed(site, AnimeSamaAdapter, url)}

    site.insert_special(AIRING, title="L'avant-minuit")

    after = listed(site, AnimeSamaAdapter, url)
    assert before < {each.ref for each in after}
    assert (after[0].title, after[0].is_special) == ("L'avant-minuit", True)


def test_a_language_can_be_added(site: DemoSite) -> None:
    url = site.url_of("animesama", AIRING, lang="vf")
    script = f"{url}episodes.js"
    assert ask(script).text == "//"

    site.add_language(AIRING, "vf")

    assert len(listed(site, AnimeSamaAdapter, url)) == 5


def test_the_next_episode_is_announced_without_a_video(site: DemoSite) -> None:
    script = ask(f"{site.url_of('animesama', AIRING)}episodes.js").text
    players = re.findall(r"shell\.php\?videoid=(\d*)'", script)

    assert players[-1] == ""


@pytest.mark.parametrize("layout", ["2026-10", "2026-02", "2025"])
def test_the_catalogue_is_searched_in_every_layout(site: DemoSite, layout: str) -> None:
    site.show_cards_as(layout)

    hits = adapter_of(site, AnimeSamaAdapter).search("phare")

    assert [hit.title for hit in hits] == ["Le Phare des brumes"]


def test_neko_sama_lists_one_series_in_each_encoding(site: DemoSite) -> None:
    script = ask(site.url_of("nekosama", AIRING)).text
    buttons = ask(site.url_of("nekosama", "le-phare-des-brumes")).text

    assert "var episodes = " in script
    assert 'class="episodes"' not in script
    assert 'class="episodes"' in buttons
    assert "var episodes = " not in buttons


def test_anime_ultime_lists_one_number_once_for_each_group(site: DemoSite) -> None:
    page = ask(site.url_of("animeultime", "tambours-du-nord")).text

    groups = re.findall(r"Episode-01-vostfr-par-([\w-]+)\.html", page)
    assert groups == ["Brume-Fansub", "Team-Cadran", "Kaze-Sub"]


def test_anime_ultime_refuses_its_licensed_series(site: DemoSite) -> None:
    page = ask(site.url_of("animeultime", "sous-la-neige-rouge")).text
    number = re.findall(r'data-serie="(\d+)"', page)[0]

    answer = ask(f"{site.base_url}/animeultime/VideoPlayer.html", form={"idserie": number})

    assert answer.json() == {"error": "Série licenciée"}


def test_a_search_with_one_hit_gives_the_series_page_in_latin_letters(site: DemoSite) -> None:
    answer = ask(f"{site.base_url}/animeultime/search-0-1/", form={"search": "tambours"})

    text = answer.body.decode("iso-8859-1")
    assert 'data-serie="5070"' in text
    assert "ANNÉE(S) DE PRODUCTION" in text


def test_anime_ultime_makes_one_wait_before_a_file(site: DemoSite) -> None:
    url = f"{site.base_url}/animeultime/ddl/authorized_download.php"
    page = ask(site.url_of("animeultime", "tambours-du-nord")).text
    episode = re.findall(r'href="([^"]+Episode-01-vostfr[^"]+)"', page)[0]
    shown = ask(f"{site.base_url}/animeultime/{episode}").text
    form = {"idfile": re.findall(r'data-focus="(\d+)"', shown)[0], "type": "orig"}
    first = ask(url, form=form).json()

    granted = first
    while not granted["auth"]:
        granted = ask(url, form=form).json()

    assert first == {"auth": False, "wait": 1, "link": ""}
    assert ask(site.base_url + granted["link"]).status == 302


def test_the_search_database_is_json_of_relative_addresses(site: DemoSite) -> None:
    entries = json.loads(ask(f"{site.base_url}/nekosama/animes-search-vf.json").text)

    assert {entry["title"] for entry in entries} == {"Le Phare des brumes", "Tambours du Nord"}
    assert all(entry["url"].startswith("/") for entry in entries)
