from __future__ import annotations

import socket
from collections.abc import Callable
from http.client import HTTPException

import pytest

from providers.demo import DemoSite
from providers.tests.demo.asking import ask

SERIES = "/animesama/catalogue/le-phare-des-brumes/saison1/vostfr/"
SCRIPT = f"{SERIES}episodes.js"


def test_a_status_holds_below_its_prefix_until_it_is_cleared(site: DemoSite) -> None:
    site.faults.status("/animesama", 429, retry_after_seconds=7)

    refused = ask(site.base_url + SERIES)
    assert (refused.status, refused.headers["Retry-After"]) == (429, "7")
    assert ask(f"{site.base_url}/nekosama/").status == 200

    site.faults.clear()
    assert ask(site.base_url + SERIES).status == 200


def test_a_status_can_strike_a_number_of_times(site: DemoSite) -> None:
    site.faults.status("/feeds", 503, times=2)

    statuses = [ask(f"{site.base_url}/feeds/orbite-basse.xml").status for _ in range(3)]

    assert statuses == [503, 503, 200]


@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_challenge_page_comes_with_any_status(site: DemoSite, status: int) -> None:
    site.faults.challenge("/animesama", status)

    answer = ask(site.base_url + SERIES)

    assert answer.status == status
    assert "Just a moment..." in answer.text


@pytest.mark.parametrize(
    ("switch", "count"),
    [
        (lambda site: site.faults.empty_list("/animesama"), 0),
        (lambda site: site.faults.shrunk_list("/animesama", 3), 9),
        (lambda site: site.faults.blank_script("/animesama"), 0),
    ],
)
def test_a_list_is_spoilt_and_comes_back(
    site: DemoSite, switch: Callable[[DemoSite], None], count: int
) -> None:
    url = site.base_url + SCRIPT
    before = ask(url)

    switch(site)
    spoilt = ask(url, headers={"If-None-Match": before.headers["ETag"]})
    site.faults.clear()

    assert spoilt.text.count("/hosts/hls") <= count
    assert spoilt.status == 200
    assert ask(url).body == before.body


def test_a_blank_script_is_two_slashes(site: DemoSite) -> None:
    site.faults.blank_script(SCRIPT)

    assert ask(site.base_url + SCRIPT).text == "//"


def test_a_page_comes_instead_of_a_video(site: DemoSite) -> None:
    site.faults.html("/media")

    answer = ask(f"{site.base_url}/media/les-horlogers-de-minuit-101.mp4")

    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


def test_a_licensed_series_is_not_played(site: DemoSite) -> None:
    url = f"{site.base_url}/animeultime/VideoPlayer.html"
    assert "720p" in ask(url, form={"idserie": "5010"}).json()

    site.faults.licensed()

    assert ask(url, form={"idserie": "5010"}).json() == {"error": "Série licenciée"}


def test_a_dropped_answer_is_cut(site: DemoSite) -> None:
    site.faults.drop("/posters", after_bytes=100)

    with pytest.raises((HTTPException, ConnectionError)):
        ask(f"{site.base_url}/posters/cobalt-neuf.png")


def test_a_slow_answer_is_whole_in_the_end(site: DemoSite) -> None:
    url = site.base_url + SCRIPT
    whole = ask(url)

    site.faults.slow("/animesama", bytes_per_second=20_000)

    assert ask(url).body == whole.body


def test_closing_the_site_ends_a_slow_answer() -> None:
    site = DemoSite()
    site.start()
    site.faults.slow("/animesama")
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(f"GET {SERIES} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert connection.recv(5) == b"HTTP/"

        site.stop()

        rest = b""
        while piece := connection.recv(65_536):
            rest += piece
        assert b"</html>" not in rest


def test_a_moved_site_answers_at_its_new_address(site: DemoSite) -> None:
    moved = site.move()

    redirect = ask(site.base_url + SERIES)

    assert (redirect.status, redirect.headers["Location"]) == (301, moved + SERIES)
    answer = ask(moved + SERIES)
    assert answer.status == 200
    assert site.moved_url == moved


def test_a_reset_undoes_everything(site: DemoSite) -> None:
    before = ask(site.base_url + SCRIPT)
    site.publish_episode("le-phare-des-brumes")
    site.faults.status("/", 500)
    site.show_cards_as("2025")
    site.move()

    site.reset()

    assert ask(site.base_url + SCRIPT).body == before.body
    assert site.requests.count() == 1
    assert 'class="as-carte"' in ask(f"{site.base_url}/animesama/catalogue/").text
