"""A log line is one line, whatever somebody put into a title."""

from __future__ import annotations

import logging
import sys

import pytest
from django.test import Client

from watchlist.services import calendar_feeds, users
from watchlist.tests.factories import UserFactory
from watchlist_project.logs import NotHealth, OneLine, TaskContext


def record(message: str, *args: object) -> logging.LogRecord:
    one = logging.LogRecord("providers", logging.WARNING, __file__, 1, message, args, None)
    one.created = 0
    return one


def test_a_line_says_when_how_bad_who_and_what() -> None:
    line = OneLine().format(record("asked %s", "a site"))
    assert line == "1970-01-01 00:00:00Z WARNING providers: asked a site"


def test_line_feeds_and_escapes_from_outside_are_shown_not_obeyed() -> None:
    line = OneLine().format(record("title %s", "a\nERROR b\x1b[31m\u2028c"))
    assert line.endswith("title a\\nERROR b\\x1b[31m\\u2028c")


def test_a_traceback_follows_on_lines_of_its_own() -> None:
    one = record("failed")
    try:
        int("\x1b[2J")
    except ValueError:
        one.exc_info = sys.exc_info()
    first, *rest = OneLine().format(one).splitlines()
    assert first.endswith("failed")
    assert rest[0].startswith("Traceback")
    assert "\x1b" not in "".join(rest)


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "PROPFIND", "GET"])
def test_an_address_that_opens_something_is_hidden(
    caplog: pytest.LogCaptureFixture, method: str
) -> None:
    user = UserFactory.create()
    token = calendar_feeds.token_of(calendar_feeds.renew(user=user, language="en"))
    link = users.password_link(user)
    strict = Client(enforce_csrf_checks=True)
    for path in (f"/feeds/{token}/calendar.ics", f"/feeds/{token}/nothing", link, f"{link}/x"):
        strict.generic(method, path)
    lines = [OneLine().format(one) for one in caplog.records]
    assert any("/feeds/[hidden]/" in line for line in lines)
    assert any("/accounts/password/[hidden]" in line for line in lines)
    assert not [line for line in lines if token in line or link.split("/")[-1] in line]


def test_an_address_in_a_traceback_is_hidden_and_a_feed_is_not() -> None:
    one = record("failed")
    try:
        int("/accounts/password/MQ/abc-def https://site.example/feeds/new.xml")
    except ValueError:
        one.exc_info = sys.exc_info()
    line = OneLine().format(one)
    assert "/accounts/password/[hidden] https://site.example/feeds/new.xml" in line


def test_outside_a_task_no_task_is_named() -> None:
    one = record("x")
    assert TaskContext().filter(one)
    assert one.__dict__["task"] == ""


def test_only_health_requests_are_left_out() -> None:
    class Request:
        path = "/healthz"

    one = record("Service Unavailable")
    assert NotHealth().filter(one)
    one.__dict__["request"] = Request()
    assert not NotHealth().filter(one)
