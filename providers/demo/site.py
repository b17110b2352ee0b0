"""The demo site as one object, for tests, benchmarks and the command line."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from providers.demo.addresses import provider_url, slugs_of
from providers.demo.app import RequestLog, SiteApplication
from providers.demo.clips import ClipStore
from providers.demo.context import Context, MediaRate
from providers.demo.control import control
from providers.demo.faults import Faults
from providers.demo.stories import invented_works, plain_works
from providers.demo.wire import Listener, Reply, Request
from providers.demo.works import CardLayout, Catalogue, ProviderId

# The same for every site of a process, because making them takes a while.
_CLIPS = ClipStore()


class DemoSite:
    """A loopback server with invented series in every format; use it as a context manager.

    Args:
        port: to listen on; 0 takes a free one.
        publish_every: seconds between new episodes; None for none by itself.
        seed: which episodes lack which player.
        media_rate: how fast videos are sent; None for as fast as it goes.
        plain_series: how many plain series there are besides the ten with a story.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        publish_every: float | None = None,
        seed: int = 1,
        media_rate: MediaRate | None = None,
        plain_series: int = 0,
    ) -> None:
        self._wanted_port = port
        self._publish_every = publish_every
        self.faults = Faults(self._on_change)
        self.requests = RequestLog()
        works = [*invented_works(), *plain_works(plain_series)]
        self._context = Context(
            Catalogue(works), self.faults, seed, media_rate or MediaRate(), _CLIPS
        )
        self._application = SiteApplication(self._context, self.requests, self._control)
        self._listeners: list[Listener] = []
        self._stopping = threading.Event()
        self._publisher = threading.Thread(target=self._publish_forever, daemon=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Begin to listen. Raises OSError when the port is taken."""
        self._listeners.append(Listener(self._application, self._wanted_port))
        if self._publish_every:
            self._publisher.start()

    def stop(self) -> None:
        """Stop listening and end all transfers."""
        self._stopping.set()
        if self._publisher.is_alive():
            self._publisher.join(timeout=5)
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    @property
    def port(self) -> int:
        """The port on 127.0.0.1."""
        return self._listeners[0].port

    @property
    def base_url(self) -> str:
        """The address of the site, without a trailing slash."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def moved_url(self) -> str | None:
        """The address that the site moved to."""
        port = self._application.moved_to_port
        return None if port is None else f"http://127.0.0.1:{port}"

    @property
    def allowed_hosts(self) -> list[str]:
        """Entries for ALLOWED_PRIVATE_HOSTS that cover the site, also after a move."""
        return ["127.0.0.1"]

    def provider_base(self, provider_id: str) -> str:
        """The base address of a provider; "" for feeds, which have none."""
        return "" if provider_id == ProviderId.FEED else f"{self.base_url}/{provider_id}"

    def series_slugs(self, provider_id: str) -> list[str]:
        """The works that a provider lists."""
        return slugs_of(self._context.catalogue, ProviderId(provider_id))

    def url_of(self, provider_id: str, slug: str, season: str = "", lang: str = "vostfr") -> str:
        """The address of a series to follow; the first season unless one is named.

        Raises KeyError when the provider does not list it.
        """
        catalogue = self._context.catalogue
        provider = ProviderId(provider_id)
        return self.base_url + provider_url(catalogue, provider, slug, season=season, lang=lang)

    def publish_episode(self, series_slug: str | None = None) -> int:
        """Append an episode to a work, the airing one by default; its number."""
        with self._changing():
            return self._context.catalogue.publish(series_slug)

    def insert_special(
        self, series_slug: str, title: str = "Épisode spécial", position: int = 0
    ) -> None:
        """Put a special before the episode at a position of the last season."""
        with self._changing():
            self._context.catalogue.insert_special(series_slug, title=title, position=position)

    def add_language(self, series_slug: str, lang: str) -> None:
        """Offer a work in one more language."""
        with self._changing():
            self._context.catalogue.add_language(series_slug, lang)

    def show_cards_as(self, layout: str) -> None:
        """Choose the card layout of anime-sama's catalogue: "2026-10", "2026-02" or "2025"."""
        with self._changing():
            self._context.catalogue.show_cards_as(CardLayout(layout))

    def set_media_rate(self, bytes_per_second: float | None) -> None:
        """Send videos at this rate; None for as fast as it goes."""
        self._context.rate = MediaRate(bytes_per_second)

    def expire_links(self) -> None:
        """Make every signed link that was given out invalid; new ones hold."""
        self._context.signer.expire()

    def move(self) -> str:
        """Answer 301 to a second port, which serves everything; the new base address."""
        if self._application.moved_to_port is None:
            self._listeners.append(Listener(self._application))
            self._application.moved_to_port = self._listeners[-1].port
        return f"http://127.0.0.1:{self._application.moved_to_port}"

    def reset(self) -> None:
        """Everything as at the start; the log is empty, the switches are off."""
        self._application.moved_to_port = None
        while len(self._listeners) > 1:
            self._listeners.pop().close()
        self.faults.clear()
        with self._changing():
            self._context.catalogue.reset()
        self.requests.clear()

    @contextlib.contextmanager
    def _changing(self) -> Iterator[None]:
        """Holds the lock of the catalogue; the pages are made anew afterwards."""
        with self._context.lock:
            try:
                yield
            finally:
                self._application.forget_pages()

    def _on_change(self) -> None:
        self._application.forget_pages()

    def _control(self, context: Context, request: Request) -> Reply:
        return control(self, context, request)

    def _publish_forever(self) -> None:
        while not self._stopping.wait(self._publish_every):
            self.publish_episode()
