"""Settings, scheduler, providers, searching, the schema and the root."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from rest_framework.test import APIClient

from providers import gateway
from watchlist.services import scheduler
from watchlist.tests.api.conftest import FeedServer
from watchlist.tests.factories import SeriesFactory

pytestmark = pytest.mark.django_db

DEFAULTS = {
    "check_interval_hours": 6,
    "auto_download_enabled": True,
    "max_concurrent_auto_downloads": 2,
    "notify_on_new_episodes": False,
    "include_completed_anime": False,
}


@pytest.fixture(autouse=True)
def schedule() -> None:
    scheduler.install_schedule()


def test_everybody_may_read_the_settings(api: APIClient) -> None:
    assert api.get("/api/watchlist/settings").json() == DEFAULTS


@pytest.mark.parametrize("method", ["put", "patch"])
def test_an_administrator_changes_only_what_is_sent(admin_api: APIClient, method: str) -> None:
    changed = getattr(admin_api, method)("/api/watchlist/settings", {"check_interval_hours": 12})
    assert changed.json() == DEFAULTS | {"check_interval_hours": 12}
    assert admin_api.get("/api/watchlist/settings").json() == changed.json()


def test_every_setting_can_be_changed(admin_api: APIClient) -> None:
    wish = {
        "check_interval_hours": 168,
        "auto_download_enabled": False,
        "max_concurrent_auto_downloads": 16,
        "notify_on_new_episodes": True,
        "include_completed_anime": True,
    }
    assert admin_api.put("/api/watchlist/settings", wish).json() == wish


def test_others_may_not_change_the_settings(api: APIClient) -> None:
    response = api.put("/api/watchlist/settings", {"check_interval_hours": 12})
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")
    assert api.get("/api/watchlist/settings").json() == DEFAULTS


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("check_interval_hours", 0, "1 to 168"),
        ("check_interval_hours", 169, "1 to 168"),
        ("check_interval_hours", 1.5, "1 to 168"),
        ("check_interval_hours", "six", "1 to 168"),
        ("check_interval_hours", True, "1 to 168"),
        ("check_interval_hours", 10**17, "1 to 168"),
        ("check_interval_hours", None, "1 to 168"),
        ("max_concurrent_auto_downloads", 0, "1 to 16"),
        ("max_concurrent_auto_downloads", 17, "1 to 16"),
        ("auto_download_enabled", "true", "boolean"),
        ("auto_download_enabled", 1, "boolean"),
        ("include_completed_anime", None, "null"),
    ],
)
def test_a_bad_setting_is_refused_with_its_range(
    admin_api: APIClient, name: str, value: Any, text: str
) -> None:
    response = admin_api.put("/api/watchlist/settings", {name: value})
    assert response.status_code == 400
    assert text in response.json()[name][0]
    assert admin_api.get("/api/watchlist/settings").json() == DEFAULTS


def test_the_scheduler_runs_only_while_beat_is_alive(api: APIClient) -> None:
    SeriesFactory.create(next_check_at=timezone.now() - timedelta(minutes=1))
    status = api.get("/api/watchlist/scheduler/status").json()
    assert (status["running"], status["next_run"], status["due_now"]) == (False, None, 1)
    assert status["settings"] == DEFAULTS
    PeriodicTask.objects.update(last_run_at=timezone.now())
    status = api.get("/api/watchlist/scheduler/status").json()
    assert status["running"] is True
    assert status["next_run"].endswith("Z")


def test_an_administrator_starts_and_stops_the_scheduler(admin_api: APIClient) -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now())
    for _ in range(2):
        stopped = admin_api.post("/api/watchlist/scheduler/stop")
        assert (stopped.status_code, stopped.json()["running"]) == (200, False)
        assert stopped.json()["changed_by"] == "administrator"
    PeriodicTask.objects.update(last_run_at=timezone.now())
    for _ in range(2):
        assert admin_api.post("/api/watchlist/scheduler/start").json()["enabled"] is True


def test_a_stopped_scheduler_still_says_when_it_ran_last(admin_api: APIClient) -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now())
    ran = admin_api.get("/api/watchlist/scheduler/status").json()["last_run"]
    assert ran
    admin_api.post("/api/watchlist/scheduler/stop")
    admin_api.put("/api/watchlist/settings", {**DEFAULTS, "check_interval_hours": 3})
    assert admin_api.get("/api/watchlist/scheduler/status").json()["last_run"] == ran
    scheduler.install_schedule()  # as at the next start
    assert admin_api.get("/api/watchlist/scheduler/status").json()["last_run"] == ran


def test_who_stopped_the_scheduler_is_told_to_administrators_alone(
    api: APIClient, admin_api: APIClient
) -> None:
    admin_api.post("/api/watchlist/scheduler/stop")
    assert "changed_by" not in api.get("/api/watchlist/scheduler/status").json()


def test_others_may_not_stop_the_scheduler(api: APIClient) -> None:
    assert api.post("/api/watchlist/scheduler/stop").status_code == 403


def test_every_provider_is_listed(api: APIClient) -> None:
    listed = api.get("/api/providers").json()
    assert [entry["id"] for entry in listed] == list(gateway.provider_ids())
    assert set(listed[0]) >= {
        "id", "name", "enabled", "base_url", "languages", "capabilities", "health",
    }  # fmt: skip


def test_an_administrator_switches_a_provider(api: APIClient, admin_api: APIClient) -> None:
    response = admin_api.patch("/api/providers/feed", {"enabled": False})
    assert response.json()["enabled"] is False
    assert response.json()["health"] == "off"
    assert api.patch("/api/providers/feed", {"enabled": True}).status_code == 403
    assert admin_api.patch("/api/providers/feed", {"enabled": True}).json()["enabled"] is True


@pytest.mark.parametrize(
    "address", ["file:///etc", "http://127.0.0.1/", "http://[::1]", "x", "https://h/?q=1", 7]
)
def test_a_provider_cannot_be_sent_to_a_bad_address(admin_api: APIClient, address: Any) -> None:
    response = admin_api.patch("/api/providers/feed", {"base_url": address})
    assert response.status_code == 400
    assert list(response.json()) == ["base_url"]


def test_an_unknown_provider_is_not_found(api: APIClient) -> None:
    assert api.get("/api/providers/nobody").json()["code"] == "not_found"


@pytest.mark.parametrize("query", ["", "q=", "q=%00", "q=%E2%80%8B", f"q={'x' * 101}"])
def test_a_search_needs_a_query(api: APIClient, query: str) -> None:
    response = api.get(f"/api/search?{query}")
    assert response.status_code == 400
    assert list(response.json()) == ["q"]


def test_a_search_of_an_unknown_provider_is_refused(api: APIClient) -> None:
    response = api.get("/api/search?q=salt&provider_id=nobody")
    assert (response.status_code, list(response.json())) == (400, ["provider_id"])


def test_a_preview_shows_what_would_be_followed(api: APIClient, feed: FeedServer) -> None:
    body = api.get("/api/preview", {"url": feed.url("feed-preview")}).json()
    assert body["provider_id"] == "feed"
    assert body["anime_title"] == "Salt Road"
    assert (body["already_followed"], body["item_id"]) == (False, None)
    wish = {"anime_url": body["anime_url"], "provider_id": "feed"}
    item = api.post("/api/watchlist", wish).json()
    again = api.get("/api/preview", {"url": feed.url("feed-preview")}).json()
    assert (again["already_followed"], again["item_id"]) == (True, item["id"])


@pytest.mark.parametrize("url", ["", "x", "file:///etc/passwd", "http://127.0.0.1/", "ftp://x/"])
def test_an_address_that_is_not_recognised_is_refused(api: APIClient, url: str) -> None:
    response = api.get("/api/preview", {"url": url})
    assert response.status_code == 400
    assert list(response.json()) == ["url"]


def test_the_schema_is_json_and_documents_every_resource(api: APIClient) -> None:
    response = api.get("/api/schema")
    assert response["Content-Type"] == "application/json"
    schema = response.json()
    assert schema["openapi"].startswith("3.")
    assert "/api/watchlist/{item_id}/episodes/{episode_id}/download" in schema["paths"]
    assert not [path for path in schema["paths"] if path.endswith("/")]


def test_the_schema_describes_answers_with_their_codes_and_refusals(api: APIClient) -> None:
    schema = api.get("/api/schema").json()
    assert set(schema["paths"]["/api/auth/login"]["post"]["responses"]) == {"200", "4XX"}
    operations = [one for path in schema["paths"].values() for one in path.values()]
    assert all("4XX" in operation["responses"] for operation in operations)
    kinds = schema["components"]["schemas"]["Error"]["oneOf"]
    assert kinds[0]["required"] == ["detail", "code"]


def test_the_schema_has_no_warnings(tmp_path: Any) -> None:
    call_command("spectacular", file=str(tmp_path / "schema.yml"), validate=True, fail_on_warn=True)


def test_the_documentation_page_needs_no_inline_script_or_style(api: APIClient) -> None:
    page = api.get("/api/docs", headers={"Accept": "text/html"})
    assert page.status_code == 200
    assert b"<script>" not in page.content
    assert b"<style>" not in page.content
    script = api.get("/api/docs?script=")
    assert script["Content-Type"].startswith("application/javascript")


def test_the_api_can_be_browsed(api: APIClient) -> None:
    for path in ("/api", "/api/", "/api/watchlist", "/api/downloads", "/api/watchlist/settings"):
        page = api.get(path, headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert page["Content-Type"].startswith("text/html")
