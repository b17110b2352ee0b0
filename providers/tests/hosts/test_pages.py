"""Each test starts the real child process with the real yt-dlp against a loopback host."""

from __future__ import annotations

import json

import pytest

from providers.errors import (
    Blocked,
    EgressRefused,
    NotFound,
    ProviderError,
    Unreachable,
    UnsupportedHost,
)
from providers.hosts import pages
from providers.hosts.pages import PageResolver
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind, VideoSource
from providers.tests.origin import Behaviour, Origin, redirects, repeats, serves, stays_silent

MASTER = (
    b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=800000,RESOLUTION=854x480\n480.m3u8\n"
    b"#EXT-X-STREAM-INF:BANDWIDTH=2800000,RESOLUTION=1920x1080\n1080.m3u8\n"
)


def html(body: str) -> Behaviour:
    page = f"<!doctype html><html><head><title>Clip</title></head><body>{body}</body></html>"
    return serves(page.encode(), Content_Type="text/html; charset=utf-8")


def read(
    origin: Origin, policy: EgressPolicy, path: str = "/embed", max_height: int | None = None
) -> list[Stream]:
    source = VideoSource(
        f"{origin.url}{path}",
        StreamKind.PAGE,
        "host",
        headers={"Referer": "https://site.example/"},
    )
    resolver = PageResolver(policy)
    assert resolver.accepts(source)
    return resolver.resolve(source, max_height)


def test_an_html5_player_is_read(origin: Origin, policy: EgressPolicy) -> None:
    origin.answers["/embed"] = html('<video><source src="/a.mp4" type="video/mp4"></video>')
    (stream,) = read(origin, policy)
    assert (stream.url, stream.kind) == (f"{origin.url}/a.mp4", StreamKind.HTTP)
    assert origin.header("Referer", of_request=0) == "https://site.example/"


def test_a_videojs_player_is_read_and_wants_its_page_as_referer(
    origin: Origin, policy: EgressPolicy
) -> None:
    script = 'var player = videojs("v"); player.src([{src: "/v/ab/1.mp4", type: "video/mp4"},]);'
    origin.answers["/shell.php"] = html(f"<script>{script}</script>")
    (stream,) = read(origin, policy, "/shell.php?videoid=1")
    assert stream.url == f"{origin.url}/v/ab/1.mp4"
    assert stream.headers == {"Referer": f"{origin.url}/shell.php?videoid=1"}


def test_a_jwplayer_with_a_playlist_is_read(origin: Origin, policy: EgressPolicy) -> None:
    setup = json.dumps({"sources": [{"file": f"{origin.url}/m.m3u8"}]})
    origin.answers["/embed"] = html(f'<script>jwplayer("v").setup({setup});</script>')
    origin.answers["/m.m3u8"] = serves(MASTER, Content_Type="application/vnd.apple.mpegurl")
    (stream,) = read(origin, policy, max_height=720)
    assert (stream.url, stream.kind) == (f"{origin.url}/m.m3u8", StreamKind.HLS)
    assert stream.height == 480


@pytest.mark.parametrize(
    ("behaviour", "expected"),
    [
        (html("nothing to see"), UnsupportedHost),
        (serves(b"", status="404 Not Found"), NotFound),
        (serves(b"", status="410 Gone"), NotFound),
        (serves(b"", status="403 Forbidden"), Blocked),
        (serves(b"", status="502 Bad Gateway"), Unreachable),
        (redirects("http://127.0.0.1:6379/"), EgressRefused),
        (redirects("http://localhost:6379/"), EgressRefused),
        (redirects("http://169.254.169.254/latest/"), EgressRefused),
        (redirects("file:///etc/passwd"), ProviderError),
    ],
)
def test_a_page_without_a_video_says_why(
    origin: Origin, policy: EgressPolicy, behaviour: Behaviour, expected: type[ProviderError]
) -> None:
    origin.answers["/embed"] = behaviour
    with pytest.raises(expected):
        read(origin, policy)


def test_an_empty_page_has_a_plain_reason(origin: Origin, policy: EgressPolicy) -> None:
    origin.answers["/embed"] = html("nothing to see")
    with pytest.raises(UnsupportedHost, match=r"^No video was found on the page\.$"):
        read(origin, policy)


def test_a_refused_host_is_refused_with_its_reason() -> None:
    source = VideoSource("https://uqload.com/embed-abc.html", StreamKind.PAGE, "uqload")
    with pytest.raises(UnsupportedHost, match="piracy") as caught:
        PageResolver(EgressPolicy()).resolve(source, None)
    assert "DO NOT" not in str(caught.value)


def test_a_playlist_inside_the_machine_is_not_fetched(
    origin: Origin, other_origin: Origin, policy: EgressPolicy
) -> None:
    setup = json.dumps({"sources": [{"file": f"{other_origin.url}/m.m3u8"}]})
    origin.answers["/embed"] = html(f'<script>jwplayer("v").setup({setup});</script>')
    other_origin.answers["/m.m3u8"] = serves(MASTER)
    with pytest.raises(ProviderError):
        read(origin, policy)
    assert other_origin.requests == []


@pytest.mark.parametrize(
    "behaviour",
    [stays_silent(), repeats(b"HTTP/1.1 200 OK\r\n\r\n", b"x", pause_seconds=0.05)],
    ids=["silence", "a byte every moment"],
)
def test_a_slow_host_ends_at_the_deadline(
    origin: Origin, policy: EgressPolicy, monkeypatch: pytest.MonkeyPatch, behaviour: Behaviour
) -> None:
    monkeypatch.setattr(pages, "DEADLINE_SECONDS", 1)
    origin.answers["/embed"] = behaviour
    with pytest.raises(Unreachable):
        read(origin, policy)


def test_an_endless_page_ends_at_the_memory_limit(origin: Origin, policy: EgressPolicy) -> None:
    origin.answers["/embed"] = repeats(
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>", b"x" * 1_000_000
    )
    with pytest.raises(ProviderError):
        read(origin, policy)


def test_the_environment_is_not_handed_on(
    origin: Origin, other_origin: Origin, policy: EgressPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", other_origin.url)
    origin.answers["/embed"] = html('<video><source src="/a.mp4" type="video/mp4"></video>')
    assert read(origin, policy)
    assert other_origin.requests == []
