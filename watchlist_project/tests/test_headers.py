"""What every answer says to browsers and caches."""

from __future__ import annotations

import logging

import pytest
from django.test import Client

from watchlist.tests.factories import UserFactory
from watchlist_project.logs import OneLine, WithoutTraceback

pytestmark = pytest.mark.django_db
PATHS = ("/watchlist", "/settings/account", "/api/watchlist", "/api/nothing", "/nowhere", "/")


@pytest.mark.parametrize("path", PATHS)
def test_no_answer_is_kept_for_others_or_embedded_elsewhere(client: Client, path: str) -> None:
    client.force_login(UserFactory.create())
    headers = client.get(path).headers
    assert headers["Cache-Control"] in {"private, no-cache", "no-store"}
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


def test_what_a_page_says_of_itself_holds(client: Client) -> None:
    UserFactory.create()
    assert client.get("/site.webmanifest").headers["Cache-Control"] == "max-age=86400"
    assert "no-store" in client.get("/accounts/login/").headers["Cache-Control"]


def test_a_foreign_host_gets_the_same_protection_and_one_line_in_the_log(
    caplog: pytest.LogCaptureFixture,
) -> None:
    answer = Client().get("/accounts/login/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "camera=()" in answer.headers["Permissions-Policy"]
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert WithoutTraceback().filter(record)
    line = OneLine().format(record)
    assert "evil.example" in line
    assert "\n" not in line
