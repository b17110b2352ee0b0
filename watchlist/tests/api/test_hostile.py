"""Hostile bodies, values and queries: refused or cleaned, and every list stays readable."""

from __future__ import annotations

import json
import random
from typing import Any, Final, cast

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from watchlist.models import WatchlistItem
from watchlist.services import scheduler
from watchlist.tests.factories import CheckFactory, GrabFactory

pytestmark = pytest.mark.django_db

READ = (
    "/api/watchlist?page_size=200", "/api/watchlist/stats", "/api/watchlist/settings",
    "/api/watchlist/scheduler/status", "/api/downloads", "/api/providers", "/api/schema",
    "/healthz",
)  # fmt: skip
_STRINGS: Final = [
    "", " ", "\t\n", "null", "true", "0", "-1", "1e400", "NaN", "Infinity", "undefined", "[]",
    "../../etc/passwd", "..\\..\\x", "/etc/passwd", "C:\\con", "CON", "nul.txt", "-rf", "~root",
    "\u202egnp.exe", "\u200b", "\ufeff", "\u2028", "\u2029", "\ud7ff", "\uffff", "\U0010ffff",
    "e\u0301" * 50, "\u0e01" * 300, "\U0001f4a9" * 100, "\u0600\u202a", "Z\u0351\u036b" * 40,
    "'; DROP TABLE x; --", "' OR 1=1 --", "%s%s%n", "{{7*7}}", "{% debug %}", "${jndi:ldap://x}",
    "<script>alert(1)</script>", "<img src=x onerror=alert(1)>", "javascript:alert(1)",
    "data:text/html,x", "file:///etc/passwd", "ftp://x/", "gopher://x/", "http://", "http:///",
    "http://127.0.0.1/", "http://[::1]/", "http://0x7f.1/", "http://169.254.169.254/",
    "http://localhost:1/", "http://u:p@h/", "http://h\\@x/", "http://h:99999/", "http://h:0/",
    "//x.example", "https://x.example/\r\nSet-Cookie: a=b", "https://x.example/" + "a" * 3000,
    "https://\u202ex.example/", "https://x.example/\u0000".replace("\u0000", "%00"),
    "x" * 255, "x" * 256, "x" * 300, "x" * 301, "x" * 65536, "a," * 2000, ",,,,", "1" * 400,
    "\x1b[31m", "\x07", "\x7f", "\x85", "=cmd|' /C calc'!A0", "+1", "@SUM(1)", "\\u0000",
    "active\u200b", "ACTIVE", "feed ", "animesama", "vostfr\n", "1080p ", "auto",
]  # fmt: skip
_VALUES: Final[list[Any]] = [
    None, True, False, 0, -1, 1, 1.5, -0.0, 1e-9, 1e17, 10**17, -(10**17), 0.1 + 0.2, 3.0001,
    [], {}, [[]], [{}], {"a": {}}, [None], [1, "a", None], ["x"] * 60, [["a"]], {"id": 1}, [True],
    {"__proto__": 1}, ["\u202e"], [""], ["x" * 100], {"$ne": None}, [0] * 500,
]  # fmt: skip


def _mixed(count: int) -> list[str]:
    """Random strings of characters that have caused trouble somewhere; the same in every run."""
    chosen = random.Random(20261122)  # noqa: S311 - not a secret
    ranges = ((0x01, 0x7F), (0x80, 0x24F), (0x300, 0x36F), (0x600, 0x6FF), (0x2000, 0x206F),
              (0x3000, 0x30FF), (0xE000, 0xE0FF), (0xFE00, 0xFFFF), (0x1F300, 0x1F6FF))  # fmt: skip

    def character() -> str:
        return chr(chosen.randint(*chosen.choice(ranges)))

    return ["".join(character() for _ in range(chosen.randint(1, 60))) for _ in range(count)]


