"""Asking anime-ultime's two sites; each reader knows the addresses of one of them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from providers.base import Page, SiteClient
from providers.errors import FileNotYet, LayoutChanged, NotFound, Unreachable
from providers.parsing import led_elsewhere
from providers.sites import animeultime_v4 as v4
from providers.sites import animeultime_v5 as v5
from providers.sites.animeultime_files import File
from providers.sites.animeultime_refs import Ref, new_base, old_base, page_path
from providers.streams import StreamKind, VideoSource
from providers.types import PageValidator

FALL_BACK: Final = (LayoutChanged, NotFound, Unreachable)
# A higher number makes pages that did not change be read again, by a reader that was mended.
_READER: Final = 2
_AJAX: Final = {"X-Requested-With": "XMLHttpRequest"}
_LONGEST_WAIT_SECONDS: Final = 45.0
_Known = Mapping[str, PageValidator]


@dataclass(frozen=True, slots=True)
class Found:
    """The files of a series, or the word that the list is the known one."""

    files: tuple[File, ...]
    validators: Mapping[str, PageValidator]
    series_id: str = ""
    unchanged: bool = False


class NewSite:
    """v5: JSON answers, one page a series."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client
        self._base = new_base(client.base_url)

    def hits(self, query: str) -> list[v5.Hit]:
        """Series whose title matches; may be empty. Raises the ProviderError family."""
        page = self._ask("/MenuSearch.html", {"search": query})
        return v5.parse_hits(page.json(), page.url)

    def series(self, ref: Ref) -> v5.SeriesPage:
        """The page of a series."""
        page = self._page(ref)
        return v5.parse_series(page.text, page.url)

    def player(self, series_id: str, file_id: str = "") -> v5.Player:
        """What the player is told of a file, and the list of the series' files."""
        form = {"idserie": series_id}
        if file_id:
            form["focusFile"] = file_id
        page = self._ask("/VideoPlayer.html", form)
        return v5.parse_player(page.json(), page.url)

    def from_page(self, ref: Ref, known: _Known) -> Found:
        """The files that the series page lists; the player says why there are none."""
        role = f"series page {_READER}"
        page = self._page(ref, known.get(role))
        validators = {role: page.validator}
        if page.unchanged:
            return Found((), validators, unchanged=True)
        series = v5.parse_series(page.text, page.url)
        files = series.files
        series_id = series.series_id or ref.series_id
        if not files and series_id:
            files = self.player(series_id).files
        return Found(files, validators, series_id)

    def from_player(self, ref: Ref, known: _Known) -> Found:
        """The files that the player lists: a small answer, which cannot be asked conditionally."""
        role = "playlist"
        files = self.player(ref.series_id).files
        if not files:
            raise LayoutChanged("playlist")
        digest = hashlib.blake2b(repr(files).encode(), digest_size=16).hexdigest()
        before = known.get(role)
        unchanged = before is not None and before.digest == digest
        return Found(files, {role: PageValidator(digest=digest)}, ref.series_id, unchanged)

    def sources(self, file: File, series_id: str) -> list[VideoSource]:
        """The streams of a file, and the players of video hosts that its page shows."""
        players: tuple[str, ...] = ()
        file_id = file.file_id
        if not file_id:
            page = self._client.get(file.url)
            episode = v5.parse_episode(page.text, page.url)
            players, file_id = episode.players, episode.file_id
            series_id = episode.series_id or series_id
        streams = self.player(series_id, file_id).streams if file_id else ()
        label = f"anime-ultime {file.group}".strip()
        headers = {"Referer": f"{self._base}/"}
        found = [
            VideoSource(url, StreamKind.HTTP, label, file.lang, height, headers)
            for height, url in streams
        ]
        return found + [
            VideoSource(url, StreamKind.PAGE, label, file.lang, None, {"Referer": file.url})
            for url in players
        ]

    def _page(self, ref: Ref, known: PageValidator | None = None) -> Page:
        page = self._client.get(self._base + page_path(ref.page), known=known)
        if not v5.page_of(page.url):
            raise led_elsewhere(page.url, self._base)
        return page

    def _ask(self, path: str, form: Mapping[str, str]) -> Page:
        headers = {**_AJAX, "Referer": f"{self._base}/"}
        return self._client.post(self._base + path, data=form, headers=headers)


