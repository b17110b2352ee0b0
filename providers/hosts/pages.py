"""Player pages of video hosts: read by yt-dlp in a guarded child process, at most 45 seconds."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from providers import errors
from providers.base import HostResolver
from providers.safe_url import MAX_STREAM_URL_LENGTH, EgressPolicy, check_url
from providers.streams import Stream, StreamKind, VideoSource
from providers.text import clean_text
from providers.user_agent import USER_AGENT

DEADLINE_SECONDS = 45
_ROOT = Path(__file__).resolve().parents[2]
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]);from providers.hosts.ytdlp import main; main()"
)
_MAX_ANSWER_BYTES = 4_000_000
_HTTP_PROTOCOLS = frozenset({"http", "https"})
_HLS_PROTOCOLS = frozenset({"m3u8", "m3u8_native"})
_DASH_PROTOCOLS = frozenset({"http_dash_segments", "http_dash_segments_generator"})
_KIND_ORDER = (StreamKind.HTTP, StreamKind.HLS, StreamKind.DASH, StreamKind.SPLIT)
_ERRORS: Mapping[str, tuple[type[errors.ProviderError], str]] = {
    "egress_refused": (
        errors.EgressRefused,
        "The player leads to a private network, which is not allowed.",
    ),
    "not_found": (errors.NotFound, "The video host does not have this video any more."),
    "blocked": (errors.Blocked, "The video host refuses to answer us."),
    "rate_limited": (errors.RateLimited, "The video host asks us to slow down."),
    "unreachable": (errors.Unreachable, "The video host could not be reached."),
    "protected": (errors.Protected, "The video is protected by DRM."),
    "too_large": (errors.TooLarge, "The player page is too large."),
}


class PageResolver(HostResolver):
    """Any player page that yt-dlp can read; hosts that it refuses are refused with its reason."""

    id: ClassVar[str] = "pages"

    def __init__(self, policy: EgressPolicy) -> None:
        self._policy = policy

    def accepts(self, source: VideoSource) -> bool:
        """Whether this is a page to be read."""
        return source.kind is StreamKind.PAGE

    def resolve(self, source: VideoSource, max_height: int | None) -> list[Stream]:
        """The streams behind a page, best first. Raises the ProviderError family."""
        check_url(source.url)
        answer = self._read(source)
        code = answer.get("error")
        if code:
            raise _error(str(code), str(answer.get("reason", "")))
        duration_seconds = _number(answer.get("duration"))
        streams = streams_of(answer.get("formats") or (), duration_seconds, max_height)
        if not streams:
            raise errors.UnsupportedHost("The page offers no stream that can be downloaded.")
        return best_first(streams, max_height)

    def _read(self, source: VideoSource) -> Mapping[str, Any]:
        request = {
            "url": source.url,
            "headers": dict(source.headers),
            "user_agent": USER_AGENT,
            "allowed": self._policy.entries(),
            "seconds": DEADLINE_SECONDS,
        }
        try:
            child = subprocess.run(
                [sys.executable, "-I", "-B", "-c", _PROGRAM, str(_ROOT)],
                input=json.dumps(request).encode(),
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=DEADLINE_SECONDS,
                # Nothing of our own environment: no proxies, secrets or plug-in folders.
                env={"PATH": "/usr/bin:/bin", "YTDLP_NO_PLUGINS": "1", "LANG": "C.UTF-8"},
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise errors.Unreachable("The video host did not answer in time.") from None
        if child.returncode != 0 or len(child.stdout) > _MAX_ANSWER_BYTES:
            raise errors.TooLarge("The player page could not be read within its limits.")
        answer: Mapping[str, Any] = json.loads(child.stdout)
        return answer


def streams_of(
    formats: Iterable[Mapping[str, Any]], duration_seconds: float | None, max_height: int | None
) -> list[Stream]:
    """What the engine can fetch of yt-dlp's formats; a manifest counts once.

    Raises Protected when everything on offer is.
    """
    formats = [each for each in formats if _is_fetchable(each)]
    usable = [each for each in formats if not each.get("has_drm")]
    if formats and not usable:
        raise errors.Protected("The video is protected by DRM.")
    found = [_whole_file(each, duration_seconds) for each in usable if _is_whole_file(each)]
    found += _manifests(usable, duration_seconds, max_height)
    return found + _split(usable, duration_seconds)


def best_first(streams: Iterable[Stream], max_height: int | None) -> list[Stream]:
    """By height, none above the wish unless all are, then the lowest; whole files before others."""
    ordered = sorted(
        streams, key=lambda stream: (-(stream.height or 0), _KIND_ORDER.index(stream.kind))
    )
    if max_height is None:
        return ordered
    fitting = [each for each in ordered if each.height is None or each.height <= max_height]
    if fitting:
        return fitting
    lowest = min(each.height or 0 for each in ordered)
    return [each for each in ordered if each.height == lowest]


def _error(code: str, reason: str) -> errors.ProviderError:
    if code == errors.LayoutChanged.code:
        return errors.LayoutChanged("player", "The player page could not be read.")
    kind, sentence = _ERRORS.get(code, (errors.UnsupportedHost, ""))
    return kind(sentence or clean_text(reason, 300) or "This video host is not supported.")


def _is_fetchable(found: Mapping[str, Any]) -> bool:
    try:
        url = str(found.get("url") or found.get("manifest_url") or "")
        check_url(url, most_characters=MAX_STREAM_URL_LENGTH)
    except errors.EgressRefused:
        return False
    return _protocol(found) in _HTTP_PROTOCOLS | _HLS_PROTOCOLS | _DASH_PROTOCOLS


def _protocol(found: Mapping[str, Any]) -> str:
    return str(found.get("protocol") or "https")


def _is_whole_file(found: Mapping[str, Any]) -> bool:
    has_both = found.get("vcodec") != "none" and found.get("acodec") != "none"
    return _protocol(found) in _HTTP_PROTOCOLS and has_both


def _number(value: object) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    return float(value) if is_number else None  # type: ignore[arg-type]  # narrowed above


def _height(found: Mapping[str, Any]) -> int | None:
    height = _number(found.get("height"))
    return int(height) if height else None


def _whole_file(found: Mapping[str, Any], duration_seconds: float | None) -> Stream:
    size = _number(found.get("filesize"))
    return Stream(
        url=str(found["url"]),
        kind=StreamKind.HTTP,
        headers=dict(found.get("headers") or {}),
        height=_height(found),
        duration_seconds=duration_seconds,
        size_bytes=int(size) if size else None,
    )


def _manifests(
    formats: Iterable[Mapping[str, Any]], duration_seconds: float | None, max_height: int | None
) -> list[Stream]:
    """One stream a manifest, with the height of the variant that the wish leads to."""
    by_url: dict[str, list[Mapping[str, Any]]] = {}
    for found in formats:
        if _protocol(found) not in _HTTP_PROTOCOLS:
            by_url.setdefault(str(found.get("manifest_url") or found.get("url")), []).append(found)
    return [
        Stream(
            url=url,
            kind=StreamKind.HLS if _protocol(variants[0]) in _HLS_PROTOCOLS else StreamKind.DASH,
            headers=dict(variants[0].get("headers") or {}),
            height=_chosen_height(variants, max_height),
            duration_seconds=duration_seconds,
        )
        for url, variants in by_url.items()
    ]


def _chosen_height(variants: Iterable[Mapping[str, Any]], max_height: int | None) -> int | None:
    heights = [height for each in variants if (height := _height(each)) is not None]
    fitting = [height for height in heights if max_height is None or height <= max_height]
    return max(fitting, default=min(heights, default=None))


def _split(formats: Iterable[Mapping[str, Any]], duration_seconds: float | None) -> list[Stream]:
    """Every picture-only file together with the best sound-only one."""
    plain = [each for each in formats if _protocol(each) in _HTTP_PROTOCOLS]
    sounds = [each for each in plain if each.get("vcodec") == "none"]
    pictures = [
        each for each in plain if each.get("acodec") == "none" and each.get("vcodec") != "none"
    ]
    if not sounds:
        return []
    sound = max(sounds, key=lambda each: _number(each.get("tbr")) or 0.0)
    return [
        Stream(
            url=str(picture["url"]),
            kind=StreamKind.SPLIT,
            headers=dict(picture.get("headers") or {}),
            audio_url=str(sound["url"]),
            audio_headers=dict(sound.get("headers") or {}),
            height=_height(picture),
            duration_seconds=duration_seconds,
        )
        for picture in pictures
    ]
