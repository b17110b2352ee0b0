"""What is made true before the parts start; each step is safe to repeat."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django_celery_beat.models import PeriodicTask
from pytest_django import Settings

from watchlist_project import preparation
from watchlist_project.env import BadSetting

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.STATIC_ROOT = str(tmp_path / "static")
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    return tmp_path


def test_the_schema_of_a_migrated_database_is_current() -> None:
    assert preparation.is_schema_current()


def test_a_missing_migration_is_noticed() -> None:
    MigrationRecorder(connection).record_unapplied("watchlist", "0001_initial")
    assert not preparation.is_schema_current()


def test_a_database_of_a_newer_version_is_refused_with_one_sentence() -> None:
    MigrationRecorder(connection).record_applied("watchlist", "9999_future")
    with pytest.raises(BadSetting, match=r"newer version \(it has watchlist\.9999_future\)"):
        preparation.is_schema_current()


def test_migrations_of_other_apps_that_are_gone_do_not_matter() -> None:
    MigrationRecorder(connection).record_applied("some_removed_app", "0001_initial")
    assert preparation.is_schema_current()


def test_the_first_administrator_is_created_once(settings: Settings) -> None:
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "owner", "a password"
    preparation.create_first_administrator()
    settings.ADMIN_PASSWORD = "another"
    preparation.create_first_administrator()
    (owner,) = get_user_model().objects.all()
    assert owner.is_superuser
    assert owner.check_password("a password")


def test_an_existing_account_is_left_alone(settings: Settings) -> None:
    get_user_model().objects.create_user("somebody")
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = "owner", "a password"
    preparation.create_first_administrator()
    (somebody,) = get_user_model().objects.all()
    assert not somebody.is_superuser


@pytest.mark.parametrize(
    ("name", "password", "named"),
    [
        ("two words", "x", "ADMIN_USERNAME"),
        ("", "x", "ADMIN_USERNAME"),
        ("me", "", "ADMIN_PASSWORD"),
    ],
)
def test_half_an_administrator_is_one_line(
    settings: Settings, name: str, password: str, named: str
) -> None:
    settings.ADMIN_USERNAME, settings.ADMIN_PASSWORD = name, password
    with pytest.raises(BadSetting, match=f"^Cannot start: {named}="):
        preparation.create_first_administrator()


def test_static_files_are_collected_again_only_when_they_changed(data_dir: Path) -> None:
    preparation.collect_static()
    collected = data_dir / "static" / "admin" / "css" / "base.css"
    collected.unlink()
    preparation.collect_static()
    assert not collected.exists()
    (data_dir / "static" / ".fingerprint").write_text("other")
    preparation.collect_static()
    assert collected.exists()


def test_prepare_can_be_repeated() -> None:
    preparation.prepare()
    ticks = PeriodicTask.objects.count()
    preparation.prepare()
    assert PeriodicTask.objects.count() == ticks > 0


def test_a_place_for_static_files_that_cannot_be_used_is_one_line(
    settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(b"")
    settings.STATIC_ROOT = str(tmp_path / "file" / "static")
    with pytest.raises(BadSetting, match=r"STATIC_ROOT='.*' is not valid.*Not a directory"):
        preparation.collect_static()
