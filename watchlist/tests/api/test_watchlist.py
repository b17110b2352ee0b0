"""Follow a series, list, change, pause and unfollow it over the API."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from rest_framework.test import APIClient

from watchlist.models import Check, ItemStatus, Preferences, WatchlistItem
from watchlist.tests.api.conftest import FeedServer
from watchlist.tests.factories import EpisodeFactory, SeriesFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db

CONTRACT_FIELDS = {
    "id", "anime_title", "anime_url", "provider_id", "lang", "auto_download",
    "quality_preference", "status", "poster_image", "synopsis", "genres",
    "last_episode_downloaded", "latest_episode", "episodes_known", "last_checked_at",
    "next_check_at", "last_error", "created_at", "updated_at",
}  # fmt: skip


def follow(api: APIClient, url: str, **fields: Any) -> Any:
    return api.post("/api/watchlist", {"anime_url": url, "provider_id": "feed", **fields})


def test_a_followed_series_takes_its_texts_from_the_provider(
    api: APIClient, feed: FeedServer
) -> None:
    response = follow(api, feed.url())
    body = response.json()
    assert response.status_code == 201
    assert response["Location"] == f"/api/watchlist/{body['id']}"
    assert set(body) >= CONTRACT_FIELDS
    assert body["anime_title"] == "Salt Road"
    assert body["synopsis"] == "Two couriers cross a dry sea."
    assert body["lang"] == "vostfr"
    assert body["auto_download"] is True
    assert body["quality_preference"] == "auto"
    assert body["status"] == "active"
    assert body["last_episode_downloaded"] is None
    assert body["latest_episode"] is None
    assert body["last_error"] is None
    assert body["created_at"].endswith("Z")


def test_a_new_active_item_is_checked_at_once(api: APIClient, feed: FeedServer) -> None:
    follow(api, feed.url())
    assert Check.objects.get().is_urgent


def test_a_new_paused_item_is_not_checked(api: APIClient, feed: FeedServer) -> None:
    body = follow(api, feed.url(), status="paused").json()
    assert body["next_check_at"] is None
    assert not Check.objects.exists()


def test_the_users_own_texts_win_over_the_providers(api: APIClient, feed: FeedServer) -> None:
    body = follow(
        api,
        feed.url(),
        anime_title="My Road",
        synopsis="Mine.",
        genres="Salt, Sand,, Salt",
        poster_image="https://posters.example/p.jpg",
        last_episode_downloaded=2.5,
        quality_preference="720p",
    ).json()
    assert body["anime_title"] == "My Road"
    assert body["synopsis"] == "Mine."
    assert body["genres"] == ["Salt", "Sand"]
    assert body["poster_image"] == "https://posters.example/p.jpg"
    assert body["last_episode_downloaded"] == 2.5
    assert body["quality_preference"] == "720p"


def test_following_twice_is_a_conflict_that_names_the_item(
    api: APIClient, feed: FeedServer
) -> None:
    first = follow(api, feed.url()).json()
    response = follow(api, feed.url())
    assert response.status_code == 409
    assert response.json()["code"] == "already_followed"
    assert response.json()["item_id"] == first["id"]


def test_two_users_may_follow_the_same_series(
    api: APIClient, other_api: APIClient, feed: FeedServer
) -> None:
    first, second = follow(api, feed.url()).json(), follow(other_api, feed.url()).json()
    assert first["series_id"] == second["series_id"]
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"anime_url": "https://x.example/feed.xml"}, "provider_id"),
        ({"provider_id": "feed"}, "anime_url"),
        ({"anime_url": "https://x.example/feed.xml", "provider_id": "nobody"}, "provider_id"),
        ({"anime_url": "file:///etc/passwd", "provider_id": "feed"}, "anime_url"),
        ({"anime_url": "http://10.0.0.1/feed", "provider_id": "feed"}, "anime_url"),
        ({"anime_url": "http://u:p@x.example/feed", "provider_id": "feed"}, "anime_url"),
        ({"anime_url": "not an address", "provider_id": "feed"}, "anime_url"),
        ({"anime_url": "https://x.example/" + "a" * 2000, "provider_id": "feed"}, "anime_url"),
        ({"anime_url": "https://x.example/\u202efeed", "provider_id": "feed"}, "anime_url"),
    ],
)
def test_a_series_that_cannot_be_followed_is_refused_by_field(
    api: APIClient, fields: dict[str, Any], named: str
) -> None:
    response = api.post("/api/watchlist", fields)
    assert response.status_code == 400
    assert list(response.json()) == [named]
    assert not WatchlistItem.objects.exists()


@pytest.mark.parametrize(
    "address", ["http://10.0.0.1/feed", "file:///etc/passwd", "http://u:p@x.example/feed"]
)
def test_a_refusal_is_in_the_language_of_the_client(api: APIClient, address: str) -> None:
    wish = {"anime_url": address, "provider_id": "feed"}
    answer = api.post("/api/watchlist", wish, headers={"Accept-Language": "fr"})
    assert answer.status_code == 400
    assert "réseau privé" in answer.json()["anime_url"][0]


def test_a_language_that_has_a_page_of_its_own_is_refused_in_the_clients_language(
    api: APIClient, owner: User
) -> None:
    item = WatchlistItemFactory.create(
        user=owner, series__provider_id="nekosama", series__ref="12-glass-harbour_vostfr"
    )
    path = f"/api/watchlist/{item.pk}"
    answer = api.patch(path, {"lang": "vf"}, headers={"Accept-Language": "fr"})
    assert answer.status_code == 400
    assert "page à part" in answer.json()["lang"][0]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auto_download", "yes"),
        ("auto_download", 1),
        ("auto_download", None),
        ("quality_preference", "4k"),
        ("status", "gone"),
        ("status", ["active"]),
        ("last_episode_downloaded", -1),
        ("last_episode_downloaded", 1.2345),
        ("last_episode_downloaded", 12_345_678.0),
        ("last_episode_downloaded", True),
        ("last_episode_downloaded", "many"),
        ("last_episode_downloaded", {}),
        ("anime_title", "x" * 301),
        ("anime_title", " \u200b "),
        ("anime_title", None),
        ("anime_title", ["x"]),
        ("poster_image", "javascript:alert(1)"),
        ("poster_image", "https://u:p@x.example/p.jpg"),
        ("synopsis", "x" * 10_001),
        ("genres", ["x" * 61]),
        ("genres", [str(n) for n in range(51)]),
        ("genres", [["nested"]]),
        ("genres", 7),
        ("lang", "../vf"),
        ("lang", ""),
    ],
)
def test_a_bad_value_changes_nothing_and_is_named(
    api: APIClient, owner: User, name: str, value: Any
) -> None:
    item = WatchlistItemFactory.create(user=owner)
    before = api.get(f"/api/watchlist/{item.pk}").json()
    response = api.put(f"/api/watchlist/{item.pk}", {name: value})
    assert response.status_code == 400
    assert list(response.json()) == [name]
    assert all(isinstance(text, str) for text in response.json()[name])
    assert api.get(f"/api/watchlist/{item.pk}").json() == before


@pytest.mark.parametrize("method", ["put", "patch"])
def test_only_what_is_sent_changes(api: APIClient, owner: User, method: str) -> None:
    item = WatchlistItemFactory.create(user=owner, synopsis="Mine.")
    send = getattr(api, method)
    body = send(f"/api/watchlist/{item.pk}", {"last_episode_downloaded": 7}).json()
    assert body["last_episode_downloaded"] == 7
    assert body["synopsis"] == "Mine."
    assert body["anime_title"] == item.anime_title


def test_every_writable_field_can_be_changed(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    wish = {
        "anime_title": "Other",
        "poster_image": "https://posters.example/other.png",
        "synopsis": "First line.\nSecond line.",
        "genres": ["A", "B"],
        "auto_download": False,
        "quality_preference": "480p",
        "status": "archived",
        "last_episode_downloaded": 12.5,
    }
    body = api.put(f"/api/watchlist/{item.pk}", wish).json()
    assert {name: body[name] for name in wish} == wish


def test_read_only_and_unknown_fields_change_nothing(
    api: APIClient, owner: User, other: User
) -> None:
    item = WatchlistItemFactory.create(user=owner)
    before = api.get(f"/api/watchlist/{item.pk}").json()
    sent = dict.fromkeys(before) | {
        "id": str(uuid.uuid4()), "user": other.pk, "user_id": other.pk, "owner": "other",
        "series_id": str(uuid.uuid4()), "anime_url": "https://x.example/", "provider_id": "feed",
        "latest_episode": 99, "episodes_known": 99, "last_error": "x", "is_staff": True,
    }  # fmt: skip
    for name in ("anime_title", "auto_download", "quality_preference", "status", "lang"):
        del sent[name]
    for name in ("poster_image", "synopsis", "genres", "last_episode_downloaded"):
        del sent[name]
    assert api.put(f"/api/watchlist/{item.pk}", sent).json() == before
    item.refresh_from_db()
    assert item.user == owner


def test_text_taken_back_shows_the_providers_again(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(
        user=owner, synopsis="Mine.", genres=["Mine"], poster_image="https://p.example/p.jpg"
    )
    body = api.patch(
        f"/api/watchlist/{item.pk}", {"synopsis": "", "genres": None, "poster_image": None}
    ).json()
    assert body["synopsis"] == item.series.synopsis
    assert body["genres"] == item.series.genres
    assert body["poster_image"] == item.series.poster_url


def test_invisible_characters_are_cleaned_away(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    body = api.patch(f"/api/watchlist/{item.pk}", {"anime_title": " Salt\u202e  \u200bRoad\n"})
    assert body.json()["anime_title"] == "Salt Road"


def test_pause_and_resume_can_be_repeated(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    for _ in range(2):
        body = api.post(f"/api/watchlist/{item.pk}/pause").json()
        assert (body["status"], body["next_check_at"]) == ("paused", None)
    for _ in range(2):
        body = api.post(f"/api/watchlist/{item.pk}/resume").json()
        assert body["status"] == "active"
        assert body["next_check_at"] is not None


@pytest.mark.parametrize("status", [ItemStatus.COMPLETED, ItemStatus.ARCHIVED])
def test_resume_makes_a_finished_item_active(
    api: APIClient, owner: User, status: ItemStatus
) -> None:
    item = WatchlistItemFactory.create(user=owner, status=status)
    assert api.post(f"/api/watchlist/{item.pk}/resume").json()["status"] == "active"


def test_a_completed_item_has_a_next_check_when_the_setting_says_so(
    api: APIClient, owner: User
) -> None:
    item = WatchlistItemFactory.create(user=owner, status=ItemStatus.COMPLETED)
    assert api.get(f"/api/watchlist/{item.pk}").json()["next_check_at"] is None
    Preferences.objects.create(include_completed_anime=True)
    assert api.get(f"/api/watchlist/{item.pk}").json()["next_check_at"] is not None


def test_numbers_are_json_numbers(api: APIClient, owner: User) -> None:
    series = SeriesFactory.create(latest_episode=Decimal("12.500"))
    item = WatchlistItemFactory.create(
        user=owner, series=series, last_episode_downloaded=Decimal("12.000")
    )
    body = api.get(f"/api/watchlist/{item.pk}").json()
    assert (body["latest_episode"], body["last_episode_downloaded"]) == (12.5, 12)
    assert isinstance(body["last_episode_downloaded"], int)


def test_the_last_error_is_a_sentence(api: APIClient, owner: User) -> None:
    series = SeriesFactory.create(last_error_code="unreachable", last_error_text="No answer.")
    item = WatchlistItemFactory.create(user=owner, series=series)
    assert api.get(f"/api/watchlist/{item.pk}").json()["last_error"] == "No answer."


def test_an_unfollowed_item_is_gone(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    EpisodeFactory.create(series=item.series)
    response = api.delete(f"/api/watchlist/{item.pk}")
    assert (response.status_code, response.content) == (204, b"")
    assert api.get(f"/api/watchlist/{item.pk}").status_code == 404


def test_a_time_stays_in_utc_whatever_zone_is_active(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    with timezone.override("Asia/Tokyo"):
        body = api.get(f"/api/watchlist/{item.pk}").json()
    expected = item.created_at.isoformat().replace("+00:00", "Z")
    assert body["created_at"] == expected


def test_stats_count_with_zeros(api: APIClient, owner: User) -> None:
    assert api.get("/api/watchlist/stats").json()["total"] == 0
    WatchlistItemFactory.create(user=owner, auto_download=False)
    WatchlistItemFactory.create(user=owner, status=ItemStatus.PAUSED)
    WatchlistItemFactory.create()
    body = api.get("/api/watchlist/stats").json()
    counted = {name: body[name] for name in ("total", "active", "paused", "completed", "archived")}
    assert counted == {"total": 2, "active": 1, "paused": 1, "completed": 0, "archived": 0}
    assert body["auto_download_enabled"] == 1
    assert body["providers"] == {"animesama": 2}


def test_a_manual_check_is_accepted_and_can_be_looked_at(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner, status=ItemStatus.PAUSED)
    response = api.post(f"/api/watchlist/{item.pk}/check")
    body = response.json()
    assert response.status_code == 202
    assert response["Location"] == f"/api/checks/{body['id']}"
    assert (body["status"], body["item_id"]) == ("queued", str(item.pk))
    assert api.get(response["Location"]).json() == body


def test_a_second_check_joins_the_first(api: APIClient, owner: User) -> None:
    item = WatchlistItemFactory.create(user=owner)
    first, second = (api.post(f"/api/watchlist/{item.pk}/check").json() for _ in range(2))
    assert first["id"] == second["id"]


def test_check_all_takes_what_is_due_unless_forced(api: APIClient, owner: User) -> None:
    soon = timezone.now() + timedelta(hours=1)
    due = WatchlistItemFactory.create(
        user=owner, series=SeriesFactory.create(next_check_at=timezone.now())
    )
    later = WatchlistItemFactory.create(user=owner, series__next_check_at=soon)
    WatchlistItemFactory.create(user=owner, status=ItemStatus.PAUSED)
    WatchlistItemFactory.create(series__next_check_at=timezone.now())
    body = api.post("/api/watchlist/check-all")
    assert body.status_code == 202
    assert body.json()["queued"] == 1
    assert [check["item_id"] for check in body.json()["checks"]] == [str(due.pk)]
    forced = api.post("/api/watchlist/check-all", {"force": True}).json()
    assert {check["item_id"] for check in forced["checks"]} == {str(due.pk), str(later.pk)}


def test_check_all_refuses_a_force_that_is_no_boolean(api: APIClient) -> None:
    assert api.post("/api/watchlist/check-all", {"force": "yes"}).status_code == 400
