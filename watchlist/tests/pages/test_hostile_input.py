"""Whatever is sent to a page, the answer is no error of ours, and it leads nowhere else."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from watchlist.tests.factories import AdministratorFactory

pytestmark = pytest.mark.django_db
NUL = "a\x00b"
FEED = {"provider_id": "feed", "url": "http://127.0.0.1:1/feed.xml", "start": "all"}


@pytest.fixture
def calm() -> Client:
    """Signed in; shows the error page instead of raising."""
    client = Client(raise_request_exception=False)
    client.force_login(AdministratorFactory.create())
    return client


@pytest.mark.parametrize(
    ("path", "query"),
    [
        *(("/watchlist/add", {name: NUL}) for name in ("q", "url", "text", "title")),
        ("/watchlist/add/confirm", {"provider": "feed", "url": FEED["url"], "lang": NUL}),
        ("/watchlist", {NUL: "1"}),
        ("/admin/watchlist/series/", {"title__icontains": NUL}),
    ],
)
def test_a_query_with_a_nul_cannot_be_understood(
    calm: Client, path: str, query: dict[str, str]
) -> None:
    assert calm.get(path, query).status_code == 400


@pytest.mark.parametrize(
    ("path", "sent"),
    [
        ("/watchlist/add/follow", FEED | {"quality": "auto", "lang": NUL}),
        ("/notifications/read", {"back": NUL}),
        ("/theme", {"next": NUL}),
    ],
)
@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["form", "htmx"])
def test_a_form_with_a_nul_cannot_be_understood(
    calm: Client, path: str, sent: dict[str, str], headers: dict[str, str]
) -> None:
    assert calm.post(path, sent, headers=headers).status_code == 400


@pytest.mark.parametrize("path", ["/theme", "/watchlist/view"])
@pytest.mark.parametrize(
    "place",
    ["nowhere", "-1", "[]", "NaN", " ", "api-docs", "//evil.example", "http://[", "a" * 5000],
)
def test_a_form_leads_back_only_to_an_address_of_ours(calm: Client, path: str, place: str) -> None:
    answer = calm.post(path, {"theme": "dark", "view": "grid", "next": place})
    assert (answer.status_code, answer["Location"]) == (303, "/watchlist")


@pytest.mark.parametrize("place", ["/downloads?q=1", "http://testserver/stats"])
def test_a_form_leads_back_to_where_it_stood(calm: Client, place: str) -> None:
    assert calm.post("/theme", {"next": place})["Location"] == place


@pytest.mark.parametrize(
    ("back", "query"),
    [
        ("kind=new&page=2", "kind=new&page=2"),
        ("a\r\nX-Other: 1", "a%0D%0AX-Other%3A+1="),
        ("é=ü", "%C3%A9=%C3%BC"),
    ],
)
def test_marking_as_read_leads_back_to_the_same_filters(
    calm: Client, back: str, query: str
) -> None:
    sent: dict[str, Any] = {"back": back}
    answer = calm.post("/notifications/read", sent, headers={"HX-Request": "true"})
    assert answer["HX-Redirect"] == f"/notifications?{query}"


def test_an_endless_filter_does_not_become_a_header(calm: Client) -> None:
    sent = {"back": "a" * 100_000}
    answer = calm.post("/notifications/read", sent, headers={"HX-Request": "true"})
    assert len(answer["HX-Redirect"]) < 1000


@pytest.mark.parametrize("year", ["9" * 5, "9" * 40, "0", "-1"])
@pytest.mark.parametrize(
    ("path", "column"),
    [("/admin/watchlist/series/", "created_at"), ("/admin/auth/user/", "date_joined")],
)
def test_the_administration_knows_no_such_year(
    calm: Client, path: str, column: str, year: str
) -> None:
    for lookup in (f"{column}__year", f"{column}__year__gte"):
        assert calm.get(path, {lookup: year}).status_code < 500
