"""Values of the environment: what is accepted, and what it becomes."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.http.request import split_domain_port, validate_host

from watchlist_project import env


@pytest.mark.parametrize(
    ("entry", "asked"),
    [
        ("tsuzuku.example.org", "tsuzuku.example.org"),
        ("Tsuzuku.Example.org", "tsuzuku.example.org:8443"),
        ("nas", "nas:8000"),
        ("nas:8000", "nas:8000"),
        (".example.org", "a.b.example.org"),
        ("*", "anything.example"),
        ("192.168.1.20", "192.168.1.20:8000"),
        ("192.168.1.20:8000", "192.168.1.20"),
        ("::1", "[::1]:8000"),
        ("[::1]:8000", "[::1]:8000"),
        ("[fe80:0:0:0:0:0:0:1]", "[fe80::1]"),
    ],
)
def test_an_accepted_host_is_one_that_matches(
    entry: str, asked: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMES", f" {entry} ,")
    domain, _ = split_domain_port(asked)
    assert validate_host(domain, env.hosts("NAMES"))


@pytest.mark.parametrize(
    "entry",
    [
        *("http://x/", "https://x", "//x", "x/", "x/path", "a b", "x:", "x:port", "x:123456"),
        *("*.example.org", ".", "..example.org", "a..b", "-x", "x-", "me@x", "été.example", "x?y"),
        *("999.1.1.1", ".1.2.3", "[::1", "::1]", "[1.2.3.4]", "[x]", "fe80::1%eth0"),
    ],
)
def test_a_host_that_can_never_match_is_refused(
    entry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NAMES", f"good.example.org,{entry}")
    with pytest.raises(env.BadSetting, match=r"NAMES=.*host names such as"):
        env.hosts("NAMES")


def test_some_names_are_given_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBERS", " one=3, two = 12 ,")
    found = env.numbers("NUMBERS", ("one", "two", "three"), least=1, most=32)
    assert found == {"one": 3, "two": 12}


def test_no_host_is_named_when_the_variable_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NAMES", " , ")
    assert env.hosts("NAMES") == []


@pytest.mark.parametrize("address", ["http://a b", "nope", "ftp://x", "http://", "http://u:p@x"])
def test_an_address_that_no_request_may_go_to_is_refused(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SITE", address)
    with pytest.raises(env.BadSetting, match=r"SITE=.*an address such as"):
        env.web_address("SITE")


def test_the_address_of_a_site_may_be_private(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SITE", "http://192.168.1.5:8080/site/")
    assert env.web_address("SITE") == "http://192.168.1.5:8080/site"


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("nonsense", "nonsense"),
        ("mysql://db/name", "mysql://db/name"),
        ("mysql://me:secret@db/name", "mysql://...@db/name"),
        ("mysql://me:s@//cret@db/name", "mysql://...@db/name"),
        ("me:secret@db", "...@db"),
        ("mysql://db/name?password=secret&x=1", "mysql://db/name?password=...&x=1"),
    ],
)
def test_an_address_of_a_database_is_shown_without_its_password(
    address: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", address)
    with pytest.raises(env.BadSetting) as refused:
        env.database("DATABASE_URL", Path("unused"))
    assert f"DATABASE_URL={shown!r} is not valid" in str(refused.value)


@pytest.mark.parametrize("zone", ["Europe/Paris", "UTC"])
def test_a_time_zone_is_taken_by_its_name(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZONE", zone)
    assert env.time_zone("ZONE", "UTC") == zone


@pytest.mark.parametrize("zone", ["Paris", "Europe", "../etc/passwd", "/etc/localtime", "UTC+2"])
def test_what_is_no_time_zone_is_refused(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZONE", zone)
    with pytest.raises(env.BadSetting, match=r"ZONE=.*such as Europe/Paris"):
        env.time_zone("ZONE", "UTC")