class OldSite:
    """v4: tables, a playlist, and a download that may ask to wait."""

    def __init__(self, client: SiteClient) -> None:
        self._client = client
        self._base = old_base(client.base_url)

    def hits(self, query: str) -> list[v4.Hit]:
        """Series whose title matches; may be empty. Raises the ProviderError family."""
        page = self._client.post(
            f"{self._base}/search-0-1/", data={"search": query}, encoding=v4.ENCODING
        )
        return v4.parse_search(page.text, page.url)

    def series(self, ref: Ref) -> v4.SeriesPage:
        """The page of a series."""
        page = self._page(ref)
        return v4.parse_series(page.text, page.url, self._base)

    def from_page(self, ref: Ref, known: _Known) -> Found:
        """The files that the series page lists, else those of its playlist."""
        role = f"old series page {_READER}"
        page = self._page(ref, known.get(role))
        validators = {role: page.validator}
        if page.unchanged:
            return Found((), validators, ref.series_id, unchanged=True)
        files = v4.parse_series(page.text, page.url, self._base).files
        if not files:
            # The page stays the same while the playlist grows.
            return Found(tuple(self._playlist(ref)), {}, ref.series_id)
        return Found(files, validators, ref.series_id)

    def streams(self, ref: Ref, files: list[File]) -> list[File]:
        """The files with the addresses that the playlist has for them, if it has any."""
        try:
            return v4.with_streams(files, self._playlist(ref))
        except FALL_BACK:
            return files

    def sources(self, file: File) -> list[VideoSource]:
        """The streams of a file; without one, its direct download."""
        headers = {"Referer": f"{self._base}/"}
        label = f"anime-ultime {file.group}".strip()
        urls = file.streams or ((self._download(file),) if file.file_id else ())
        return [VideoSource(url, StreamKind.HTTP, label, file.lang, None, headers) for url in urls]

    def _page(self, ref: Ref, known: PageValidator | None = None) -> Page:
        url = f"{self._base}/file-0-1/{ref.series_id}"
        page = self._client.get(url, known=known, encoding=v4.ENCODING)
        if "/file-0-1/" not in page.url:
            raise led_elsewhere(page.url, self._base)
        return page

    def _playlist(self, ref: Ref) -> list[File]:
        page = self._client.get(f"{self._base}/playlist-{ref.series_id}.xml", encoding=v4.ENCODING)
        return v4.parse_playlist(page.text, page.url)

    def _download(self, file: File) -> str:
        """The address of the original file. Raises NotFound, FileNotYet for a long wait."""
        ticket = self._ticket(file)
        if not ticket.url and 0 < ticket.wait_seconds <= _LONGEST_WAIT_SECONDS:
            time.sleep(ticket.wait_seconds)
            ticket = self._ticket(file)
        if ticket.url:
            return ticket.url
        if ticket.wait_seconds > 0:
            raise FileNotYet(
                "The site lets us download this file after a wait.",
                retry_after_seconds=ticket.wait_seconds,
            )
        raise NotFound("The site does not give this file out.")

    def _ticket(self, file: File) -> v4.Ticket:
        url = f"{self._base}/ddl/authorized_download.php"
        form = {"idfile": file.file_id, "type": "orig"}
        page = self._client.post(url, data=form, headers={**_AJAX, "Referer": file.url})
        return v4.parse_ticket(page.json(), page.url)


def from_any(new: NewSite, old: OldSite, ref: Ref, known: _Known) -> tuple[Found, bool]:
    """The files of a series from the best place that has them, and whether it is the older site.

    Raises what the first place said when none has them.
    """
    attempts = [(new.from_page, False)] if ref.page else []
    if ref.series_id:
        attempts += [(new.from_player, False), (old.from_page, True)]
    first_error: Exception | None = None
    for ask, is_old in attempts:
        try:
            return ask(ref, known), is_old
        except FALL_BACK as error:
            first_error = first_error or error
    raise first_error or NotFound("The site does not have this series.")
