from __future__ import annotations

import gzip
import multiprocessing
import socket
import ssl
import threading
from pathlib import Path

import pytest
import trustme

from providers import http
from providers.errors import EgressRefused, LayoutChanged, RateLimited, Unreachable
from providers.http import fetch_bytes
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.tests.origin import Origin, page, redirects, sends, serves
from providers.types import PageValidator


@pytest.fixture
def client(origin: Origin, policy: EgressPolicy) -> SiteHttpClient:
    return SiteHttpClient(origin.url, policy, deadline_seconds=5.0)


def test_connections_are_kept_alive(origin: Origin, client: SiteHttpClient) -> None:
    ports = set()

    def note_port(connection: socket.socket) -> None:
        ports.add(connection.getpeername()[1])
        connection.sendall(page(b"x"))

    note_port.ends_connection = False  # type: ignore[attr-defined]  # read by Origin
    origin.answers["/"] = note_port
    for _ in range(5):
        client.get("/")
    assert len(ports) == 1


def test_a_kept_connection_that_the_site_closed_is_opened_again(
    origin: Origin, client: SiteHttpClient
) -> None:
    calls = []

    def break_the_second(connection: socket.socket) -> None:
        calls.append(connection)
        if len(calls) == 2:
            connection.shutdown(socket.SHUT_RDWR)
        else:
            connection.sendall(page(b"x"))

    break_the_second.ends_connection = False  # type: ignore[attr-defined]  # read by Origin
    origin.answers["/"] = break_the_second
    assert client.get("/").content == b"x"
    assert client.get("/").content == b"x"
    assert len(origin.requests) == 3


def test_validators_make_a_request_conditional(origin: Origin, client: SiteHttpClient) -> None:
    origin.answers["/"] = sends(b"HTTP/1.1 304 Not Modified\r\n\r\n")
    known = PageValidator(
        etag='"abc"',
        last_modified="Sun, 01 Nov 2026 00:00:00 GMT",
        digest="d",
        host=f"127.0.0.1:{origin.port}",
    )
    found = client.get("/", known=known)
    assert found.unchanged
    assert (found.text, found.content) == ("", b"")
    assert found.validator == known
    assert origin.header("If-None-Match") == '"abc"'
    assert origin.header("If-Modified-Since") == "Sun, 01 Nov 2026 00:00:00 GMT"


def test_validators_are_sent_to_the_host_that_gave_them_and_no_other(
    origin: Origin, other_origin: Origin
) -> None:
    policy = EgressPolicy.parse(["127.0.0.1"])
    other_origin.answers["/"] = serves(b"x", ETag='"1"')
    origin.answers["/"] = redirects(f"{other_origin.url}/")
    known = SiteHttpClient(origin.url, policy).get("/").validator
    assert SiteHttpClient(origin.url, policy).get("/", known=known).unchanged
    assert origin.header("If-None-Match") is None
    assert other_origin.header("If-None-Match") == '"1"'
    origin.answers["/"] = serves(b"the list of another site")
    moved = SiteHttpClient(origin.url, policy).get("/", known=known)
    assert origin.header("If-None-Match") is None
    assert moved.text == "the list of another site"


def test_an_equal_body_is_unchanged_without_validators(
    origin: Origin, client: SiteHttpClient
) -> None:
    origin.answers["/"] = serves(b"same")
    first = client.get("/")
    assert not first.unchanged
    assert client.get("/", known=first.validator).unchanged
    origin.answers["/"] = serves(b"other")
    assert client.get("/", known=first.validator).text == "other"


def test_odd_validators_are_not_remembered(origin: Origin, client: SiteHttpClient) -> None:
    origin.answers["/"] = serves(b"x", ETag='"' + "a" * 600 + '"', Last_Modified="caf\xe9")
    validator = client.get("/").validator
    assert (validator.etag, validator.last_modified) == ("", "")


