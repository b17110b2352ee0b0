"""anime-ultime's addresses and references: the id of a series, the name of its page, or both."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from providers.errors import NotASeries
from providers.parsing import quoted
from providers.sites.animeultime_v5 import page_of

_OLD_PATH: Final = re.compile(r"/file-0-1/(\d{1,9})(?:-([^/]{0,200}))?")
_NEW_PATH: Final = re.compile(r"/[^/]{1,200}-streaming\.html", re.IGNORECASE)
_OLD_HOST: Final = "www."
_NEW_HOST: Final = "v5."


@dataclass(frozen=True, slots=True)
class Ref:
    """What names a series; at least one of the two is known."""

    series_id: str
    page: str  # without ".html"

    @classmethod
    def parse(cls, series_ref: str) -> Ref:
        """Read what `str` of a reference gives. Raises NotASeries."""
        series_id, slash, page = series_ref.partition("/")
        is_known = bool(series_id or page) and "/" not in page
        if not slash or not is_known or (series_id and not series_id.isdecimal()):
            raise NotASeries("This is no reference of anime-ultime.")
        return cls(series_id, page)

    def __str__(self) -> str:
        return f"{self.series_id}/{self.page}"

    def url(self, base_url: str) -> str:
        """The address of the series for people."""
        if self.page:
            return f"{new_base(base_url)}{page_path(self.page)}"
        return f"{old_base(base_url)}/file-0-1/{self.series_id}"


def ref_of_path(path: str, base_url: str) -> tuple[Ref, str]:
    """What the path of an address names, and a name for it. Raises NotASeries."""
    prefix = urlsplit(base_url).path.rstrip("/")
    path = unquote(path.removeprefix(prefix) if path.startswith(f"{prefix}/") else path)
    path = path.rstrip("/")
    old = _OLD_PATH.fullmatch(path)
    if old:
        return Ref(old[1], ""), old[2] or f"anime-ultime {old[1]}"
    if _NEW_PATH.fullmatch(path) and (page := page_of(path)):
        return Ref("", page), page.removesuffix("-streaming")
    raise NotASeries("This address names no series.")


def page_path(page: str) -> str:
    """The path of a series page of the newer site."""
    return f"/{quoted(page)}.html"


def new_base(base_url: str) -> str:
    """The base of the newer site: beside the older one, or where both are at one address."""
    return _sibling(base_url, _OLD_HOST, _NEW_HOST, "https")


def old_base(base_url: str) -> str:
    """The base of the older site."""
    return _sibling(base_url, _NEW_HOST, _OLD_HOST, "http")


def _sibling(base_url: str, mine: str, other: str, scheme: str) -> str:
    parts = urlsplit(base_url)
    if not parts.netloc.startswith(mine):
        return base_url
    return urlunsplit(parts._replace(scheme=scheme, netloc=other + parts.netloc.removeprefix(mine)))
