from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from downloads.models import Download
from downloads.states import State
from watchlist.models import Grab, WatchlistItem
from watchlist.tests.factories import (
    DownloadAttemptFactory,
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def item(client: Client) -> WatchlistItem:
    made: WatchlistItem = WatchlistItemFactory.create()
    client.force_login(made.user)
    return made


def wish(item: WatchlistItem, **download: Any) -> Grab:
    made: Grab = GrabFactory.create(
        item=item,
        episode=EpisodeFactory.create(series=item.series),
        download=DownloadFactory.create(**download),
    )
    return made


def act(client: Client, grab: Grab, action: str, **options: Any) -> Any:
    return client.post(f"/downloads/{grab.download_id}/{action}", **options)


def state_of(grab: Grab) -> str:
    return Download.objects.get(pk=grab.download_id).state


def versions_in(html: str) -> dict[str, str]:
    return dict(re.findall(r'name="(\w+)" value="(\w+)"', html))


def test_a_running_download_shows_its_figures(client: Client, item: WatchlistItem) -> None:
    wish(item, running=True, bytes_done=250_000, bytes_total=1_000_000, source_label="sibnet")
    html = client.get("/downloads").content.decode()
    for text in ("25%", "250 KB / 1 MB", "50 KB/s", "15 s left", "from sibnet"):
        assert text in html


def test_a_failed_one_shows_what_was_tried(client: Client, item: WatchlistItem) -> None:
    grab = wish(item, failed=True)
    DownloadAttemptFactory.create(
        download=grab.download, source_label="vidmoly", error_text="The file is an HTML page."
    )
    html = client.get("/downloads").content.decode()
    for text in (
        "None of the players gave a playable file.",
        "1 attempt",
        "vidmoly",
        "The file is an HTML page.",
    ):
        assert text in html


@pytest.mark.parametrize(
    "page", ["/downloads", "/watchlist/{item}", "/watchlist/{item}?tab=history"]
)
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "The library had this episode already, from another site; that file is kept."),
        ("fr", "La bibliothèque avait déjà cet épisode, venu d"),
    ],
)
def test_a_file_that_another_site_had_brought_is_told_on_every_page(
    client: Client, item: WatchlistItem, page: str, language: str, words: str
) -> None:
    wish(item, kept=True)
    html = client.get(
        page.format(item=item.pk), headers={"Accept-Language": language}
    ).content.decode()
    assert words in html
    assert "from nekosama; that file is kept." in html


def test_an_ordinary_download_says_nothing_of_other_sites(
    client: Client, item: WatchlistItem
) -> None:
    wish(item, completed=True)
    for page in ("/downloads", f"/watchlist/{item.pk}", f"/watchlist/{item.pk}?tab=history"):
        html = client.get(page).content.decode()
        assert "In the library" in html or "is in the library" in html
        assert "another site" not in html


def test_hostile_texts_stay_texts(client: Client, item: WatchlistItem) -> None:
    WatchlistItem.objects.update(anime_title="<script>alert(1)</script>")
    grab = wish(item, failed=True, reason_text='"><img src=x onerror=alert(1)>')
    DownloadAttemptFactory.create(
        download=grab.download, error_text="</ul><script>alert(2)</script>"
    )
    html = client.get("/downloads").content.decode()
    assert "<script>alert" not in html
    assert "<img src=x" not in html


@pytest.mark.parametrize(
    ("before", "action", "after"),
    [
        (State.QUEUED, "pause", State.PAUSED),
        (State.PAUSED, "resume", State.QUEUED),
        (State.QUEUED, "cancel", State.CANCELLED),
        (State.FAILED, "retry", State.QUEUED),
    ],
)
def test_a_plain_form_acts_and_goes_back(
    client: Client, item: WatchlistItem, before: State, action: str, after: State
) -> None:
    grab = wish(item, state=before)
    response = act(client, grab, action)
    assert (response.status_code, response["Location"]) == (303, "/downloads")
    assert state_of(grab) == after


def test_with_htmx_every_section_comes_back_with_a_toast(
    client: Client, item: WatchlistItem
) -> None:
    grab = wish(item)
    response = act(client, grab, "cancel", headers=HTMX)
    html = response.content.decode()
    for section in ("live", "now", "queue", "failed", "done"):
        assert f'id="{section}"' in html
    toast = json.loads(response["HX-Trigger"])["toast"]
    assert toast["undo"] == f"/downloads/{grab.download_id}/retry"


