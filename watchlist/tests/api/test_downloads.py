"""The caller's downloads, shared or not: what shows, and what may be done to them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from downloads.models import Download
from downloads.states import State
from watchlist.models import Grab
from watchlist.tests.factories import (
    DownloadAttemptFactory,
    DownloadFactory,
    EpisodeFactory,
    GrabFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db

CONTRACT_FIELDS = {
    "id", "item_id", "anime_title", "episode_number", "state", "quality", "bytes_done",
    "bytes_total", "speed_bps", "eta_seconds", "attempts", "error", "path", "created_at",
    "finished_at",
}  # fmt: skip


def grab_of(user: User, download: Download | None = None) -> Grab:
    return GrabFactory.create(item__user=user, download=download or DownloadFactory.create())


def share(download: Download, user: User) -> Grab:
    """Let another user want the same episode by the same download."""
    episode = download.grabs.get().episode
    item = WatchlistItemFactory.create(user=user, series=episode.series)
    return GrabFactory.create(item=item, episode=episode, download=download)


def act(api: APIClient, grab: Grab, verb: str) -> Any:
    return api.post(f"/api/downloads/{grab.download_id}/{verb}")


def test_a_running_download_shows_its_progress(api: APIClient, owner: User) -> None:
    grab = grab_of(owner, DownloadFactory.create(running=True))
    body = api.get("/api/downloads").json()["results"][0]
    assert set(body) >= CONTRACT_FIELDS
    assert body["id"] == str(grab.download_id)
    assert body["anime_title"] == grab.item.anime_title
    assert body["state"] == "downloading"
    assert (body["bytes_done"], body["bytes_total"]) == (250_000, 1_000_000)
    assert (body["speed_bps"], body["eta_seconds"]) == (50_000, 15)
    assert (body["path"], body["error"], body["finished_at"]) == (None, None, None)


def test_a_completed_download_names_its_file_and_real_quality(api: APIClient, owner: User) -> None:
    grab = grab_of(owner, DownloadFactory.create(completed=True, height=720))
    body = api.get(f"/api/downloads/{grab.download_id}").json()
    assert body["path"] == grab.download.final_path
    assert body["quality"] == "720p"
    assert body["finished_at"].endswith("Z")


def test_a_failed_download_says_why_and_what_was_tried(api: APIClient, owner: User) -> None:
    grab = grab_of(owner, DownloadFactory.create(failed=True))
    DownloadAttemptFactory.create(download=grab.download)
    body = api.get(f"/api/downloads/{grab.download_id}").json()
    assert body["error"] == {"code": "no_usable_player", "message": "Every player failed."}
    assert body["tries"][0]["source"] == "sibnet"
    assert body["tries"][0]["error"]["code"] == "unreachable"


def test_downloads_can_be_filtered(api: APIClient, owner: User) -> None:
    failed = grab_of(owner, DownloadFactory.create(failed=True))
    waiting = grab_of(owner)
    grab_of(UserFactory.create())
    by_state = api.get("/api/downloads?state=failed").json()["results"]
    by_item = api.get(f"/api/downloads?item_id={waiting.item_id}").json()["results"]
    assert [row["id"] for row in by_state] == [str(failed.download_id)]
    assert [row["id"] for row in by_item] == [str(waiting.download_id)]
    assert api.get("/api/downloads").json()["count"] == 2


@pytest.mark.parametrize("query", ["state=gone", "item_id=x", "item_id=%00", "ordering=owner"])
def test_a_bad_filter_is_refused(api: APIClient, query: str) -> None:
    assert api.get(f"/api/downloads?{query}").status_code == 400


def test_somebody_elses_item_filters_to_nothing(api: APIClient, other: User) -> None:
    grab = grab_of(other)
    assert api.get(f"/api/downloads?item_id={grab.item_id}").json()["count"] == 0


def test_a_waiting_download_can_be_paused_resumed_and_cancelled(
    api: APIClient, owner: User
) -> None:
    grab = grab_of(owner)
    for verb, state in (("pause", "paused"), ("resume", "queued"), ("cancel", "cancelled")):
        response = act(api, grab, verb)
        assert (response.status_code, response.json()["state"]) == (200, state)


def test_cancelling_twice_is_the_same_as_once(api: APIClient, owner: User) -> None:
    grab = grab_of(owner)
    assert [act(api, grab, "cancel").status_code for _ in range(2)] == [200, 200]


@pytest.mark.parametrize("verb", ["cancel", "retry", "pause", "resume"])
def test_a_completed_download_takes_no_order(api: APIClient, owner: User, verb: str) -> None:
    grab = grab_of(owner, DownloadFactory.create(completed=True))
    response = act(api, grab, verb)
    assert response.status_code == 409
    assert response.json()["code"] == "not_legal_now"


@pytest.mark.parametrize(
    ("state", "failed", "shown"),
    [("queued", 0, 0), ("queued", 2, 2), ("downloading", 0, 1), ("completed", 1, 2)],
)
def test_an_attempt_counts_from_its_beginning(
    api: APIClient, owner: User, state: str, failed: int, shown: int
) -> None:
    grab = grab_of(owner, DownloadFactory.create(attempts=failed))
    Download.objects.update(state=state)
    assert api.get(f"/api/downloads/{grab.download_id}").json()["attempts"] == shown


def test_a_failed_download_is_retried_from_the_first_attempt(api: APIClient, owner: User) -> None:
    grab = grab_of(owner, DownloadFactory.create(failed=True))
    body = act(api, grab, "retry").json()
    assert (body["state"], body["attempts"], body["error"]) == ("queued", 0, None)


def test_a_running_download_cannot_be_retried(api: APIClient, owner: User) -> None:
    grab = grab_of(owner, DownloadFactory.create(running=True))
    assert act(api, grab, "retry").status_code == 409


def test_a_cancelled_download_is_wanted_again_after_a_retry(api: APIClient, owner: User) -> None:
    grab = grab_of(owner)
    act(api, grab, "cancel")
    assert act(api, grab, "retry").json()["state"] == "queued"
    grab.refresh_from_db()
    assert grab.cancelled_at is None


def test_cancelling_a_shared_download_only_withdraws_ones_own_wish(
    api: APIClient, other_api: APIClient, owner: User, other: User
) -> None:
    grab = grab_of(owner)
    theirs = share(grab.download, other)
    assert act(api, grab, "cancel").json()["state"] == "cancelled"
    grab.download.refresh_from_db()
    assert grab.download.state == State.QUEUED
    assert other_api.get(f"/api/downloads/{theirs.download_id}").json()["state"] == "queued"
    assert act(other_api, theirs, "cancel").json()["state"] == "cancelled"
    grab.download.refresh_from_db()
    assert grab.download.state == State.CANCELLED


def test_a_wish_taken_back_shows_no_progress_of_others(
    api: APIClient, owner: User, other: User
) -> None:
    grab = grab_of(owner, DownloadFactory.create(running=True))
    share(grab.download, other)
    body = act(api, grab, "cancel").json()
    assert (body["speed_bps"], body["eta_seconds"], body["stage"]) == (0, None, "")
    assert [row["id"] for row in api.get("/api/downloads?state=cancelled").json()["results"]] == [
        str(grab.download_id)
    ]
    assert api.get("/api/downloads?state=downloading").json()["count"] == 0


def test_rejoining_a_running_shared_download_does_not_disturb_it(
    api: APIClient, owner: User, other: User
) -> None:
    grab = grab_of(owner, DownloadFactory.create(running=True))
    share(grab.download, other)
    act(api, grab, "cancel")
    assert act(api, grab, "retry").json()["state"] == "downloading"


def test_rejoining_a_finished_shared_download_gives_the_episode(
    api: APIClient, owner: User, other: User
) -> None:
    episode = EpisodeFactory.create(number=Decimal(1))
    item = WatchlistItemFactory.create(user=owner, series=episode.series)
    grab = GrabFactory.create(
        item=item,
        episode=episode,
        download=DownloadFactory.create(completed=True),
        cancelled_at=timezone.now(),
        completed_at=None,
    )
    share(grab.download, other)
    assert act(api, grab, "retry").json()["state"] == "completed"
    item.refresh_from_db()
    assert item.last_episode_downloaded == 1


@pytest.mark.parametrize("verb", ["pause", "resume"])
def test_one_user_may_not_hold_up_others(
    api: APIClient, owner: User, other: User, verb: str
) -> None:
    state = State.QUEUED if verb == "pause" else State.PAUSED
    grab = grab_of(owner, DownloadFactory.create(state=state))
    share(grab.download, other)
    response = act(api, grab, verb)
    assert response.status_code == 409
    assert response.json()["code"] == "shared"


def test_an_administrator_may_pause_what_others_wait_for(
    admin_api: APIClient, administrator: User, other: User
) -> None:
    grab = grab_of(administrator)
    share(grab.download, other)
    assert act(admin_api, grab, "pause").json()["state"] == "paused"


def test_an_administrator_sees_only_the_own_downloads(admin_api: APIClient, other: User) -> None:
    grab = grab_of(other)
    assert admin_api.get("/api/downloads").json()["count"] == 0
    assert act(admin_api, grab, "cancel").status_code == 404
