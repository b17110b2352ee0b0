"""The program that reads a player page with yt-dlp, in a process of its own; see `pages`.

The only module that imports yt_dlp. The process lives for one page. Before anything of the page is
read, an audit hook is set for good: it refuses connections to addresses that the egress policy
does not permit, other processes, and writing files. The options are fixed here: no configuration,
plug-ins, cookies, netrc, external programs or post-processing.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import resource
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from providers.safe_url import EgressPolicy

MAX_MEMORY_BYTES = 512 * 1024 * 1024  # of address space; yt-dlp itself needs a third of it
_SOCKET_SECONDS = 15
_MAX_FORMATS = 300
_MAX_REASON_LENGTH = 300
_FORMAT_FIELDS = [
    "url",
    "manifest_url",
    "protocol",
    "vcodec",
    "acodec",
    "height",
    "tbr",
    "filesize",
    "has_drm",
]
_KEPT_HEADERS = ("Referer", "Origin")
_REFUSED_EVENTS = frozenset(
    [
        "subprocess.Popen",
        "os.system",
        "os.exec",
        "os.posix_spawn",
        "os.spawn",
        "os.fork",
        "os.forkpty",
        "os.startfile",
        "pty.spawn",
        "socket.bind",
        "socket.sendto",
        "socket.sendmsg",
        "os.remove",
        "os.rename",
        "os.rmdir",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "os.chmod",
        "os.chown",
        "shutil.rmtree",
    ]
)
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_NOT_WORDS = re.compile(r"\x1b\[[0-9;]*m|https?://\S+")  # which have three letters by chance
_ADVICE = re.compile(
    r"[.;]? *(?:please report this issue|see +https://github\.com|do not open issues).*",
    re.IGNORECASE | re.DOTALL,
)


class _Guard:
    """The audit hook, and the memory of whether it refused an address."""

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy
        self.has_refused_address = False

    def __call__(self, event: str, args: tuple[Any, ...]) -> None:
        if event == "socket.connect":
            self._check_address(args[1])
        elif event in _REFUSED_EVENTS:
            raise PermissionError(f"{event} is not allowed here")
        elif event == "open" and isinstance(args[2], int) and args[2] & _WRITING:
            raise PermissionError("writing files is not allowed here")

    def _check_address(self, address: object) -> None:
        # A name here would be looked up after the check: only literal addresses pass.
        is_pair = isinstance(address, tuple) and len(address) >= 2  # noqa: PLR2004 -- host and port
        if is_pair and self._policy.permits(str(address[0]), int(address[1])):  # type: ignore[index]  # a pair
            return
        self.has_refused_address = True
        raise PermissionError("the address leads to a private network")


class _Silence:
    """yt-dlp's messages; the exceptions say enough."""

    def debug(self, message: str) -> None:
        """Say nothing."""

    info = warning = error = debug


def main() -> None:
    """Read one request from standard input, write one answer to standard output, as JSON."""
    request = json.load(sys.stdin)
    _limit(int(request["seconds"]))
    answer = _answer(request)
    json.dump(answer, sys.stdout)
    sys.stdout.flush()


def _limit(seconds: int) -> None:
    """End by ourselves even when the parent is killed and nobody waits any more."""
    signal.alarm(seconds + 5)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):
        # macOS knows this limit and takes no value for it.
        resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY_BYTES, MAX_MEMORY_BYTES))


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    import yt_dlp  # noqa: PLC0415 -- takes a second; only this process pays for it

    guard = _Guard(EgressPolicy.parse(request["allowed"]))
    options = _options(request["headers"], request["user_agent"])
    socket.setdefaulttimeout(_SOCKET_SECONDS)
    sys.addaudithook(guard)
    try:
        with yt_dlp.YoutubeDL(options) as reader:
            found = reader.extract_info(request["url"], download=False)
    except (Exception, MemoryError) as error:  # noqa: BLE001 -- whatever a page does ends in a reason
        if guard.has_refused_address:
            return {"error": "egress_refused", "reason": ""}
        return {"error": _code(error), "reason": _reason(error)}
    return _described(found)


