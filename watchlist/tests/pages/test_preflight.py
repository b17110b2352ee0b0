"""Is everything ready: what the list says of the library."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from watchlist.tests.factories import AdministratorFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(AdministratorFactory.create())
    return client


def test_a_library_that_is_there_gets_a_green_line(browser: Client, download_dir: Path) -> None:
    page = browser.get("/setup/ready").content.decode()
    assert str(download_dir) in page
    assert "the folder is not there" not in page


def test_a_library_that_has_gone_is_told_and_not_made_anew(
    browser: Client, download_dir: Path
) -> None:
    download_dir.rmdir()
    page = browser.get("/setup/ready").content.decode()
    assert "the folder is not there" in page
    assert "Connect its disk again" in page
    assert not download_dir.exists()
