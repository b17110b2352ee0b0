"""Which of anime-sama's players to try, in which order, and what each wants to be told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

from providers.streams import StreamKind, VideoSource

_KINDS: Final = {
    ".mp4": StreamKind.HTTP,
    ".m4v": StreamKind.HTTP,
    ".webm": StreamKind.HTTP,
    ".m3u8": StreamKind.HLS,
}
# Best first: what can be read without trouble, then what often refuses, then the rest.
_PREFERENCE: Final = (
    ("sendvid",),
    ("sibnet",),
    ("ok.ru", "vk.com", "vkvideo.ru", "dailymotion", "youtube", "youtu.be", "mail.ru"),
    ("vidmoly", "ansembed"),
)
_OLD_VIDMOLY: Final = re.compile(r"(?<=//)((?:www\.)?vidmoly)\.(?:to|net)(?=[/:])")


def sources(urls: Iterable[str], *, referer: str, lang: str) -> list[VideoSource]:
    """Sources for the players of one episode, best first, each once.

    `referer` is the season's page. Raises nothing; players without an address are left out.
    """
    rewritten = (_OLD_VIDMOLY.sub(r"\1.biz", url, count=1) for url in urls if url)
    found = [_source(url, referer, lang) for url in dict.fromkeys(rewritten)]
    return sorted(found, key=lambda source: _rank(source.kind, urlsplit(source.url)))


def _source(url: str, referer: str, lang: str) -> VideoSource:
    parts = urlsplit(url)
    kind = _KINDS.get(PurePosixPath(unquote(parts.path)).suffix.lower(), StreamKind.PAGE)
    return VideoSource(
        url=url,
        kind=kind,
        label=(parts.hostname or "").removeprefix("www."),
        lang=lang,
        headers={"Referer": url if _is_sibnet(parts) else referer},
    )


def _is_sibnet(parts: SplitResult) -> bool:
    """Its files are given only to those who come from the player's own page."""
    return "sibnet." in (parts.hostname or "") or parts.path.endswith("/shell.php")


def _rank(kind: StreamKind, parts: SplitResult) -> int:
    if kind is not StreamKind.PAGE:
        return 0
    host = f".{parts.hostname}."
    for rank, names in enumerate(_PREFERENCE, start=1):
        if any(f".{name}." in host for name in names):
            return rank
    return len(_PREFERENCE) + 1
