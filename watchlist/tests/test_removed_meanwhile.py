"""What goes away while a request about it is answered is gone: 404, never an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from downloads import queue
from downloads.models import Download, Limiter
from downloads.states import State
from watchlist.models import Episode, WatchlistItem
from watchlist.services import deciding, items
from watchlist.tests.factories import EpisodeFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db
JSON = "application/json"
SETTINGS = {"anime_title": "Salt", "quality_preference": "480p", "status": "active"}


@dataclass(frozen=True, slots=True)
class Scene:
    """Somebody's series with a queued download, and their browser."""

    browser: Client
    item: WatchlistItem
    episode: Episode
    download: Download

    @property
    def series(self) -> str:
        return f"/watchlist/{self.item.pk}"

    @property
    def wish(self) -> str:
        return f"{self.series}/episodes/{self.episode.pk}"


@pytest.fixture
def scene() -> Scene:
    item = WatchlistItemFactory.create()
    episode = EpisodeFactory.create(series=item.series)
    deciding.decide_again(item=item)
    browser = Client()
    browser.force_login(item.user)
    return Scene(browser, item, episode, Download.objects.get())


@pytest.fixture
def removed_at_the_lock(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another tab removes the series just before the request gets the queue's lock."""
    original = queue.limiter

    def limiter(*, lock: bool = False) -> Limiter:
        if lock:
            monkeypatch.setattr(queue, "limiter", original)
            items.unfollow(item=scene.item)
        return original(lock=lock)

    monkeypatch.setattr(queue, "limiter", limiter)


ASKED: dict[str, Callable[[Scene], Any]] = {
    "API: change": lambda s: s.browser.patch(
        f"/api{s.series}", {"auto_download": False}, content_type=JSON
    ),
    "API: pause": lambda s: s.browser.post(f"/api{s.series}/pause"),
    "API: cancel": lambda s: s.browser.post(f"/api/downloads/{s.download.pk}/cancel"),
    "API: pause a download": lambda s: s.browser.post(f"/api/downloads/{s.download.pk}/pause"),
    "page: pause": lambda s: s.browser.post(f"{s.series}/pause"),
    "page: cancel an episode": lambda s: s.browser.post(f"{s.wish}/cancel"),
    "page: cancel": lambda s: s.browser.post(f"/downloads/{s.download.pk}/cancel"),
    "page: settings": lambda s: s.browser.post(f"{s.series}/settings", SETTINGS),
}
DONE: dict[str, Callable[[Scene], Any]] = {
    "API: remove": lambda s: s.browser.delete(f"/api{s.series}"),
    "page: remove": lambda s: s.browser.post(f"{s.series}/remove"),
    "page: many at once": lambda s: s.browser.post(
        "/watchlist/bulk", {"do": "pause", "item": [str(s.item.pk)]}
    ),
}


@pytest.mark.usefixtures("removed_at_the_lock")
@pytest.mark.parametrize("name", ASKED)
def test_what_is_gone_is_not_found(scene: Scene, name: str) -> None:
    assert ASKED[name](scene).status_code == 404


@pytest.mark.usefixtures("removed_at_the_lock")
@pytest.mark.parametrize("name", DONE)
def test_what_needs_it_no_more_is_done(scene: Scene, name: str) -> None:
    assert DONE[name](scene).status_code in {204, 303}


def test_trying_everything_again_leaves_out_what_is_gone(
    scene: Scene, request: pytest.FixtureRequest
) -> None:
    Download.objects.update(state=State.FAILED)
    request.getfixturevalue("removed_at_the_lock")
    assert scene.browser.post("/downloads/retry-all").status_code == 303
