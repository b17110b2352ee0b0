"""Subscribing to the calendar; the feed is read with the library that programs use."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import icalendar
import pytest
import time_machine
from django.contrib.auth.models import User
from django.core import signing
from django.test import Client

from watchlist.models import CalendarFeed, WatchlistItem
from watchlist.pages import ical
from watchlist.services import calendar_feeds
from watchlist.tests.factories import (
    EpisodeFactory,
    GrabFactory,
    ProfileFactory,
    UserFactory,
    WatchlistItemFactory,
)

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def at_noon() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def item() -> WatchlistItem:
    made: WatchlistItem = WatchlistItemFactory.create(anime_title="Glass Harbour")
    weekly(made, last=NOW - timedelta(days=3))
    return made


def weekly(item: WatchlistItem, *, last: datetime, count: int = 4) -> None:
    for step in range(count):
        EpisodeFactory.create(
            series=item.series,
            number=Decimal(count - step),
            first_seen_at=last - timedelta(days=7 * step),
        )


def address_of(user: User) -> str:
    feed = calendar_feeds.feed_of(user) or calendar_feeds.renew(user=user, language="en")
    return f"/feeds/{calendar_feeds.token_of(feed)}/calendar.ics"


def read(content: bytes) -> list[icalendar.Event]:
    return list(icalendar.Calendar.from_ical(content).events)


def events(user: User, query: str = "") -> list[icalendar.Event]:
    response = Client().get(f"{address_of(user)}{query}")
    assert response.status_code == 200
    assert response["Content-Type"] == "text/calendar; charset=utf-8"
    return read(response.content)


def guessed(found: list[icalendar.Event]) -> list[icalendar.Event]:
    return [event for event in found if event.get("status") == "TENTATIVE"]


def test_what_arrived_has_its_moment(item: WatchlistItem) -> None:
    arrived = [event for event in events(item.user) if "status" not in event]
    assert [str(event["summary"]) for event in arrived][-1] == "Glass Harbour, episode 4"
    last = arrived[-1]
    assert last.start == NOW - timedelta(days=3)
    assert last["url"] == f"http://testserver/watchlist/{item.pk}"
    assert last["transp"] == "TRANSPARENT"
    assert "Not in the library yet" in str(last["description"])


def test_what_is_expected_is_a_guess_and_a_whole_day(item: WatchlistItem) -> None:
    first = guessed(events(item.user))[0]
    assert str(first["summary"]) == "Expected (a guess): Glass Harbour"
    assert first.start == date(2026, 11, 24)
    assert first.end == date(2026, 11, 25)
    assert "A guess by the rhythm so far: every 7 days." in str(first["description"])


def test_what_is_late_stands_on_today_under_its_old_name() -> None:
    item = WatchlistItemFactory.create(anime_title="Winter Tide")
    weekly(item, last=NOW - timedelta(days=9))
    today = guessed(events(item.user))[0]
    assert (str(today["summary"]), today.start) == ("Late (a guess): Winter Tide", NOW.date())
    assert "expected on 18 Nov" in str(today["description"])
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        tomorrow = guessed(events(item.user))[0]
    assert tomorrow["uid"] == today["uid"]
    assert tomorrow.start == date(2026, 11, 21)
    assert tomorrow.sequence > today.sequence


def test_a_name_is_the_same_at_every_fetch_and_no_two_are_alike(item: WatchlistItem) -> None:
    before = {str(event["uid"]): str(event["summary"]) for event in events(item.user)}
    assert len(before) == len(events(item.user))
    GrabFactory.create(item=item, episode=item.series.episodes.get(number=4))
    WatchlistItem.objects.update(anime_title="Another title")
    ProfileFactory.create(user=item.user, time_zone="Asia/Tokyo")
    assert {str(event["uid"]) for event in events(item.user)} == set(before)


def test_it_is_written_in_the_owners_language_and_zone(item: WatchlistItem) -> None:
    ProfileFactory.create(user=item.user, language="fr", time_zone="Pacific/Auckland")
    browser = {"Accept-Language": "de"}
    content = Client().get(address_of(item.user), headers=browser).content
    summaries = [str(event["summary"]) for event in read(content)]
    assert "Glass Harbour, épisode 4" in summaries
    # Where it is the 25th when the site publishes.
    assert guessed(read(content))[0].start == date(2026, 11, 25)


def test_the_pages_filter_holds_for_the_feed(item: WatchlistItem) -> None:
    dubbed = WatchlistItemFactory.create(user=item.user, series__lang="vf", anime_title="Salt")
    weekly(dubbed, last=NOW - timedelta(days=2))
    assert {str(event["url"]) for event in events(item.user, "?lang=vf")} == {
        f"http://testserver/watchlist/{dubbed.pk}"
    }
    assert events(item.user, "?lang=nonsense") == []


def test_nobody_elses_series_are_in_it(item: WatchlistItem) -> None:
    assert events(UserFactory.create()) == []


HOSTILE = [
    "Salt\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nSUMMARY:mine",
    "a;b,c\\n:d\"e^n'",
    "\u202egnp.exe\u2066\x00\x07\x7f",
    "日本の灯台" * 60,
    "é" * 75,
    "\U0001f4a9" * 60,
    " \t ",
]


@pytest.mark.parametrize("title", HOSTILE)
def test_a_title_stays_a_title(title: str) -> None:
    item = WatchlistItemFactory.create()
    weekly(item, last=NOW - timedelta(days=3))
    plain = len(events(item.user))
    WatchlistItem.objects.update(anime_title=title.replace("\x00", ""))
    content = Client().get(address_of(item.user)).content
    assert len(read(content)) == plain
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert not re.search(rb"[\x00-\x09\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n", content)
    shown = " ".join(str(event["summary"]) for event in read(content))
    assert not re.search("[\u202a-\u202e\u2066-\u2069\r\n]", shown)


def test_every_line_says_what_the_standard_asks_for(item: WatchlistItem) -> None:
    content = Client().get(address_of(item.user)).content
    calendar = icalendar.Calendar.from_ical(content)
    assert (str(calendar["version"]), str(calendar["x-wr-calname"])) == ("2.0", "Tsuzuku")
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H\r\n" in content
    assert content.endswith(b"END:VCALENDAR\r\n")
    for event in calendar.events:
        assert {"uid", "dtstamp", "dtstart", "dtend", "summary", "last-modified"} <= set(
            map(str.lower, event)
        )


def test_a_file_that_has_not_changed_is_not_sent_again(item: WatchlistItem) -> None:
    address = address_of(item.user)
    first = Client().get(address)
    by_tag = Client().get(address, headers={"If-None-Match": first["ETag"]})
    by_date = Client().get(address, headers={"If-Modified-Since": first["Last-Modified"]})
    assert (by_tag.status_code, by_date.status_code) == (304, 304)
    assert by_tag["ETag"] == first["ETag"]
    item.delete()
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        later = Client().get(address, headers={"If-Modified-Since": first["Last-Modified"]})
        assert later.status_code == 200
        again = Client().get(address, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert first["Cache-Control"] == "private, no-cache"


def test_only_so_many_events_are_sent(item: WatchlistItem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ical, "MAX_EVENTS", 3)
    found = [event.start for event in events(item.user)]
    assert found == [NOW - timedelta(days=10), NOW - timedelta(days=3), date(2026, 11, 24)]


@pytest.mark.parametrize("token", ["x", "x.y", "a" * 22, "%00", "é.é", ".", "a" * 5000])
def test_a_made_up_address_is_not_there(client: Client, token: str) -> None:
    CalendarFeed.objects.create(user=UserFactory.create(), key="x" * 22, language="en")
    assert client.get(f"/feeds/{token}/calendar.ics").status_code == 404


def test_what_the_database_holds_opens_nothing(client: Client) -> None:
    feed = calendar_feeds.renew(user=UserFactory.create(), language="en")
    for token in (feed.key, f"{feed.key}.{feed.key}", signing.Signer(sep=".").sign(feed.key)):
        assert client.get(f"/feeds/{token}/calendar.ics").status_code == 404


def test_a_deactivated_users_address_is_as_if_it_never_was(item: WatchlistItem) -> None:
    address = address_of(item.user)
    User.objects.update(is_active=False)
    gone = Client().get(address)
    never = Client().get("/feeds/never.was/calendar.ics")
    assert (gone.status_code, gone.content) == (404, never.content)


def test_a_program_cannot_write_there(item: WatchlistItem) -> None:
    assert Client().post(address_of(item.user)).status_code == 405


def shown_address(html: str) -> str:
    found = re.search(r'value="http://testserver([^"]+)"', html)
    return found[1] if found else ""


def test_an_address_is_made_shown_renewed_and_given_up(client: Client, item: WatchlistItem) -> None:
    client.force_login(item.user)
    assert shown_address(client.get("/calendar/subscribe").content.decode()) == ""
    made = client.post("/calendar/subscribe", {"do": "renew"})
    assert (made.status_code, made["Location"]) == (303, "/calendar/subscribe")
    page = client.get("/calendar/subscribe")
    first = shown_address(page.content.decode())
    assert f'href="webcal://testserver{first}"' in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    assert Client().get(first).status_code == 200
    client.post("/calendar/subscribe", {"do": "renew"})
    second = shown_address(client.get("/calendar/subscribe").content.decode())
    assert second not in {"", first}
    assert [Client().get(one).status_code for one in (first, second)] == [404, 200]
    client.post("/calendar/subscribe", {"do": "give-up"})
    assert Client().get(second).status_code == 404
    assert not CalendarFeed.objects.exists()


def test_in_a_dialog_it_comes_back_with_a_toast(client: Client, item: WatchlistItem) -> None:
    client.force_login(item.user)
    htmx = {"HX-Request": "true"}
    assert "<html" not in client.get("/calendar/subscribe", headers=htmx).content.decode()
    made = client.post("/calendar/subscribe?lang=vostfr", {"do": "renew"}, headers=htmx)
    assert shown_address(made.content.decode()).endswith("/calendar.ics?lang=vostfr")
    assert "toast" in made["HX-Trigger"]


def test_a_stranger_cannot_make_one(client: Client) -> None:
    assert client.post("/calendar/subscribe")["Location"].startswith("/accounts/login/")


def test_the_calendar_leads_there_with_its_filter(client: Client, item: WatchlistItem) -> None:
    client.force_login(item.user)
    html = client.get("/calendar?lang=vostfr").content.decode()
    assert 'href="/calendar/subscribe?lang=vostfr"' in html


def test_the_months_are_turned_without_the_rest_of_the_page(
    client: Client, item: WatchlistItem
) -> None:
    client.force_login(item.user)
    address = "/calendar?view=month&month=2026-12"
    part = client.get(address, headers={"HX-Request": "true"})
    html = part.content.decode()
    assert "December 2026" in html
    assert "<html" not in html
    assert "agenda" not in html.split("</nav>")[-1]
    assert "HX-Request" in part["Vary"]
