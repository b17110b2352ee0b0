from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.errors import EgressRefused, ProviderError
from providers.http import fetch_bytes
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.tests.origin import Origin, redirects, running_origin, serves
from providers.tests.spellings import SPELLINGS

NOTHING_PRIVATE = EgressPolicy()


@pytest.fixture
def canary() -> Iterator[Origin]:
    """A service of the machine itself that nobody may reach."""
    with running_origin() as running:
        running.answers["/"] = serves(b"secret")
        yield running


def test_there_are_enough_spellings() -> None:
    assert len(set(SPELLINGS)) >= 120


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_no_spelling_reaches_a_private_address(canary: Origin, spelling: str) -> None:
    url = spelling.replace("{port}", str(canary.port))
    client = SiteHttpClient("https://site.example", NOTHING_PRIVATE, deadline_seconds=3.0)
    asks: list[Callable[[], object]] = [
        lambda: fetch_bytes(url, NOTHING_PRIVATE, max_bytes=1000, deadline_seconds=3.0),
    ]
    if url.strip().lower().startswith(("http:", "https:")):
        asks.append(lambda: client.get(url))
        asks.append(lambda: client.post(url, data={}))
    for ask in asks:
        with pytest.raises(ProviderError):
            ask()
    assert canary.requests == []


@pytest.mark.parametrize("spelling", [each for each in SPELLINGS if each and "\n" not in each])
def test_no_redirect_reaches_a_private_address(
    origin: Origin, policy: EgressPolicy, canary: Origin, spelling: str
) -> None:
    location = spelling.replace("{port}", str(canary.port))
    origin.answers["/"] = redirects(location.encode().decode("latin-1"))
    client = SiteHttpClient(origin.url, policy, deadline_seconds=3.0)
    with pytest.raises(ProviderError):
        client.get("/")
    assert canary.requests == []


def test_open_and_closed_private_ports_look_the_same(canary: Origin) -> None:
    with running_origin() as closed:
        closed_port = closed.port
    messages = set()
    for port in (canary.port, closed_port):
        with pytest.raises(EgressRefused) as caught:
            fetch_bytes(
                f"http://127.0.0.1:{port}/", NOTHING_PRIVATE, max_bytes=10, deadline_seconds=3
            )
        messages.add(str(caught.value))
    assert len(messages) == 1


def test_an_allowed_port_does_not_open_its_neighbour(
    origin: Origin, policy: EgressPolicy, canary: Origin
) -> None:
    origin.answers["/"] = serves(b"ours")
    assert (
        fetch_bytes(f"{origin.url}/", policy, max_bytes=10, deadline_seconds=3).content == b"ours"
    )
    with pytest.raises(EgressRefused):
        fetch_bytes(f"{canary.url}/", policy, max_bytes=10, deadline_seconds=3)


def test_an_allowed_name_is_reached_by_that_name_and_address(origin: Origin) -> None:
    origin.answers["/"] = serves(b"ours")
    policy = EgressPolicy.parse([f"localhost:{origin.port}"])
    for host in ("localhost", "127.0.0.1"):
        url = f"http://{host}:{origin.port}/"
        assert fetch_bytes(url, policy, max_bytes=10, deadline_seconds=3).content == b"ours"


def _answers_with(*answers: list[str]) -> Callable[..., object]:
    """A resolver that gives these addresses, one list for each look-up, the last for ever."""
    waiting = list(answers)

    def look_up(host: str, port: int, *_args: object, **named: object) -> object:
        if named.get("flags"):
            raise socket.gaierror("a name")
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port),
            )
            for address in found
        ]

    return look_up


def test_a_name_that_changes_its_address_is_checked_where_it_connects(
    canary: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _answers_with(["127.0.0.1"]))
    with pytest.raises(EgressRefused):
        fetch_bytes(
            f"http://rebind.example:{canary.port}/",
            NOTHING_PRIVATE,
            max_bytes=10,
            deadline_seconds=3,
        )
    assert canary.requests == []


def test_private_addresses_of_a_mixed_answer_are_left_out(
    origin: Origin, policy: EgressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.answers["/"] = serves(b"ours")
    answer = ["10.0.0.1", "169.254.169.254", "::1", "127.0.0.1"]
    monkeypatch.setattr(socket, "getaddrinfo", _answers_with(answer))
    page = fetch_bytes(
        f"http://mixed.example:{origin.port}/", policy, max_bytes=10, deadline_seconds=3
    )
    assert page.content == b"ours"


def test_proxies_of_the_environment_are_not_used(
    origin: Origin, policy: EgressPolicy, canary: Origin, monkeypatch: pytest.MonkeyPatch
) -> None:
    origin.answers["/"] = serves(b"ours")
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url)
    page = fetch_bytes(f"{origin.url}/", policy, max_bytes=10, deadline_seconds=3)
    assert page.content == b"ours"
    assert canary.requests == []


@given(st.ip_addresses())
def test_what_is_permitted_is_global_for_the_standard_library_too(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    if NOTHING_PRIVATE.permits(str(address), 80):
        assert address.is_global
        assert not address.is_multicast


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450::1"]
)
def test_public_addresses_are_permitted(address: str) -> None:
    assert NOTHING_PRIVATE.permits(address, 443)


@pytest.mark.parametrize(
    "entry", ["nas:0", "nas:99999", "10.0.0.1:70000", "192.168.1.300", "127.1", "2130706433"]
)
def test_an_entry_that_could_never_match_is_refused(entry: str) -> None:
    with pytest.raises(ValueError, match=entry):
        EgressPolicy.parse([entry])


def test_a_policy_survives_the_way_into_another_process() -> None:
    entries = ["127.0.0.1:8080", "10.0.0.0/8", "[::1]:99", "fd00::/8", "nas.lan:8096", "box"]
    policy = EgressPolicy.parse(entries)
    assert EgressPolicy.parse(policy.entries()).allowed == policy.allowed
