"""Who may do what: every route for nobody, its owner, another user and an administrator."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.urls import URLPattern
from rest_framework.test import APIClient

from watchlist.api.urls import urlpatterns
from watchlist.tests.factories import CheckFactory, GrabFactory

pytestmark = pytest.mark.django_db

OPEN = {"healthz", "api-login"}
ADMINISTRATORS = {
    ("PUT", "api-settings"),
    ("PATCH", "api-settings"),
    ("POST", "api-scheduler-start"),
    ("POST", "api-scheduler-stop"),
    ("PATCH", "api-provider"),
    ("POST", "api-provider-test"),
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD")
ROUTES = [pattern for pattern in urlpatterns if pattern.name]
PERSONAL = [pattern for pattern in ROUTES if "<id:" in str(pattern.pattern)]


@dataclass(frozen=True, slots=True)
class World:
    """One user's rows, and the ids that name them."""

    ids: dict[str, str]

    def path(self, pattern: URLPattern) -> str:
        route = "/" + str(pattern.pattern)
        route = route.replace("<str:provider_id>", "feed")
        return re.sub(r"<id:(\w+)>", lambda match: self.ids[match[1]], route)

    def with_other_ids(self, make: Callable[[], str]) -> World:
        return World({name: make() for name in self.ids})


@pytest.fixture
def world(owner: User) -> World:
    grab = GrabFactory.create(item__user=owner)
    check = CheckFactory.create(series=grab.item.series)
    return World(
        {
            "item_id": str(grab.item_id),
            "episode_id": str(grab.episode_id),
            "download_id": str(grab.download_id),
            "check_id": str(check.pk),
        }
    )


def allowed_methods(pattern: URLPattern) -> list[str]:
    actions = getattr(pattern.callback, "actions", None) or {"get": ""}
    # HEAD follows GET; DRF adds it to the actions at the first request.
    return [method for method in METHODS[:-1] if method.lower() in actions]


def ask(client: APIClient, method: str, path: str) -> Any:
    return client.generic(method, path, "{}", content_type="application/json")


def names(pattern: URLPattern) -> str:
    return str(pattern.name)


@pytest.mark.parametrize("pattern", ROUTES, ids=names)
def test_nobody_gets_in_without_signing_in(
    anonymous: APIClient, world: World, pattern: URLPattern
) -> None:
    expected = {200, 400, 503} if pattern.name in OPEN else {401}
    for method in allowed_methods(pattern):
        response = ask(anonymous, method, world.path(pattern))
        assert response.status_code in expected, method


@pytest.mark.parametrize("pattern", ROUTES, ids=names)
def test_only_administrators_do_what_concerns_everybody(
    api: APIClient,
    staff_api: APIClient,
    admin_api: APIClient,
    world: World,
    pattern: URLPattern,
) -> None:
    for method in allowed_methods(pattern):
        is_guarded = (method, pattern.name) in ADMINISTRATORS
        status = ask(api, method, world.path(pattern)).status_code
        assert (status == 403) == is_guarded, (method, status)
        if is_guarded:
            assert ask(staff_api, method, world.path(pattern)).status_code == 403
            assert ask(admin_api, method, world.path(pattern)).status_code < 400


@pytest.mark.parametrize("pattern", PERSONAL, ids=names)
def test_foreign_malformed_and_unknown_ids_are_answered_alike(
    other_api: APIClient, admin_api: APIClient, world: World, pattern: URLPattern
) -> None:
    odd = ["x", "%00", "1", "..%2f", "0" * 32, "%F0%9F%92%A9", "a" * 300, "{}", "null"]
    worlds = [world, world.with_other_ids(lambda: str(uuid.uuid4()))]
    worlds += [world.with_other_ids(lambda text=text: text) for text in odd]  # type: ignore[misc]  # a bound default
    answers = {
        (response.status_code, response.content)
        for method in allowed_methods(pattern)
        for client in (other_api, admin_api)
        for seen in worlds
        if (response := ask(client, method, seen.path(pattern)))
    }
    assert len(answers) == 1
    ((status, body),) = answers
    assert (status, body) == (404, b'{"detail":"Not found.","code":"not_found"}')


@pytest.mark.parametrize("pattern", PERSONAL, ids=names)
def test_the_owner_reaches_every_own_row(api: APIClient, world: World, pattern: URLPattern) -> None:
    for method in allowed_methods(pattern):
        if method != "DELETE":
            assert ask(api, method, world.path(pattern)).status_code in {200, 202, 409}, method


@pytest.mark.parametrize("pattern", ROUTES, ids=names)
def test_a_method_that_is_not_offered_is_a_405_in_json(
    admin_api: APIClient, world: World, pattern: URLPattern
) -> None:
    allowed = allowed_methods(pattern)
    offered = {*allowed, *(["HEAD"] if "GET" in allowed else [])}
    if pattern.name in {"api-schema", "api-docs"}:
        offered.add("OPTIONS")
    for method in set(METHODS) - offered:
        response = ask(admin_api, method, world.path(pattern))
        assert response.status_code == 405, method
        if method != "HEAD" and pattern.name != "api-docs":  # the one that is a page
            assert response.json()["code"] == "method_not_allowed"


@pytest.mark.parametrize("pattern", ROUTES, ids=names)
def test_a_trailing_slash_makes_no_difference_and_nothing_redirects(
    api: APIClient, world: World, pattern: URLPattern
) -> None:
    if "GET" not in allowed_methods(pattern) or pattern.name in {"healthz", "api-docs"}:
        return
    path = world.path(pattern)
    plain, slashed = api.get(path), api.get(f"{path}/")
    assert plain.status_code == slashed.status_code
    assert plain.status_code not in {301, 302, 307, 308}
    if plain.status_code == 200 and pattern.name != "api-root":
        assert plain.content == slashed.content


@pytest.mark.parametrize("path", ["/api/nothing", "/api/watchlist/x/y/z", "/api/v1/", "/api//"])
@pytest.mark.parametrize("method", METHODS[:-1])
def test_an_unknown_address_is_a_404_in_json_for_everybody(
    anonymous: APIClient, api: APIClient, method: str, path: str
) -> None:
    for client in (anonymous, api):
        response = ask(client, method, path)
        assert response.status_code == 404
        assert response.json() == {"detail": "Not found.", "code": "not_found"}


def test_the_lists_of_another_user_stay_empty(other_api: APIClient, world: World) -> None:
    assert world.ids
    for path in ("/api/watchlist", "/api/downloads"):
        assert other_api.get(path).json()["results"] == []
    assert other_api.get("/api/watchlist/stats").json()["total"] == 0
