from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, override_settings
from django.urls import include, path
from pytest_django import DjangoAssertNumQueries

from watchlist.pages import errors
from watchlist.tests.factories import ProfileFactory, UserFactory


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("broken on purpose")


urlpatterns = [
    path("broken", broken),
    path("api/broken", broken),
    path("", include("watchlist_project.urls")),
]
handler400, handler403 = errors.bad_request, errors.permission_denied
handler404, handler500 = errors.page_not_found, errors.server_error


@pytest.fixture
def calm() -> Client:
    """A browser that shows the error page instead of raising."""
    return Client(raise_request_exception=False)


@pytest.mark.django_db
def test_an_unknown_address_is_a_page_with_a_way_out(calm: Client) -> None:
    response = calm.get("/nowhere")
    assert response.status_code == 404
    assert b"There is no such page" in response.content
    assert b'href="/watchlist"' in response.content


@pytest.mark.django_db
@pytest.mark.parametrize("accepted", ["fr", "fr-CA,en;q=0.5"])
def test_the_page_is_in_the_browsers_language(calm: Client, accepted: str) -> None:
    response = calm.get("/nowhere", headers={"Accept-Language": accepted})
    assert b'<html lang="fr">' in response.content


@pytest.mark.django_db
def test_the_page_is_in_the_users_language(calm: Client) -> None:
    profile = ProfileFactory.create(language="fr")
    calm.force_login(profile.user)
    response = calm.get("/nowhere", headers={"Accept-Language": "en"})
    assert b'<html lang="fr">' in response.content


@pytest.mark.django_db
def test_a_member_at_an_administrators_page_gets_403(calm: Client) -> None:
    calm.force_login(UserFactory.create())
    response = calm.get("/settings/users")
    assert response.status_code == 403
    assert b"You may not do this" in response.content


@pytest.mark.django_db
def test_a_form_without_a_token_is_explained() -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(UserFactory.create())
    response = strict.post("/notifications/read")
    assert response.status_code == 403
    assert b"The form was too old" in response.content


@pytest.mark.django_db
def test_a_foreign_host_name_is_a_bad_request(calm: Client) -> None:
    response = calm.get("/watchlist", headers={"Host": "evil.example"})
    assert response.status_code == 400
    assert b"cannot be understood" in response.content
    assert b"evil.example" not in response.content


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_a_broken_view_is_a_page_without_details(calm: Client) -> None:
    response = calm.get("/broken")
    assert response.status_code == 500
    assert b"Something went wrong on our side" in response.content
    assert b"on purpose" not in response.content


@pytest.mark.django_db
@override_settings(ROOT_URLCONF=__name__)
def test_a_program_gets_json(calm: Client) -> None:
    response = calm.get("/api/broken")
    assert response.status_code == 500
    assert response.json() == {
        "detail": "Something went wrong on our side.",
        "code": "server_error",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("status", [400, 403, 404, 500])
def test_no_page_asks_the_database(
    status: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    request = HttpRequest()
    request.path_info = "/somewhere"
    makers = {
        400: lambda: errors.bad_request(request, Exception()),
        403: lambda: errors.permission_denied(request, Exception()),
        404: lambda: errors.page_not_found(request, Exception()),
        500: lambda: errors.server_error(request),
    }
    with django_assert_num_queries(0):
        response = makers[status]()
    assert response.status_code == status
    assert b"style=" not in response.content
    assert b"<script" not in response.content
