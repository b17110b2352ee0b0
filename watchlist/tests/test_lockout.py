"""Who guesses passwords is kept out; nobody else is, and everybody is told."""

from __future__ import annotations

from typing import Any

import pytest
from axes.models import AccessAttempt
from django.conf import settings as product
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from pytest_django import Settings

from watchlist.lockout import MAX_FAILURES_OF_ADDRESS, client_address
from watchlist.tests.factories import PASSWORD, AdministratorFactory, UserFactory

LIMIT: int = product.AXES_FAILURE_LIMIT


@pytest.fixture
def owner(db: None) -> User:
    return UserFactory.create(username="owner")


@pytest.fixture
def behind_proxy(settings: Settings) -> None:
    settings.BEHIND_HTTPS_PROXY = True


def sign_in(
    password: str, *, name: str = "owner", forwarded_for: str = "", language: str = "en"
) -> Any:
    headers = {"X-Forwarded-For": forwarded_for} if forwarded_for else {}
    return Client().post(
        "/accounts/login/",
        {"username": name, "password": password, "next": "/downloads"},
        headers={"Accept-Language": language, **headers},
    )


def guess(count: int, **where: str) -> None:
    for _ in range(count):
        sign_in("wrong", **where)


@pytest.mark.usefixtures("owner", "behind_proxy")
class TestBehindTheProxy:
    def test_a_stranger_who_guesses_does_not_lock_the_owner_out(self) -> None:
        guess(LIMIT + 1, forwarded_for="203.0.113.66")
        assert sign_in(PASSWORD, forwarded_for="203.0.113.66").status_code == 429
        assert sign_in(PASSWORD, forwarded_for="203.0.113.2").status_code == 302

    def test_an_address_that_the_client_invented_does_not_count(self) -> None:
        for number in range(LIMIT):
            sign_in("wrong", forwarded_for=f"198.51.100.{number}, 203.0.113.66")
        invented = "198.51.100.99, 203.0.113.66"
        assert sign_in(PASSWORD, forwarded_for=invented).status_code == 429


@pytest.mark.usefixtures("owner")
def test_without_a_proxy_the_header_is_not_read() -> None:
    for number in range(LIMIT):
        sign_in("wrong", forwarded_for=f"203.0.113.{number}")
    assert sign_in(PASSWORD, forwarded_for="203.0.113.200").status_code == 429


@pytest.mark.parametrize(
    ("seen", "sender", "expected"),
    [
        ("2001:db8::1", "127.0.0.1", "2001:db8::1"),
        ("", "127.0.0.1", "127.0.0.1"),
        ("unknown", "127.0.0.1", "127.0.0.1"),
        ("203.0.113.5,", "127.0.0.1", "127.0.0.1"),
        ("203.0.113.5\x00", "127.0.0.1", "127.0.0.1"),
        ("", "fe80::1%eth0", "fe80::1"),
        ("", "", None),
    ],
)
@pytest.mark.usefixtures("behind_proxy")
def test_only_what_the_database_takes_is_an_address(
    rf: RequestFactory, seen: str, sender: str, expected: str | None
) -> None:
    request = rf.get("/", REMOTE_ADDR=sender, HTTP_X_FORWARDED_FOR=seen)
    assert client_address(request) == expected


@pytest.mark.usefixtures("owner")
def test_who_goes_on_guessing_does_not_begin_the_wait_anew() -> None:
    guess(LIMIT)
    before = AccessAttempt.objects.get()
    guess(3)
    after = AccessAttempt.objects.get()
    assert (after.attempt_time, after.failures_since_start) == (before.attempt_time, LIMIT)


@pytest.mark.usefixtures("owner", "behind_proxy")
def test_an_address_cannot_try_one_name_after_another() -> None:
    for number in range(MAX_FAILURES_OF_ADDRESS):
        sign_in("wrong", name=f"nobody{number}", forwarded_for="9.9.9.9")
    assert sign_in(PASSWORD, forwarded_for="9.9.9.9").status_code == 429
    assert sign_in(PASSWORD, forwarded_for="149.112.112.112").status_code == 302


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize("address", ["127.0.0.1", "172.18.0.1", "fd00::1"])
def test_an_address_that_may_be_everybodys_is_not_kept_out_as_a_whole(address: str) -> None:
    client = Client(REMOTE_ADDR=address)
    for number in range(MAX_FAILURES_OF_ADDRESS):
        client.post("/accounts/login/", {"username": f"nobody{number}", "password": "wrong"})
    right = {"username": "owner", "password": PASSWORD}
    assert client.post("/accounts/login/", right).status_code == 302


@pytest.mark.usefixtures("owner")
@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", "Too many failed attempts. Try again in 15 minutes."),
        ("fr", "Trop de tentatives ratées. Réessayez dans 15 minutes."),
    ],
)
def test_who_is_locked_out_is_told_so_and_not_that_the_password_is_wrong(
    language: str, words: str
) -> None:
    guess(LIMIT)
    answer = sign_in(PASSWORD, language=language)
    page = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (429, "900")
    assert words in page
    assert page.count('role="alert"') == 1
    assert 'value="owner"' in page
    assert 'name="next" value="/downloads"' in page


@pytest.mark.django_db
def test_the_administration_tells_it_too() -> None:
    AdministratorFactory.create(username="keeper")
    for password in ["wrong"] * LIMIT + [PASSWORD]:
        sent = {"username": "keeper", "password": password}
        answer = Client().post("/admin/login/?next=/admin/", sent)
    assert answer.status_code == 429
    assert "Try again in 15 minutes." in answer.content.decode()
