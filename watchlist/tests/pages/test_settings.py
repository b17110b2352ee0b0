from __future__ import annotations

import json
from datetime import time
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from downloads import queue
from watchlist.services import preferences, scheduler
from watchlist.tests.factories import AdministratorFactory, SeriesFactory, UserFactory

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
CHANGES = (
    "/settings/global",
    "/settings/limits",
    "/settings/scheduler/stop",
    "/settings/providers/animesama/off",
    "/settings/providers/animesama/address",
    "/settings/users/new",
    "/settings/users/1/link",
    "/settings/users/1/promote",
)


@pytest.fixture
def administrator(client: Client) -> User:
    made: User = AdministratorFactory.create(username="sam")
    client.force_login(made)
    scheduler.install_schedule()
    return made


def wished(**changes: Any) -> dict[str, Any]:
    return {"check_interval_hours": 6, "max_concurrent_auto_downloads": 2} | changes


@pytest.mark.parametrize("is_staff", [False, True])
@pytest.mark.parametrize("path", CHANGES)
def test_whoever_is_no_administrator_changes_nothing(
    client: Client, path: str, *, is_staff: bool
) -> None:
    client.force_login(UserFactory.create(is_staff=is_staff))
    assert client.post(path, wished()).status_code == 403


@pytest.mark.parametrize("path", ["/settings/users", "/setup/ready"])
def test_the_staff_of_the_administration_sees_no_administrators_page(
    client: Client, path: str
) -> None:
    client.force_login(UserFactory.create(is_staff=True))
    assert client.get(path).status_code == 403
    assert path not in client.get("/settings").content.decode()


@pytest.mark.parametrize("path", [*CHANGES, "/settings/users"])
def test_a_stranger_is_sent_to_the_login(client: Client, path: str) -> None:
    assert client.post(path)["Location"].startswith("/accounts/login/")


def test_a_member_may_look(client: Client) -> None:
    client.force_login(UserFactory.create())
    html = client.get("/settings").content.decode()
    assert "Only administrators change what follows." in html
    assert "<fieldset" in html
    assert " disabled>" in html


@pytest.mark.usefixtures("administrator")
def test_the_global_settings_are_saved(client: Client) -> None:
    response = client.post(
        "/settings/global",
        wished(
            check_interval_hours=12, max_concurrent_auto_downloads=4, notify_on_new_episodes="on"
        ),
    )
    assert (response.status_code, response["Location"]) == (303, "/settings")
    assert preferences.read_settings() == preferences.Settings(
        check_interval_hours=12,
        auto_download_enabled=False,
        max_concurrent_auto_downloads=4,
        notify_on_new_episodes=True,
        include_completed_anime=False,
    )


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize("hours", ["0", "169", "", "x", "1e9", "6.5"])
def test_a_bad_value_is_explained_and_changes_nothing(client: Client, hours: str) -> None:
    before = preferences.read_settings()
    response = client.post("/settings/global", wished(check_interval_hours=hours))
    html = response.content.decode()
    assert response.status_code == 422
    assert 'aria-invalid="true"' in html
    assert 'href="#id_check_interval_hours"' in html
    assert preferences.read_settings() == before


@pytest.mark.usefixtures("administrator")
def test_limits_are_saved_and_lifted(client: Client) -> None:
    client.post(
        "/settings/limits",
        {"speed_limit": "2.5", "window_start": "22:00", "window_end": "07:30"},
    )
    limits = queue.limiter()
    assert limits.rate_limit_bps == 2_500_000
    assert (limits.window_start, limits.window_end) == (time(22), time(7, 30))
    html = client.get("/settings").content.decode()
    assert 'value="22:00"' in html
    client.post("/settings/limits", {"speed_limit": "", "window_start": "", "window_end": ""})
    limits = queue.limiter()
    assert (limits.rate_limit_bps, limits.window_start, limits.window_end) == (None, None, None)


@pytest.mark.usefixtures("administrator")
@pytest.mark.parametrize(
    "values",
    [
        {"speed_limit": "0"},
        {"speed_limit": "-1"},
        {"speed_limit": "NaN"},
        {"window_start": "22:00"},
        {"window_start": "25:00", "window_end": "07:00"},
        {"window_start": "08:00", "window_end": "08:00"},
    ],
)
def test_a_bad_limit_is_explained(client: Client, values: dict[str, str]) -> None:
    assert client.post("/settings/limits", values).status_code == 422
    assert queue.limiter().rate_limit_bps is None


def test_the_schedule_is_stopped_and_started(client: Client, administrator: User) -> None:
    response = client.post("/settings/scheduler/stop", headers=HTMX)
    assert not scheduler.status().enabled
    assert f"Stopped by {administrator.username}" in response.content.decode()
    undo = json.loads(response["HX-Trigger"])["toast"]["undo"]
    client.post(undo)
    assert scheduler.status().enabled


@pytest.mark.usefixtures("administrator")
def test_run_now_checks_what_is_due(client: Client) -> None:
    SeriesFactory.create(provider_id="feed", next_check_at=timezone.now())
    response = client.post("/settings/scheduler/run", headers=HTMX)
    assert "1 check is on its way." in response["HX-Trigger"]


@pytest.mark.usefixtures("administrator")
def test_the_cards_poll_is_silent_while_nothing_changes(client: Client) -> None:
    html = client.get("/settings").content.decode()
    address = html.split('hx-get="/settings/scheduler?v=')[1].split('"')[0]
    assert client.get(f"/settings/scheduler?v={address}").status_code == 204
    scheduler.set_running(running=False, by="sam")
    assert client.get(f"/settings/scheduler?v={address}").status_code == 200


def test_about_names_version_and_parts(client: Client) -> None:
    client.force_login(UserFactory.create())
    html = client.get("/settings/about").content.decode()
    for text in ("0.1.0", "Broker", "Database", "htmx", "0BSD"):
        assert text in html
