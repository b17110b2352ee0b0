"""What every test gets: no network but this machine's, a real broker, a library of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from pytest_django import Settings

from watchlist_project.embedded_broker import EmbeddedBroker


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the `live` tests out unless they are asked for by name."""
    if "live" in str(config.getoption("-m")):
        return
    live = [item for item in items if item.get_closest_marker("live")]
    items[:] = [item for item in items if item not in live]
    if live:
        config.hook.pytest_deselected(items=live)


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
def download_dir(settings: Settings, tmp_path: Path) -> Path:
    """An empty library; it is also `settings.DOWNLOAD_DIR`."""
    folder = tmp_path / "library"
    folder.mkdir()
    settings.DOWNLOAD_DIR = folder
    return folder
