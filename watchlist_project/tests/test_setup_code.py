"""The one-time code of the first visit."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.contrib.auth import get_user_model
from pytest_django import Settings

from watchlist_project import setup_code

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data_dir(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    return tmp_path


def test_a_code_is_given_while_no_account_exists() -> None:
    code = setup_code.ensure_code()
    assert code is not None
    assert setup_code.check_code(code)
    assert setup_code.check_code(code.lower().replace("-", " "))


def test_another_code_is_refused() -> None:
    setup_code.ensure_code()
    assert not setup_code.check_code("AAAA-AAAA-AAAA-AAAA")
    assert not setup_code.check_code("")


def test_a_new_code_ends_the_old_one() -> None:
    old = setup_code.ensure_code()
    assert setup_code.ensure_code() != old
    assert not setup_code.check_code(str(old))


def test_only_the_hash_is_kept_and_only_for_the_owner(data_dir: Path) -> None:
    code = str(setup_code.ensure_code())
    file = data_dir / "setup_code"
    assert code.replace("-", "") not in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


def test_no_code_is_valid_once_an_account_exists() -> None:
    code = str(setup_code.ensure_code())
    get_user_model().objects.create_user("somebody")
    assert setup_code.ensure_code() is None
    assert not setup_code.check_code(code)
