"""What every test gets: no network but this machine's, a real broker, a library of its own."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.utils import timezone, translation
from pytest_django import Settings
from xdist.scheduler import LoadScopeScheduling

from watchlist_project.embedded_broker import EmbeddedBroker

DATABASE_FIXTURES = {"db", "transactional_db", "live_server"}
IS_POSTGRES = django_settings.DATABASES["default"]["ENGINE"] == "django.db.backends.postgresql"
# Each of these makes something for all its tests, which takes longer than most of them.
TOGETHER = {
    "downloads/tests/test_publishing.py",
    "providers/tests/sites/test_with_demo_site.py",
    "tests/test_supervisor.py",
    "tests/test_whole_product.py",
    "watchlist/tests/api/test_finding.py",
    "watchlist/tests/services/test_checking.py",
}


class OneByOne(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Hands tests to the workers one by one, and the modules that stay together as a whole."""

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.split("::", 1)[0]
        return module if module in TOGETHER else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> OneByOne:
    """How tests are spread over the workers of `-n`."""
    return OneByOne(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not asked for, and spread the rest over the run.

    The `live` tests run when they are asked for by name. On PostgreSQL what does not use the
    database is left out: it ran already, on SQLite.
    """
    wanted: list[pytest.Item] = []
    left_out: list[pytest.Item] = []
    for item in items:
        (wanted if _is_wanted(config, item) else left_out).append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
    items[:] = _mixed(wanted)


def _is_wanted(config: pytest.Config, item: pytest.Item) -> bool:
    if item.get_closest_marker("live") and "live" not in str(config.getoption("-m")):
        return False
    return not IS_POSTGRES or _uses_database(item)


def _uses_database(item: pytest.Item) -> bool:
    asked_for = DATABASE_FIXTURES.intersection(getattr(item, "fixturenames", ()))
    return bool(asked_for) or item.get_closest_marker("django_db") is not None


def _mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Tests that compute among tests that wait, so that neither processors nor time are lost.

    Those with a database compute, those without, as the engine's, mostly wait, and those in a
    browser take long: they are shuffled, the same in every run, as the longest stand together.
    """
    lanes: dict[object, list[pytest.Item]] = defaultdict(list)
    for item in items:
        lanes[item.get_closest_marker("e2e") is not None, _uses_database(item)].append(item)
    lanes[True, True].sort(key=lambda item: crc32(item.nodeid.encode()))
    placed = [
        ((place + 0.5) / len(lane), item)
        for lane in lanes.values()
        for place, item in enumerate(lane)
    ]
    return [item for _, item in sorted(placed, key=lambda pair: pair[0])]


@pytest.fixture(scope="session", autouse=True)
def broker_server() -> Iterator[EmbeddedBroker]:
    """A real broker and cache for this test process."""
    server = EmbeddedBroker(django_settings.DATA_DIR)
    server.start()
    yield server
    cache.close()
    server.stop()


@pytest.fixture(autouse=True)
def empty_broker(broker_server: EmbeddedBroker) -> None:
    """No message and no cached value is left from another test."""
    broker_server.command("FLUSHALL")


@pytest.fixture(autouse=True)
def _no_reader() -> None:
    """No language and no time zone is left from the last request of another test."""
    translation.deactivate()
    timezone.deactivate()


@pytest.fixture(autouse=True)
def download_dir(settings: Settings, tmp_path: Path) -> Path:
    """An empty library; it is also `settings.DOWNLOAD_DIR`."""
    folder = tmp_path / "library"
    folder.mkdir()
    settings.DOWNLOAD_DIR = folder
    return folder
