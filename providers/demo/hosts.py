"""Player pages in the shapes of the video hosts that the sites embed."""

from __future__ import annotations

import re
from http import HTTPStatus

from providers.demo import media
from providers.demo.clips import Clip
from providers.demo.context import Context, escaped, page
from providers.demo.wire import Reply, Request
from providers.demo.works import Episode

_SENDVID = re.compile(r"/hosts/sendvid/(\d+)")
_HLS = re.compile(r"/hosts/hls(?:-(fmp4|aes))?/(\d+)")
_SIBNET_FILE = re.compile(r"/hosts/sibnet/v/[0-9a-f]+/(\d+)\.mp4")
_DEAD = re.compile(r"/hosts/dead/\w+")
_SIBNET_PAGE = "/hosts/sibnet/shell.php"
_HLS_KINDS = ("", "-fmp4", "-aes")


def sibnet_url(origin: str, uid: int | str) -> str:
    """A page whose video is given only to those who come from it."""
    return f"{origin}{_SIBNET_PAGE}?videoid={uid}"


def sendvid_url(origin: str, uid: int | str) -> str:
    """A page with an HTML5 video."""
    return f"{origin}/hosts/sendvid/{uid}"


def hls_url(origin: str, episode: Episode) -> str:
    """A page with an HLS stream: TS, fMP4 and AES-128 take turns."""
    return f"{origin}/hosts/hls{_HLS_KINDS[episode.uid % len(_HLS_KINDS)]}/{episode.uid}"


def dead_url(origin: str, uid: int) -> str:
    """A page whose video was removed."""
    return f"{origin}/hosts/dead/{uid}"


def answer(context: Context, request: Request) -> Reply | None:
    """A page below /hosts/."""
    path = request.path
    if path == _SIBNET_PAGE:
        return _sibnet(context, request.query.get("videoid", ""))
    if found := _SIBNET_FILE.fullmatch(path):
        return _sibnet_file(context, request, int(found[1]))
    if found := _SENDVID.fullmatch(path):
        return _sendvid(context, request, int(found[1]))
    if found := _HLS.fullmatch(path):
        return _hls(context, request, int(found[2]), found[1] or "")
    if _DEAD.fullmatch(path):
        reply = page("Not found", "<h1>This video has been deleted</h1>")
        reply.status = HTTPStatus.NOT_FOUND
        return reply
    return None


def _sendvid(context: Context, request: Request, uid: int) -> Reply | None:
    clip = context.clip(uid)
    if clip is None:
        return None
    url = media.file_url(request.origin, clip)
    body = (
        f'<video id="video-js-video" class="video-js" controls poster="">'
        f'<source src="{url}" type="video/mp4"></video>'
    )
    head = (
        f'<meta property="og:title" content="{escaped(_name(clip))}">'
        f'<meta property="og:video" content="{url}">'
        '<meta property="og:video:type" content="video/mp4">'
    )
    return page(_name(clip), body, head=head)


def _sibnet(context: Context, videoid: str) -> Reply | None:
    clip = context.clip(int(videoid)) if videoid.isdecimal() else None
    if clip is None:
        reply = page("Video", "<p>Видео не найдено</p>")
        reply.status = HTTPStatus.NOT_FOUND
        return reply
    token = format(int(videoid) * 7919, "032x")
    body = (
        '<video id="video_html5_wrapper" class="video-js"></video><script>'
        "var player = videojs('video_html5_wrapper', {controls: true});\n"
        f'player.src([{{src: "/hosts/sibnet/v/{token}/{videoid}.mp4", type: "video/mp4"}},]);'
        "</script>"
    )
    head = f'<meta property="og:title" content="{escaped(_name(clip))}">'
    return page(_name(clip), body, head=head)


def _sibnet_file(context: Context, request: Request, uid: int) -> Reply | None:
    clip = context.clip(uid)
    referer = request.headers.get("referer", "")
    if clip is None:
        return None
    if not referer:
        return Reply(b"no referer", "text/plain", HTTPStatus.BAD_REQUEST)
    if f"{_SIBNET_PAGE}?videoid={uid}" not in referer:
        return Reply(b"wrong referer", "text/plain", HTTPStatus.FORBIDDEN)
    token = context.signer.signed(clip.name)
    location = f"{request.origin}/media/signed/{token}/{clip.name}.mp4"
    return Reply(status=HTTPStatus.FOUND, headers={"Location": location})


def _hls(context: Context, request: Request, uid: int, kind: str) -> Reply | None:
    clip = context.clip(uid)
    if clip is None:
        return None
    folder = f"{kind}/" if kind else ""
    url = f"{request.origin}/media/{clip.name}/{folder}master.m3u8"
    body = (
        '<div id="player"></div><script>var player = jwplayer("player");\n'
        f'player.setup({{sources: [{{file:"{url}"}}], width: "100%", height: "100%"}});</script>'
        f'<script>jwplayer("player").setup({{sources:[{{file:"{url}"}}]}});</script>'
    )
    return page(_name(clip), body)


def _name(clip: Clip) -> str:
    return f"{clip.title} - {clip.label}"
