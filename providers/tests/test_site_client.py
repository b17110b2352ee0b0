from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from providers.errors import ProviderError
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.tests.origin import Origin, redirects, serves


@pytest.fixture
def client(origin: Origin, policy: EgressPolicy) -> SiteHttpClient:
    return SiteHttpClient(origin.url, policy, deadline_seconds=5.0)


def test_a_path_is_joined_to_the_base(origin: Origin, policy: EgressPolicy) -> None:
    origin.answers["/site/a b"] = serves(b"")
    origin.answers["/site/a%20b"] = serves(b"found")
    client = SiteHttpClient(f"{origin.url}/site/", policy)
    assert client.base_url == f"{origin.url}/site"
    assert client.get("/a b", params={"q": "é&=", "page": "1"}).content == b"found"
    assert origin.paths() == ["/site/a%20b?q=%C3%A9%26%3D&page=1"]


def test_an_absolute_address_is_taken_as_it_is(origin: Origin, client: SiteHttpClient) -> None:
    origin.answers["/x"] = serves(b"found")
    assert client.get(f"{origin.url}/x").content == b"found"
    assert client.get(f"//127.0.0.1:{origin.port}/x").content == b"found"


def test_a_form_is_encoded_as_the_site_reads_it(origin: Origin, client: SiteHttpClient) -> None:
    origin.answers["/search"] = serves(b"ok")
    client.post("/search", data={"search": "été"}, encoding="iso-8859-1")
    assert origin.requests[-1].endswith(b"\r\n\r\nsearch=%E9t%E9")
    assert origin.header("Content-Type") == "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("statuses", "final", "expected"),
    [
        (["301 Moved"], "200 OK", 1),
        (["308 Moved"], "200 OK", 1),
        (["302 Found"], "200 OK", 0),
        (["301 Moved"], "404 Not Found", 0),
        (["301 Moved"], "403 Forbidden", 0),
    ],
)
def test_only_a_lasting_move_that_answers_is_reported(
    *, origin: Origin, other_origin: Origin, statuses: list[str], final: str, expected: int
) -> None:
    moves: list[str] = []
    client = SiteHttpClient(origin.url, EgressPolicy.parse(["127.0.0.1"]), on_moved=moves.append)
    origin.answers["/s/x"] = redirects(f"{other_origin.url}/s/x", statuses[0])
    other_origin.answers["/s/x"] = serves(b"x", status=final)
    try:
        client.get("/s/x")
    except ProviderError:
        assert expected == 0
    assert moves == [other_origin.url] * expected


def test_many_threads_share_one_client(origin: Origin, client: SiteHttpClient) -> None:
    for number in range(40):
        origin.answers[f"/{number}"] = serves(str(number).encode())
    with ThreadPoolExecutor(8) as threads:
        texts = threads.map(lambda number: client.get(f"/{number}").text, range(40))
    assert list(texts) == [str(number) for number in range(40)]
