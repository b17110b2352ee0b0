"""What is deleted by itself, and what is kept."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from axes.models import AccessAttempt, AccessLog
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from watchlist.models import ApiToken, Check
from watchlist.services import history, tokens
from watchlist.tests.factories import PASSWORD, CheckFactory, UserFactory

pytestmark = pytest.mark.django_db


def sign_in(password: str, username: str) -> None:
    form = {"username": username, "password": password}
    Client().post("/accounts/login/", form)


@pytest.mark.parametrize(
    ("rows", "age"),
    [
        (AccessLog, history.SIGN_IN_AGE),
        (AccessAttempt, history.WRONG_TRY_AGE),
        (Session, timedelta(days=14)),
    ],
    ids=["sign-ins", "wrong tries", "sessions"],
)
def test_traces_of_signing_in_are_forgotten_in_time(rows: Any, age: timedelta) -> None:
    user = UserFactory.create()
    sign_in("wrong", "nobody")
    sign_in(PASSWORD, user.username)
    with time_machine.travel(timezone.now() + age - timedelta(minutes=5)):
        history.forget_old()
        assert rows.objects.count() == 1
    with time_machine.travel(timezone.now() + age + timedelta(minutes=5)):
        history.forget_old()
        assert not rows.objects.exists()


def test_a_token_is_forgotten_once_it_has_ended() -> None:
    user = UserFactory.create()
    tokens.create_token(user=user, name="a month", days=30)
    kept, _text = tokens.create_token(user=user, name="for good", days=None)
    with time_machine.travel(timezone.now() + timedelta(days=29)):
        history.forget_old()
        assert ApiToken.objects.count() == 2
    with time_machine.travel(timezone.now() + timedelta(days=31)):
        history.forget_old()
    assert list(ApiToken.objects.all()) == [kept]


def test_checks_that_found_nothing_are_forgotten_first() -> None:
    at = timezone.now() - history.UNCHANGED_AGE - timedelta(hours=1)
    CheckFactory.create(finished_at=at, is_unchanged=True)
    kept = CheckFactory.create(finished_at=at, is_unchanged=False)
    history.forget_old()
    assert list(Check.objects.all()) == [kept]