POISON: Final[list[Any]] = [*_STRINGS, *_VALUES, *_mixed(300 - len(_STRINGS) - len(_VALUES))]
ITEM_FIELDS = (
    "anime_title", "poster_image", "synopsis", "genres", "lang", "auto_download",
    "quality_preference", "status", "last_episode_downloaded",
)  # fmt: skip
SETTINGS = (
    "check_interval_hours", "auto_download_enabled", "max_concurrent_auto_downloads",
    "notify_on_new_episodes", "include_completed_anime",
)  # fmt: skip


def check_readable(client: APIClient) -> None:
    for path in READ:
        response = client.get(path)
        assert response.status_code < 500 or path == "/healthz", path
        json.loads(response.content)


@pytest.fixture
def item(administrator: User) -> WatchlistItem:
    scheduler.install_schedule()
    grab = GrabFactory.create(item__user=administrator)
    CheckFactory.create(series=grab.item.series)
    return grab.item


def test_there_are_300_poisons() -> None:
    assert len(POISON) == 300


@pytest.mark.parametrize("name", ITEM_FIELDS)
def test_no_value_in_an_item_breaks_anything(
    admin_api: APIClient, item: WatchlistItem, name: str
) -> None:
    path = f"/api/watchlist/{item.pk}"
    for poison in POISON:
        response = admin_api.patch(path, {name: poison})
        assert response.status_code in {200, 400}, (poison, response.content[:200])
        if response.status_code == 200 and len(str(poison)) < 10:
            assert admin_api.get(path).json()[name] == response.json()[name]
    check_readable(admin_api)
    assert admin_api.get(f"{path}/episodes").status_code == 200


@pytest.mark.parametrize("name", ["anime_url", "provider_id", "anime_title", "genres", "lang"])
def test_no_value_in_a_new_item_breaks_anything(
    admin_api: APIClient, item: WatchlistItem, name: str
) -> None:
    del item
    for poison in POISON:
        wish = {"anime_url": "http://127.0.0.1/feed.xml", "provider_id": "feed", name: poison}
        response = admin_api.post("/api/watchlist", wish)
        # Any public address may be a feed; whether it is one shows at the first check.
        may_be_one = name == "anime_url" and "://x.example/" in str(poison)
        assert response.status_code == 400 or may_be_one, poison
    assert WatchlistItem.objects.count() <= 2
    check_readable(admin_api)


@pytest.mark.parametrize("name", SETTINGS)
@pytest.mark.usefixtures("item")
def test_no_value_in_the_settings_breaks_anything(admin_api: APIClient, name: str) -> None:
    for poison in POISON:
        response = admin_api.put("/api/watchlist/settings", {name: poison})
        assert response.status_code in {200, 400}, poison
    check_readable(admin_api)


@pytest.mark.parametrize("name", ["enabled", "base_url"])
@pytest.mark.usefixtures("item")
def test_no_value_for_a_provider_breaks_anything(admin_api: APIClient, name: str) -> None:
    for poison in POISON:
        response = admin_api.patch("/api/providers/feed", {name: poison})
        assert response.status_code in {200, 400}, poison
    check_readable(admin_api)


@pytest.mark.parametrize("name", ["password", "name"])
def test_no_value_at_the_door_breaks_anything(anonymous: APIClient, name: str) -> None:
    for number, poison in enumerate(POISON):
        wish = {"username": f"nobody{number}", "password": "x", name: poison}
        status = anonymous.post("/api/auth/login", wish).status_code
        assert status in {400, 401}, poison