def test_a_cancelled_download_can_be_brought_back(client: Client, item: WatchlistItem) -> None:
    grab = wish(item)
    act(client, grab, "cancel")
    assert "Bring back" in client.get("/downloads").content.decode()
    act(client, grab, "retry")
    assert state_of(grab) == State.QUEUED


def test_what_is_no_longer_possible_is_said(client: Client, item: WatchlistItem) -> None:
    grab = wish(item, completed=True)
    response = act(client, grab, "pause", headers=HTMX)
    toast = json.loads(response["HX-Trigger"])["toast"]
    assert toast["level"] == "error"
    assert state_of(grab) == State.COMPLETED


def test_a_download_that_others_wait_for_is_not_held_up(
    client: Client, item: WatchlistItem
) -> None:
    grab = wish(item)
    GrabFactory.create(
        item=WatchlistItemFactory.create(series=item.series),
        episode=grab.episode,
        download=grab.download,
    )
    act(client, grab, "pause")
    assert state_of(grab) == State.QUEUED
    assert "Others wait for this download too" in client.get("/downloads").content.decode()


def test_the_queue_is_reordered_with_buttons(client: Client, item: WatchlistItem) -> None:
    one, two, three = (wish(item, position=place) for place in (1, 2, 3))

    def order() -> list[uuid.UUID]:
        rows = Download.objects.order_by("-priority", "position")
        return list(rows.values_list("pk", flat=True))

    act(client, three, "up")
    assert order() == [one.download_id, three.download_id, two.download_id]
    act(client, one, "down")
    assert order() == [three.download_id, one.download_id, two.download_id]
    act(client, two, "first")
    assert order() == [two.download_id, three.download_id, one.download_id]


def test_all_failed_ones_are_retried_at_once(client: Client, item: WatchlistItem) -> None:
    grabs = [wish(item, failed=True) for _ in range(3)]
    other = wish(WatchlistItemFactory.create(), failed=True)
    client.post("/downloads/retry-all")
    assert [state_of(grab) for grab in grabs] == [State.QUEUED] * 3
    assert state_of(other) == State.FAILED


@pytest.mark.parametrize("action", ["pause", "cancel", "retry", "up", "first"])
def test_somebody_elses_download_is_not_there(
    client: Client, item: WatchlistItem, action: str
) -> None:
    other = wish(WatchlistItemFactory.create())
    assert act(client, other, action).status_code == 404
    assert client.post(f"/downloads/{uuid.uuid4()}/{action}").status_code == 404
    assert state_of(other) == State.QUEUED


def test_a_get_changes_nothing(client: Client, item: WatchlistItem) -> None:
    grab = wish(item)
    assert client.get(f"/downloads/{grab.download_id}/cancel").status_code == 405
    assert state_of(grab) == State.QUEUED


def test_the_poll_is_silent_while_nothing_changes(client: Client, item: WatchlistItem) -> None:
    grab = wish(item, running=True)
    seen = versions_in(client.get("/downloads").content.decode())
    assert client.get("/downloads/live", seen).status_code == 204
    Download.objects.filter(pk=grab.download_id).update(bytes_done=999_999)
    response = client.get("/downloads/live", seen)
    html = response.content.decode()
    assert response.status_code == 200
    assert 'id="now"' in html
    assert 'id="failed"' not in html


def test_a_stranger_is_sent_to_the_login(client: Client) -> None:
    for path in ("/downloads", "/downloads/live"):
        assert client.get(path)["Location"].startswith("/accounts/login/")


def test_the_page_needs_few_queries(
    client: Client, item: WatchlistItem, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(3):
        for kind in ({"running": True}, {}, {"failed": True}, {"completed": True}):
            wish(item, **kind)
    with django_assert_max_num_queries(12):
        client.get("/downloads")


def test_an_empty_page_says_so(client: Client) -> None:
    client.force_login(UserFactory.create())
    html = client.get("/downloads").content.decode()
    for text in ("Nothing is being downloaded", "Nothing waits.", "Nothing has failed."):
        assert text in html
