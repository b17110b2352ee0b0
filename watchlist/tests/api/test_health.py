"""`/healthz` tells the truth in few words, whatever is down."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from watchlist.services import scheduler

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def all_alive() -> None:
    scheduler.install_schedule()
    PeriodicTask.objects.update(last_run_at=timezone.now())
    for name in ("checks", "downloads"):
        cache.set(f"worker:{name}", "now", 35)


def healthz() -> tuple[int, dict[str, Any]]:
    response = Client().get("/healthz")
    assert response["Cache-Control"] == "no-store"
    return response.status_code, response.json()


@pytest.mark.usefixtures("all_alive")
def test_all_is_well() -> None:
    parts = dict.fromkeys(("status", "database", "broker", "workers", "beat"), "ok")
    assert healthz() == (200, parts)


@pytest.mark.usefixtures("all_alive")
def test_a_worker_without_a_sign_of_life_is_missing() -> None:
    cache.delete("worker:downloads")
    status, body = healthz()
    assert (status, body["workers"], body["status"]) == (503, "missing", "error")


@pytest.mark.usefixtures("all_alive")
def test_a_silent_beat_is_missing() -> None:
    PeriodicTask.objects.update(last_run_at=timezone.now() - 2 * scheduler.BEAT_SILENCE)
    status, body = healthz()
    assert (status, body["beat"]) == (503, "missing")


@pytest.mark.usefixtures("all_alive")
def test_a_broker_that_is_down_is_told_and_nothing_else(settings: Settings) -> None:
    settings.CACHES = {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    status, body = healthz()
    assert (status, body["broker"], body["workers"]) == (503, "down", "unknown")
    assert body["database"] == "ok"
    assert "127.0.0.1" not in str(body)


def test_other_methods_are_refused() -> None:
    response = Client().post("/healthz")
    assert response.status_code == 405
    assert response.json()["code"] == "method_not_allowed"


@pytest.mark.usefixtures("all_alive")
def test_a_trailing_slash_works_too() -> None:
    assert Client().get("/healthz/").status_code == 200
