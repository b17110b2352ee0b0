from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from watchlist.services import posters
from watchlist.tests.factories import SeriesFactory, UserFactory, WatchlistItemFactory

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def poster_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "state"
    folder = tmp_path / "state" / "posters"
    folder.mkdir(parents=True)
    return folder


def keep(folder: Path, address: str, content: bytes = b"RIFF....WEBP") -> None:
    (folder / f"{posters.key_of(address)}.webp").write_bytes(content)


def test_a_follower_gets_the_poster_for_good(client: Client, poster_folder: Path) -> None:
    item = WatchlistItemFactory.create()
    keep(poster_folder, item.series.poster_url)
    client.force_login(item.user)
    response = client.get(posters.item_poster_url(item))
    assert (response.status_code, response.content) == (200, b"RIFF....WEBP")
    assert response["Content-Type"] == "image/webp"
    assert response["Cache-Control"] == "private, max-age=31536000, immutable"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_the_series_id_leads_to_the_same_poster(client: Client, poster_folder: Path) -> None:
    item = WatchlistItemFactory.create()
    keep(poster_folder, item.series.poster_url)
    client.force_login(item.user)
    assert client.get(reverse("poster", args=[item.series_id])).content == b"RIFF....WEBP"


def test_the_users_own_choice_comes_first(client: Client, poster_folder: Path) -> None:
    item = WatchlistItemFactory.create(poster_image="https://posters.example/own.jpg")
    keep(poster_folder, "https://posters.example/own.jpg", b"own")
    keep(poster_folder, item.series.poster_url, b"theirs")
    client.force_login(item.user)
    assert client.get(posters.item_poster_url(item)).content == b"own"


def test_the_address_changes_with_the_picture() -> None:
    one = WatchlistItemFactory.create(
        series=SeriesFactory.create(poster_url="https://posters.example/1.jpg")
    )
    before = posters.item_poster_url(one)
    one.series.poster_url = "https://posters.example/2.jpg"
    assert posters.item_poster_url(one) != before


def test_whoever_does_not_follow_it_sees_nothing(client: Client, poster_folder: Path) -> None:
    item = WatchlistItemFactory.create()
    keep(poster_folder, item.series.poster_url)
    client.force_login(UserFactory.create())
    for key in (item.pk, item.series_id, uuid.uuid4()):
        assert client.get(reverse("poster", args=[key])).status_code == 404


def test_a_stranger_is_sent_to_the_login(client: Client) -> None:
    item = WatchlistItemFactory.create()
    for address in (posters.item_poster_url(item), posters.preview_url("https://a.example/b.jpg")):
        response = client.get(address)
        assert response.status_code == 302
        assert response["Location"].startswith("/accounts/login/")


def test_a_poster_that_is_not_to_be_had_is_an_empty_picture(
    client: Client, settings: Settings
) -> None:
    item = WatchlistItemFactory.create(series__poster_url="http://127.0.0.1:9/refused.jpg")
    client.force_login(item.user)
    response = client.get(posters.item_poster_url(item))
    assert response.status_code == 200
    assert response.content.startswith(b"RIFF")
    assert response["Cache-Control"] == "private, max-age=60"


def test_a_search_result_shows_its_poster(client: Client, poster_folder: Path) -> None:
    keep(poster_folder, "https://posters.example/found.jpg")
    client.force_login(UserFactory.create())
    response = client.get(posters.preview_url("https://posters.example/found.jpg"))
    assert response.content == b"RIFF....WEBP"


def test_an_address_that_we_did_not_sign_is_not_fetched(client: Client) -> None:
    client.force_login(UserFactory.create())
    for forged in ("", "https://posters.example/a.jpg", "abc:def:ghi"):
        assert client.get(reverse("poster-preview"), {"u": forged}).status_code == 404
