"""What the parts of the site share, and the few things that all pages are made with."""

from __future__ import annotations

import html
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from providers.demo.clips import Clip, ClipStore
from providers.demo.faults import FaultKind, Faults
from providers.demo.signing import LinkSigner
from providers.demo.wire import Reply, Request
from providers.demo.works import Catalogue, Episode, Season, Work

TRANSFER_SECONDS = 8.0


@dataclass(slots=True)
class MediaRate:
    """How fast videos are sent: at a fixed rate, so that each takes some seconds, or at once."""

    bytes_per_second: float | None = None
    seconds_per_file: float | None = None

    def of(self, size_bytes: int) -> float | None:
        """Bytes a second for a file of this size; None for no limit."""
        if self.bytes_per_second is not None:
            return self.bytes_per_second
        return size_bytes / self.seconds_per_file if self.seconds_per_file else None


@dataclass(slots=True)
class Context:
    """The state of one site."""

    catalogue: Catalogue
    faults: Faults
    seed: int
    rate: MediaRate
    clips: ClipStore
    signer: LinkSigner = field(default_factory=LinkSigner)
    ready_at: dict[int, float] = field(default_factory=dict)  # anime-ultime's waits, by file
    lock: threading.RLock = field(default_factory=threading.RLock)  # of the catalogue

    def listed(self, season: Season, lang: str, path: str) -> list[Episode]:
        """The episodes that the page at `path` lists, with what the switches leave of them."""
        episodes = season.in_language(lang)
        if self.faults.find(FaultKind.EMPTY_LIST, path):
            return []
        shrunk = self.faults.find(FaultKind.SHRUNK_LIST, path)
        return episodes[: max(0, len(episodes) - shrunk.count)] if shrunk else episodes

    def is_licensed(self, work: Work, path: str) -> bool:
        """Whether anime-ultime refuses to play a work."""
        return work.is_licensed or self.faults.find(FaultKind.LICENSED, path) is not None

    def clip(self, uid: int) -> Clip | None:
        """The video of an episode, None when there is no such episode."""
        found = self.catalogue.by_uid(uid)
        if found is None:
            return None
        work, season, episode = found
        label = episode.name if len(work.seasons) == 1 else f"{season.label} - {episode.name}"
        return Clip(f"{work.slug}-{uid}", work.title, label)


Handler = Callable[[Context, Request], Reply | None]
"""Answers an address of its section; None when there is no such page."""


def page(title: str, body: str, *, head: str = "", encoding: str = "utf-8") -> Reply:
    """A whole HTML page."""
    text = (
        f'<!DOCTYPE html>\n<html lang="fr">\n<head>\n<meta charset="{encoding}">\n'
        f"<title>{html.escape(title)}</title>\n{head}\n</head>\n<body>\n{body}\n</body>\n</html>\n"
    )
    content = text.encode(encoding, "xmlcharrefreplace")
    return Reply(content, content_type=f"text/html; charset={encoding}")


def escaped(text: str) -> str:
    """Text for an HTML page."""
    return html.escape(text)


def poster_url(origin: str, slug: str) -> str:
    """The address of a poster."""
    return f"{origin}/posters/{slug}.png"