def test_no_user_name_at_the_door_breaks_anything(anonymous: APIClient) -> None:
    for poison in POISON:
        wish = {"username": poison, "password": "x"}
        assert anonymous.post("/api/auth/login", wish).status_code in {400, 401, 429}, poison


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/api/watchlist", ("status", "provider_id", "search", "ordering", "page", "page_size")),
        ("/api/downloads", ("state", "item_id", "ordering", "page", "page_size")),
        ("/api/watchlist/{item}/episodes", ("state", "ordering", "page")),
        ("/api/watchlist/{item}/checks", ("page", "page_size")),
        ("/api/preview", ("url",)),
        ("/api/schema", ("format", "lang", "version")),
    ],
)
def test_no_query_breaks_anything(
    admin_api: APIClient, item: WatchlistItem, path: str, names: tuple[str, ...]
) -> None:
    path = path.replace("{item}", str(item.pk))
    for name in names:
        # Writing the schema takes a tenth of a second, so it meets fewer.
        step = 12 if path == "/api/schema" else 1
        for poison in [*POISON[::step], "\x00", "\n", "10" * 3000, "(" * 2000]:
            if len(str(poison)) > 8000 or (name == "url" and "x.example" in str(poison)):
                continue
            status = admin_api.get(path, {name: str(poison)}).status_code
            assert status in {200, 400, 404, 406, 429}, (name, poison)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"null", b"1", b'"x"', b"[]", b"[1]", b"true", b"{", b'{"a"', b"{'a': 1}",
        b'{"anime_title": NaN}', b'{"anime_title": Infinity}', b'{"anime_title": -Infinity}',
        b'{"last_episode_downloaded": 1e400}', b'{"last_episode_downloaded": -1e400}',
        b'{"last_episode_downloaded": ' + b"9" * 5000 + b"}",
        b'{"last_episode_downloaded": 1' + b"0" * 30 + b"}",
        b'{"anime_title": "\\u0000"}', b'{"anime_title": "\\ud800"}', b'{"\\udfff": 1}',
        b'{"anime_title": "\x00"}', b'{"anime_title": "\xff\xfe"}', b"\xff\xfe{\x00}\x00",
        b'{"genres": ["\\ud83d"]}', b'{"genres": [{"a": ["\\u0000"]}]}',
        b"[" * 100_000, b'{"a":' * 100_000, b'{"genres": ' + b"[" * 30 + b"]" * 30 + b"}",
        b'{"anime_title": "' + b"x" * 1_000_001 + b'"}',
    ],
    ids=lambda body: repr(body[:30]),
)  # fmt: skip
def test_a_body_that_is_no_sound_json_object_is_refused(
    admin_api: APIClient, item: WatchlistItem, body: bytes
) -> None:
    path = f"/api/watchlist/{item.pk}"
    before = admin_api.get(path).json()
    response = admin_api.generic("PUT", path, cast("str", body), content_type="application/json")
    # An empty body asks for no change.
    assert response.status_code == (200 if body == b"" else 400)
    assert admin_api.get(path).json() == before


@pytest.mark.parametrize("text", ["\x00", "a\x00b"])
def test_a_text_that_cannot_be_stored_is_named_by_its_field(
    admin_api: APIClient, item: WatchlistItem, text: str
) -> None:
    response = admin_api.patch(f"/api/watchlist/{item.pk}", {"anime_title": "x", "synopsis": text})
    assert response.status_code == 400
    assert list(response.json()) == ["synopsis"]


def test_an_endless_number_is_out_of_the_range_that_is_named(admin_api: APIClient) -> None:
    response = admin_api.put("/api/watchlist/settings", {"check_interval_hours": 10**30})
    assert response.status_code == 400
    assert "168" in response.json()["check_interval_hours"][0]


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "image/png", "x",
     "multipart/form-data; boundary=x", "application/json; charset=utf-16", ""],
)  # fmt: skip
def test_another_kind_of_body_is_refused_in_json(
    admin_api: APIClient, item: WatchlistItem, kind: str
) -> None:
    path = f"/api/watchlist/{item.pk}"
    response = admin_api.generic("PUT", path, cast("str", b"a=b&\xff"), content_type=kind)
    assert response.status_code in {400, 415}
    assert set(response.json()) == {"detail", "code"}


def test_an_answer_nobody_can_give_is_a_406_in_json(admin_api: APIClient) -> None:
    response = admin_api.get("/api/watchlist", headers={"Accept": "image/png"})
    assert response.status_code == 406
    assert response.json()["code"] == "not_acceptable"