@pytest.mark.parametrize(
    ("content", "content_type", "encoding", "expected"),
    [
        ("é".encode(), "text/html", None, "é"),
        (b"\xe9", "text/html; charset=ISO-8859-1", None, "é"),
        (b"<meta charset='iso-8859-1'>\xe9", "text/html", None, "<meta charset='iso-8859-1'>é"),
        (
            b"<meta http-equiv=x content='text/html; charset=latin1'>\xe9",
            "text/html",
            "utf-8",
            "<meta http-equiv=x content='text/html; charset=latin1'>é",
        ),
        ("<meta charset=utf-16>é".encode(), "text/html", None, "<meta charset=utf-16>é"),
        (
            "<meta charset=latin1>é".encode(),
            "text/html; charset=utf-8",
            None,
            "<meta charset=latin1>é",
        ),
        (b"\x9c", "text/html; charset=iso-8859-1", None, "œ"),
        (b"\xe9", "text/html", "iso-8859-1", "é"),
        ("é".encode(), 'text/html; charset="UTF-8"', "iso-8859-1", "é"),
        (b"a\xff\xfeb", "text/html", None, "a\ufffd\ufffdb"),
        (b"\xef\xbb\xbfa", "text/html", None, "a"),
        ("é".encode(), "text/html; charset=base64", None, "é"),
        ("é".encode(), "text/html; charset=unicode_escape", None, "é"),
        ("é".encode(), "text/html; charset=../../x", None, "é"),
        ("é".encode("shift_jis", "replace"), "text/html; charset=shift_jis", None, "?"),
        (b"\x00a\x00", "text/plain", None, "\x00a\x00"),
        (b"\xff\xd8\xff", "image/jpeg", None, ""),
    ],
)
def test_text_is_decoded_as_declared_given_or_utf_8(
    *,
    origin: Origin,
    client: SiteHttpClient,
    content: bytes,
    content_type: str,
    encoding: str | None,
    expected: str,
) -> None:
    origin.answers["/"] = serves(content, Content_Type=content_type)
    found = client.get("/", encoding=encoding)
    assert found.text == expected
    assert found.content == content


def test_a_compressed_page_is_inflated(origin: Origin, client: SiteHttpClient) -> None:
    body = gzip.compress(b"one ") + gzip.compress(b"two")
    origin.answers["/"] = serves(body, Content_Encoding="gzip")
    assert client.get("/").text == "one two"
    assert origin.header("Accept-Encoding") == "gzip"


@pytest.mark.parametrize(
    ("coding", "body"),
    [
        ("gzip", gzip.compress(b"one", mtime=0) + b"\0" * 10),
        ("gzip, identity", gzip.compress(b"one", mtime=0)),
        ("none", b"one"),
        ("UTF-8", b"one"),
    ],
)
def test_an_oddly_said_coding_is_understood(
    origin: Origin, client: SiteHttpClient, coding: str, body: bytes
) -> None:
    origin.answers["/"] = serves(body, Content_Encoding=coding)
    assert client.get("/").text == "one"


@pytest.mark.parametrize("body", [b"no json", b"NaN", b"[" * 100_000, b'{"a": 1', b"\xff"])
def test_what_is_no_json_is_a_changed_layout(
    origin: Origin, client: SiteHttpClient, body: bytes
) -> None:
    origin.answers["/"] = serves(body)
    with pytest.raises(LayoutChanged):
        client.get("/").json()


def test_an_ordinary_page_behind_cloudflare_is_no_challenge(
    origin: Origin, client: SiteHttpClient
) -> None:
    body = b"<html><script src='/cdn-cgi/challenge-platform/h/b/scripts/jsd/main.js'></script>"
    origin.answers["/"] = serves(body)
    assert client.get("/").content == body


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120.0),
        ("0", 0.0),
        ("99999999", 21600.0),
        ("soon", None),
        ("-5", None),
        ("1e9", None),
    ],
)
def test_the_wish_to_wait_is_read_and_capped(
    origin: Origin, client: SiteHttpClient, value: str, seconds: float | None
) -> None:
    origin.answers["/"] = serves(b"", status="429 Slow", Retry_After=value)
    with pytest.raises(RateLimited) as caught:
        client.get("/")
    assert caught.value.retry_after_seconds == seconds


def test_a_date_to_wait_for_is_capped(origin: Origin, client: SiteHttpClient) -> None:
    origin.answers["/"] = serves(b"", status="503 x", Retry_After="Sun, 01 Jan 2090 00:00:00 GMT")
    with pytest.raises(RateLimited) as caught:
        client.get("/")
    assert caught.value.retry_after_seconds == 21600.0