def _options(headers: Mapping[str, str], user_agent: str) -> dict[str, Any]:
    return {
        "http_headers": {**headers, "User-Agent": user_agent},
        "logger": _Silence(),
        "quiet": True,
        "noprogress": True,
        "no_warnings": True,
        "color": {"stdout": "never", "stderr": "never"},
        "skip_download": True,
        "simulate": True,
        "format": "all",
        "noplaylist": True,
        "playlist_items": "1",
        "ignoreconfig": True,
        "cachedir": False,
        "cookiefile": None,
        "cookiesfrombrowser": None,
        "usenetrc": False,
        "proxy": "",
        "enable_file_urls": False,
        "allow_unplayable_formats": False,
        "check_formats": False,
        "postprocessors": [],
        "js_runtimes": {},
        "remote_components": [],
        "socket_timeout": _SOCKET_SECONDS,
        "retries": 0,
        "extractor_retries": 0,
        "ffmpeg_location": "/nonexistent",
    }


def _described(found: Any) -> dict[str, Any]:
    video = found
    while video and video.get("_type") in {"playlist", "multi_video"}:
        entries = [entry for entry in video.get("entries") or () if entry]
        video = entries[0] if entries else None
    if not video:
        return {"error": "unsupported_host", "reason": "No video was found on the page."}
    if video.get("is_live"):
        return {"error": "unsupported_host", "reason": "A live broadcast cannot be downloaded."}
    formats = [_format(each) for each in (video.get("formats") or [video])[-_MAX_FORMATS:]]
    return {"formats": formats, "duration": video.get("duration")}


def _format(found: Mapping[str, Any]) -> dict[str, Any]:
    headers = found.get("http_headers") or {}
    return {
        **{name: found.get(name) for name in _FORMAT_FIELDS},
        "headers": {name: str(headers[name]) for name in _KEPT_HEADERS if headers.get(name)},
    }


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The error and what it was made from; yt-dlp keeps the cause in places of its own."""
    seen: set[int] = set()
    waiting: list[Any] = [error]
    while waiting:
        each = waiting.pop(0)
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        exc_info = getattr(each, "exc_info", None) or (None, None)
        waiting += [exc_info[1], getattr(each, "cause", None), each.__cause__, each.__context__]


def _code(error: BaseException) -> str:
    """Which of our errors this is."""
    from yt_dlp.networking import exceptions as network  # noqa: PLC0415 -- as above
    from yt_dlp.utils import UnsupportedError  # noqa: PLC0415 -- as above

    causes = list(_chain(error))
    for cause in causes:
        if isinstance(cause, network.HTTPError):
            return _code_of_status(int(cause.status))
    if _speaks_of_drm(str(error)):
        return "protected"
    if any(isinstance(cause, MemoryError) for cause in causes):
        return "too_large"
    if any(isinstance(cause, network.TransportError | OSError) for cause in causes):
        return "unreachable"
    if any(isinstance(cause, UnsupportedError) for cause in causes):
        return "unsupported_host"
    return "unsupported_host" if getattr(causes[-1], "expected", True) else "layout_changed"


def _speaks_of_drm(message: str) -> bool:
    return re.search(r"\bDRM\b", _NOT_WORDS.sub("", message)) is not None


def _code_of_status(status: int) -> str:
    if status in {404, 410}:
        return "not_found"
    if status in {401, 403, 451}:
        return "blocked"
    return "rate_limited" if status == 429 else "unreachable"  # noqa: PLR2004 -- RFC 6585


def _reason(error: BaseException) -> str:
    """Its words without colours and without advice for those who develop yt-dlp."""
    from yt_dlp.utils import UnsupportedError  # noqa: PLC0415 -- as above

    if any(isinstance(cause, UnsupportedError) for cause in _chain(error)):
        return "No video was found on the page."
    text = _COLOURS.sub("", str(error)).removeprefix("ERROR: ")
    return _ADVICE.sub("", text).strip()[:_MAX_REASON_LENGTH]
