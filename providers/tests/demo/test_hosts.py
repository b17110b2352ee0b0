from __future__ import annotations

import pytest

from providers.demo import DemoSite
from providers.errors import NotFound
from providers.hosts.pages import PageResolver
from providers.safe_url import EgressPolicy
from providers.streams import Stream, StreamKind, VideoSource
from providers.tests.demo.asking import ask


def streams_of(site: DemoSite, path: str) -> list[Stream]:
    """What yt-dlp reads of a player page."""
    url = site.base_url + path
    source = VideoSource(url, StreamKind.PAGE, "player", headers={"Referer": url})
    return PageResolver(EgressPolicy.parse(site.allowed_hosts)).resolve(source, None)


def test_ytdlp_reads_the_page_with_an_html5_video(site: DemoSite) -> None:
    (stream,) = streams_of(site, "/hosts/sendvid/101")

    assert stream.kind is StreamKind.HTTP
    assert ask(stream.url).headers["Content-Type"] == "video/mp4"


def test_ytdlp_reads_the_videojs_page_and_its_file_needs_the_referer(site: DemoSite) -> None:
    (stream,) = streams_of(site, "/hosts/sibnet/shell.php?videoid=101")

    assert ask(stream.url).status == 400
    assert ask(stream.url, headers={"Referer": site.base_url}).status == 403
    redirect = ask(stream.url, headers=stream.headers)
    assert redirect.status == 302
    assert ask(redirect.headers["Location"]).headers["Content-Type"] == "video/mp4"


@pytest.mark.parametrize(
    ("host", "playlist"),
    [("hls", "/master.m3u8"), ("hls-fmp4", "/fmp4/master.m3u8"), ("hls-aes", "/aes/master.m3u8")],
)
def test_ytdlp_reads_the_pages_with_hls(site: DemoSite, host: str, playlist: str) -> None:
    (stream,) = streams_of(site, f"/hosts/{host}/101")

    assert stream.kind is StreamKind.HLS
    assert stream.height == 720
    assert stream.url.endswith(playlist)


def test_a_removed_video_is_not_found(site: DemoSite) -> None:
    with pytest.raises(NotFound):
        streams_of(site, "/hosts/dead/101")


def test_expired_links_are_refused_and_new_ones_hold(site: DemoSite) -> None:
    page = f"{site.base_url}/hosts/sibnet/shell.php?videoid=101"
    file = f"{site.base_url}/hosts/sibnet/v/0/101.mp4"
    old = ask(file, headers={"Referer": page}).headers["Location"]

    site.expire_links()

    assert ask(old).status == 403
    new = ask(file, headers={"Referer": page}).headers["Location"]
    assert ask(new, headers={"Range": "bytes=0-9"}).status == 206