def test_private_headers_stay_with_the_first_origin(origin: Origin, other_origin: Origin) -> None:
    policy = EgressPolicy.parse(["127.0.0.1"])
    origin.answers["/same"] = redirects("/a")
    origin.answers["/a"] = serves(b"")
    origin.answers["/other"] = redirects(f"{other_origin.url}/b")
    other_origin.answers["/b"] = serves(b"")
    client = SiteHttpClient(origin.url, policy)
    headers = {"Referer": "https://secret.example/?t=1", "X-Requested-With": "x", "X-Api-Key": "k"}
    client.get("/same", headers=headers)
    assert origin.header("X-Api-Key") == "k"
    client.get("/other", headers=headers)
    for name in headers:
        assert other_origin.header(name) is None


def test_cookies_are_never_sent_back(origin: Origin, client: SiteHttpClient) -> None:
    origin.answers["/"] = serves(b"", Set_Cookie="a=b; Path=/")
    client.get("/")
    client.get("/")
    assert origin.header("Cookie") is None


@pytest.mark.parametrize("count", [5, 6])
def test_five_redirects_are_followed_and_not_six(
    origin: Origin, client: SiteHttpClient, count: int
) -> None:
    for number in range(count):
        origin.answers[f"/{number}"] = redirects(f"/{number + 1}")
    origin.answers[f"/{count}"] = serves(b"end")
    if count == 5:
        assert client.get("/0").url == f"{origin.url}/5"
    else:
        with pytest.raises(Unreachable):
            client.get("/0")


def test_a_form_becomes_a_question_after_303_and_stays_one_after_307(
    origin: Origin, client: SiteHttpClient
) -> None:
    origin.answers["/303"] = redirects("/end", "303 See Other")
    origin.answers["/307"] = redirects("/end", "307 Temporary Redirect")
    origin.answers["/end"] = serves(b"")
    client.post("/303", data={"a": "b"})
    assert origin.requests[-1].startswith(b"GET /end ")
    client.post("/307", data={"a": "b"})
    assert origin.requests[-1].startswith(b"POST /end ")
    assert origin.requests[-1].endswith(b"a=b")


def _fetch_in_child(url: str, entries: list[str], answers: multiprocessing.Queue[str]) -> None:
    found = fetch_bytes(url, EgressPolicy.parse(entries), max_bytes=100, deadline_seconds=5)
    answers.put(found.text)


@pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")
def test_a_forked_child_has_a_watchdog_and_connections_of_its_own(
    origin: Origin, client: SiteHttpClient
) -> None:
    origin.answers["/"] = serves(b"ours")
    client.get("/")
    context = multiprocessing.get_context("fork")
    answers: multiprocessing.Queue[str] = context.Queue()
    child = context.Process(
        target=_fetch_in_child, args=(f"{origin.url}/", [f"127.0.0.1:{origin.port}"], answers)
    )
    child.start()
    assert answers.get(timeout=20) == "ours"
    child.join()
    assert client.get("/").text == "ours"


def _serve_tls(origin: Origin, authority: trustme.CA) -> int:
    """A TLS face of the origin; its port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
                origin._serve(context.wrap_socket(connection, server_side=True))
            except ssl.SSLError:
                continue
            except OSError:
                return

    threading.Thread(target=serve, daemon=True).start()
    return int(listener.getsockname()[1])


def test_tls_is_verified_and_never_left(
    origin: Origin, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    port = _serve_tls(origin, authority)
    policy = EgressPolicy.parse(["127.0.0.1"])
    client = SiteHttpClient(f"https://127.0.0.1:{port}", policy, deadline_seconds=5)
    origin.answers["/"] = serves(b"secret place")
    with pytest.raises(Unreachable):
        client.get("/")
    trusted = tmp_path / "authority.pem"
    authority.cert_pem.write_to_path(str(trusted))
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    http._transport.cache_clear()
    assert client.get("/").content == b"secret place"
    assert client.get("/").content == b"secret place"
    origin.answers["/down"] = redirects(f"{origin.url}/")
    with pytest.raises(EgressRefused):
        client.get("/down")
    http._transport.cache_clear()
