from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from providers.demo import DemoSite
from providers.tests.demo.asking import ask

ROOT = Path(__file__).resolve().parents[3]
PAGES = [
    "/animesama/",
    "/animesama/catalogue/le-phare-des-brumes/",
    "/animesama/catalogue/le-phare-des-brumes/saison1/vostfr/",
    "/animesama/catalogue/le-phare-des-brumes/saison1/vostfr/episodes.js",
    "/nekosama/animes-search-vostfr.json",
    "/animeultime/Le-Phare-Des-Brumes-streaming.html",
    "/animeultime/playlist-5020.xml",
    "/feeds/orbite-basse.xml",
    "/feeds/orbite-basse-atom.xml",
    "/posters/cobalt-neuf.png",
]


@pytest.mark.parametrize("path", PAGES)
def test_an_unchanged_page_is_not_sent_again(site: DemoSite, path: str) -> None:
    first = ask(site.base_url + path)

    by_etag = ask(site.base_url + path, headers={"If-None-Match": first.headers["ETag"]})
    by_date = ask(
        site.base_url + path, headers={"If-Modified-Since": first.headers["Last-Modified"]}
    )

    assert first.status == 200
    assert (by_etag.status, by_etag.body) == (304, b"")
    assert by_date.status == 304


def test_a_changed_page_is_sent_again(site: DemoSite) -> None:
    url = site.url_of("feed", "les-horlogers-de-minuit")
    first = ask(url)

    site.publish_episode()

    for name, validator in (("If-None-Match", "ETag"), ("If-Modified-Since", "Last-Modified")):
        assert ask(url, headers={name: first.headers[validator]}).status == 200


def test_pages_of_other_series_stay_the_same_when_one_changes(site: DemoSite) -> None:
    url = site.url_of("animesama", "cobalt-neuf")
    first = ask(url)

    site.publish_episode("le-phare-des-brumes")

    assert ask(url, headers={"If-None-Match": first.headers["ETag"]}).status == 304


def test_links_follow_a_host_that_leads_to_the_site(site: DemoSite) -> None:
    path = "/feeds/orbite-basse.xml"
    ours = ask(site.base_url + path, headers={"Host": f"localhost:{site.port}"})
    foreign = ask(site.base_url + path, headers={"Host": "anime-sama.to"})

    assert f"http://localhost:{site.port}/media/" in ours.text
    assert f"{site.base_url}/media/" in foreign.text


@pytest.mark.parametrize("provider", ["animesama", "nekosama", "animeultime", "feed"])
def test_every_series_has_an_address_that_answers(site: DemoSite, provider: str) -> None:
    for slug in site.series_slugs(provider):
        assert ask(site.url_of(provider, slug)).status == 200


def test_a_series_that_a_provider_does_not_list_has_no_address(site: DemoSite) -> None:
    with pytest.raises(KeyError):
        site.url_of("nekosama", "orbite-basse")


def test_requests_are_logged_with_their_headers(site: DemoSite) -> None:
    ask(f"{site.base_url}/nekosama/anime/?x=1", headers={"X-Trace": "7"})
    ask(f"{site.base_url}/nothing")

    (entry,) = site.requests.all("/nekosama")
    assert (entry.method, entry.target, entry.status) == ("GET", "/nekosama/anime/?x=1", 200)
    assert entry.headers["x-trace"] == "7"
    assert site.requests.counts() == {"nekosama": 1, "nothing": 1}


def test_plain_series_are_listed_in_every_format() -> None:
    with DemoSite(plain_series=3) as site:
        for provider in ("animesama", "nekosama", "animeultime", "feed"):
            assert site.series_slugs(provider)[-1] == "serie-3"
            assert ask(site.url_of(provider, "serie-3")).status == 200


def test_a_connection_is_kept_and_a_broken_request_ends_it(site: DemoSite) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        for _ in range(2):
            connection.sendall(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65_536).startswith(b"HTTP/1.1 404")
        connection.sendall(b"nonsense\r\n\r\n")
        assert connection.recv(1) == b""


def order(site: DemoSite, **values: Any) -> Any:
    return ask(f"{site.base_url}/control", method="POST", body=json.dumps(values).encode()).json()


def test_the_control_address_tells_what_there_is(site: DemoSite) -> None:
    state = ask(f"{site.base_url}/control").json()

    airing = [each for each in state["providers"]["animesama"] if each["airing"]]
    assert [each["url"] for each in airing] == [site.url_of("animesama", "les-horlogers-de-minuit")]
    assert airing[0]["episodes"] == 5


def test_the_control_address_publishes_breaks_and_resets(site: DemoSite) -> None:
    url = site.url_of("feed", "orbite-basse")

    assert order(site, action="publish", slug="orbite-basse") == {"number": 5}
    order(site, action="fault", kind="status", prefix="/feeds", status=500)
    assert ask(url).status == 500
    order(site, action="reset")

    assert ask(url).text.count("<item>") == 4


def test_the_control_address_explains_a_wrong_order(site: DemoSite) -> None:
    answer = order(site, action="explode")

    assert "publish" in answer["actions"]


def test_the_program_tells_its_address_and_stops_on_sigterm() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "providers.demo", "--port", "0", "--publish-every", "60"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as program:
        assert program.stdout is not None
        base_url = json.loads(program.stdout.readline())["base_url"]
        status = ask(f"{base_url}/control").status
        program.terminate()
        _, complaints = program.communicate(timeout=30)

    assert (status, program.returncode, complaints) == (200, 0, "")


def test_the_program_says_when_its_port_is_taken(site: DemoSite) -> None:
    answer = subprocess.run(
        [sys.executable, "-m", "providers.demo", "--port", str(site.port)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert answer.returncode == 1
    assert answer.stderr.count("\n") == 1
