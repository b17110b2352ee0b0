"""The Django admin: every page opens at a constant cost, and nothing bypasses the services."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from downloads.models import Download, DownloadAttempt, DownloadEvent, Limiter
from downloads.states import State
from watchlist.models import (
    ApiToken,
    CalendarFeed,
    Check,
    Decision,
    Episode,
    Grab,
    ItemStatus,
    Notification,
    Preferences,
    Profile,
    Series,
    WatchlistItem,
)
from watchlist.services import calendar_feeds
from watchlist.tests import factories

pytestmark = pytest.mark.django_db

OURS: list[type[Model]] = [
    ApiToken, CalendarFeed, Check, Decision, Episode, Grab, Notification, Preferences, Profile,
    Series, WatchlistItem, Download, DownloadAttempt, DownloadEvent, Limiter,
]  # fmt: skip
NEVER_ADDED = [model for model in OURS if model is not Profile]
NEVER_DELETED = [model for model in NEVER_ADDED if model not in {WatchlistItem, ApiToken}]


def fill(count: int) -> None:
    """Make `count` more rows of everything."""
    Preferences.objects.get_or_create(pk=Preferences.SINGLETON_ID)
    Limiter.objects.get_or_create(scope="global")
    for _ in range(count):
        grab = factories.GrabFactory.create()
        factories.DecisionFactory.create(item=grab.item, episode=grab.episode)
        factories.CheckFactory.create(series=grab.item.series)
        factories.NotificationFactory.create(user=grab.item.user, item=grab.item)
        factories.ProfileFactory.create()
        factories.token_for(grab.item.user)
        calendar_feeds.renew(user=grab.item.user, language="en")
        factories.DownloadEventFactory.create(download=grab.download)
        factories.DownloadAttemptFactory.create(download=grab.download)


def page(model: type[Model], kind: str, row: Model | None = None) -> str:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_{kind}"
    return reverse(name, args=[row.pk] if row else None)


def act(browser: Client, verb: str, row: Model) -> None:
    response = browser.post(
        page(type(row), "changelist"), {"action": verb, "_selected_action": [str(row.pk)]}
    )
    assert response.status_code == 302


def edit(browser: Client, row: Model, **fields: Any) -> Any:
    return browser.post(page(type(row), "change", row), {**formsets(row), **fields})


def formsets(row: Model) -> dict[str, Any]:
    if not isinstance(row, Download):
        return {}
    return {
        f"{prefix}-{name}": 0
        for prefix in ("tries", "events")
        for name in ("TOTAL_FORMS", "INITIAL_FORMS")
    }


def test_every_model_of_ours_is_registered() -> None:
    assert set(OURS) <= set(admin.site._registry)


@pytest.mark.parametrize("model", OURS)
def test_a_list_costs_the_same_queries_however_long(browser: Client, model: type[Model]) -> None:
    fill(1)
    browser.get(page(model, "changelist"))
    with CaptureQueriesContext(connection) as few:
        assert browser.get(page(model, "changelist")).status_code == 200
    fill(5)
    with CaptureQueriesContext(connection) as many:
        browser.get(page(model, "changelist"))
    assert len(many) <= len(few)


@pytest.mark.parametrize("model", OURS)
def test_a_row_and_a_search_open(browser: Client, model: type[Model]) -> None:
    fill(1)
    row = model._default_manager.all()[0]
    assert browser.get(page(model, "change", row)).status_code == 200
    assert browser.get(page(model, "changelist"), {"q": "glass"}).status_code in {200, 302}


@pytest.mark.parametrize("model", NEVER_ADDED)
def test_nothing_is_added_by_hand(browser: Client, model: type[Model]) -> None:
    assert browser.get(page(model, "add")).status_code == 403
    assert browser.post(page(model, "add"), {}).status_code == 403


@pytest.mark.parametrize("model", NEVER_DELETED)
def test_nothing_that_others_need_is_deleted(browser: Client, model: type[Model]) -> None:
    fill(1)
    row = model._default_manager.all()[0]
    assert browser.post(page(model, "delete", row), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("model", OURS)
def test_only_staff_comes_in(model: type[Model]) -> None:
    client = Client()
    client.force_login(factories.UserFactory.create())
    assert client.get(page(model, "changelist")).status_code == 302


def test_an_item_is_changed_through_the_service(browser: Client) -> None:
    item = factories.WatchlistItemFactory.create()
    response = edit(
        browser,
        item,
        anime_title="Renamed",
        status="paused",
        quality_preference="720p",
        user=999,
    )
    assert response.status_code == 302
    item.refresh_from_db()
    item.series.refresh_from_db()
    assert (item.anime_title, item.status, item.auto_download) == ("Renamed", "paused", False)
    # Nobody follows it actively now, so the service has taken it off the schedule.
    assert item.series.next_check_at is None


def test_an_item_takes_nothing_that_the_api_would_refuse(browser: Client) -> None:
    item = factories.WatchlistItemFactory.create(anime_title="Title", genres=["Drama"])
    valid = {"anime_title": "Title", "status": "active", "quality_preference": "auto"}
    for wrong in (
        {"anime_title": "\u200b\u202e"},
        {"last_episode_downloaded": "-1"},
        {"last_episode_downloaded": "NaN"},
    ):
        assert edit(browser, item, **(valid | wrong)).status_code == 200
    texts = {"genres": '{"a": 1}', "poster_image": "javascript:alert(1)", "synopsis": "\x07"}
    edit(browser, item, **(valid | texts | {"anime_title": "Re\u202enamed"}))
    item.refresh_from_db()
    assert (item.anime_title, item.genres) == ("Renamed", ["Drama"])
    assert (item.poster_image, item.synopsis) == ("", "")
    assert item.last_episode_downloaded is None


def test_items_can_be_paused_resumed_and_checked(browser: Client) -> None:
    item = factories.WatchlistItemFactory.create()
    act(browser, "pause", item)
    item.refresh_from_db()
    assert item.status == ItemStatus.PAUSED
    act(browser, "resume", item)
    item.refresh_from_db()
    assert item.status == ItemStatus.ACTIVE
    act(browser, "check_now", item)
    assert Check.objects.get().series_id == item.series_id


def test_a_deleted_item_gives_its_downloads_up(browser: Client) -> None:
    grab = factories.GrabFactory.create()
    response = browser.post(page(WatchlistItem, "delete", grab.item), {"post": "yes"})
    assert response.status_code == 302
    grab.download.refresh_from_db()
    assert grab.download.state == State.CANCELLED


def test_deleting_several_items_gives_their_downloads_up(browser: Client) -> None:
    grab = factories.GrabFactory.create()
    browser.post(
        page(WatchlistItem, "changelist"),
        {"action": "delete_selected", "_selected_action": [str(grab.item_id)], "post": "yes"},
    )
    grab.download.refresh_from_db()
    assert grab.download.state == State.CANCELLED


def test_a_series_can_be_checked_now(browser: Client) -> None:
    series = factories.SeriesFactory.create()
    act(browser, "check_now", series)
    check = Check.objects.get(series=series)
    assert check.is_urgent


@pytest.mark.parametrize(
    ("verb", "before", "after"),
    [
        ("pause", State.QUEUED, State.PAUSED),
        ("resume", State.PAUSED, State.QUEUED),
        ("cancel", State.QUEUED, State.CANCELLED),
        ("retry", State.FAILED, State.QUEUED),
    ],
)
def test_downloads_take_orders(browser: Client, verb: str, before: State, after: State) -> None:
    download = factories.DownloadFactory.create(state=before)
    act(browser, verb, download)
    download.refresh_from_db()
    assert download.state == after
    assert download.events.get().to_state == after


def test_an_order_that_is_not_legal_now_is_told(browser: Client) -> None:
    download = factories.DownloadFactory.create(completed=True)
    response = browser.post(
        page(Download, "changelist"),
        {"action": "cancel", "_selected_action": [str(download.pk)]},
        follow=True,
    )
    assert "not possible while the download is completed" in response.content.decode()


def test_the_state_of_a_download_cannot_be_edited(browser: Client) -> None:
    download = factories.DownloadFactory.create(running=True)
    response = edit(
        browser, download, priority=5, rate_limit_bps="", state="completed", fence=99, owner="me"
    )
    assert response.status_code == 302
    download.refresh_from_db()
    assert (download.priority, download.state) == (5, State.DOWNLOADING)
    assert (download.fence, download.owner) == (1, "worker")


def test_editing_the_limits_leaves_the_counter_of_positions_alone(browser: Client) -> None:
    limiter = Limiter.objects.create(scope="global", next_position=77)
    fields = {"automatic_cap": 5, "rate_limit_bps": "", "window_start": "", "window_end": ""}
    assert edit(browser, limiter, **fields).status_code == 302
    limiter.refresh_from_db()
    assert (limiter.automatic_cap, limiter.next_position) == (5, 77)
    assert edit(browser, limiter, **{**fields, "automatic_cap": 17}).status_code == 200
    limiter.refresh_from_db()
    assert limiter.automatic_cap == 5


def test_a_changed_setting_takes_effect(browser: Client) -> None:
    item = factories.WatchlistItemFactory.create()
    row = Preferences.objects.create(pk=Preferences.SINGLETON_ID)
    assert edit(browser, row, include_completed_anime="on").status_code == 302
    row.refresh_from_db()
    item.refresh_from_db()
    assert row.include_completed_anime is True
    assert row.auto_download_enabled is False
    # The service has marked what must be decided again.
    assert item.needs_decision is True


def test_a_deleted_token_is_revoked(browser: Client) -> None:
    factories.token_for(factories.UserFactory.create())
    token = ApiToken.objects.get()
    assert browser.post(page(ApiToken, "delete", token), {"post": "yes"}).status_code == 302
    assert not ApiToken.objects.exists()


def test_the_hash_of_a_token_is_not_shown(browser: Client) -> None:
    factories.token_for(factories.UserFactory.create())
    token = ApiToken.objects.get()
    content = browser.get(page(ApiToken, "change", token)).content.decode()
    assert f">{token.digest}<" not in content


def test_a_calendar_address_is_listed_without_its_secret(browser: Client) -> None:
    fill(1)
    feed = CalendarFeed.objects.get()
    for shown in (page(CalendarFeed, "changelist"), page(CalendarFeed, "change", feed)):
        html = browser.get(shown).content.decode()
        assert feed.user.username in html
        assert feed.key not in html
        assert calendar_feeds.token_of(feed) not in html


def test_a_revoked_calendar_address_opens_nothing(browser: Client) -> None:
    fill(2)
    kept, revoked = CalendarFeed.objects.order_by("pk")
    addresses = [
        reverse("calendar-feed", args=[calendar_feeds.token_of(feed)]) for feed in (kept, revoked)
    ]
    act(browser, "revoke", revoked)
    assert [Client().get(address).status_code for address in addresses] == [200, 404]


def test_who_may_only_look_revokes_no_calendar_address() -> None:
    fill(1)
    looker = factories.UserFactory.create(is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_calendarfeed"))
    client = Client()
    client.force_login(looker)
    assert client.get(page(CalendarFeed, "changelist")).status_code == 200
    act_on = {"action": "revoke", "_selected_action": [str(CalendarFeed.objects.get().pk)]}
    client.post(page(CalendarFeed, "changelist"), act_on)
    assert CalendarFeed.objects.exists()


def test_the_names_of_the_apps_are_in_the_language_of_the_reader(browser: Client) -> None:
    html = browser.get(reverse("admin:index"), headers={"Accept-Language": "fr"}).content.decode()
    for name in ("Téléchargements", "Fournisseurs", "Ma liste", "Tentatives de connexion"):
        assert f"{name}</a>" in html or f"{name}\n" in html
    for name in ("Downloads", "Providers", "Watchlist", "Axes"):
        assert name not in html


@pytest.mark.parametrize("model", [ApiToken, CalendarFeed, Notification, Profile, WatchlistItem])
def test_the_owner_of_a_row_is_named_in_the_language_of_the_reader(
    browser: Client, model: type[Model]
) -> None:
    fill(1)
    response = browser.get(page(model, "changelist"), headers={"Accept-Language": "fr"})
    headings = re.findall(
        r'class="[^"]*column-user.*?<(?:a|span)[^>]*>([^<]+)<', response.text, re.DOTALL
    )
    assert headings == ["Utilisateur"]
