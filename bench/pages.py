"""What the pages cost with two hundred series on the list: the first view, and every fragment.

Run: `python bench/pages.py`, with DATABASE_URL for Postgres.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.stage import Row, prepared_database, print_table, running_broker

SERIES = 200
REPEATS = 40
REPEATS_OF_MANY = 10
WARM_UP = 5
FRAGMENT_MS = 15
PAGE_MS = 60
PROVIDERS = ("animesama", "nekosama", "animeultime")
HTMX = {"HX-Request": "true"}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request that a browser makes."""

    name: str
    path: str
    post: bool = False
    data: dict[str, str | list[str]] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=lambda: dict(HTMX))
    goal_ms: int = FRAGMENT_MS
    # Sent after each request and not measured, so that each of them changes something.
    undone_by: str = ""
    undone_with: dict[str, str] = field(default_factory=dict)
    offers_undo: bool = False  # the answer names the address that undoes it
    repeats: int = REPEATS


def main() -> None:
    """Ask through Django's own handler, so that the web server's cost is left out."""
    with provider_site(), prepared_database() as vendor, running_broker():
        from django.core.management import call_command
        from django.test import Client

        call_command("collectstatic", interactive=False, verbosity=0)
        client = Client(headers={"Host": "localhost", "Accept-Encoding": "gzip"})
        client.force_login(_owner())
        rows = []
        for ask in _asks(client):
            rows += _measured(client, ask)
        print_table(f"Pages, {SERIES} series, on {vendor} (test client included)", rows)
        _print_weight(client)


@contextmanager
def provider_site() -> Iterator[None]:
    """The demo site as a process of its own: a search is asked of it and costs only our part."""
    command = [sys.executable, "-m", "providers.demo"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as site:
        assert site.stdout
        base = json.loads(site.stdout.readline())["base_url"]
        os.environ["ALLOWED_PRIVATE_HOSTS"] = "127.0.0.1"
        os.environ["PROVIDER_REQUESTS_PER_SECOND"] = "1000"
        for provider_id in PROVIDERS:
            os.environ[f"{provider_id.upper()}_URL"] = f"{base}/{provider_id}"
        try:
            yield
        finally:
            site.terminate()


def _owner() -> Any:
    from django.utils import timezone

    from tests.e2e.scenery import furnish
    from watchlist.models import Series
    from watchlist.services import scheduler
    from watchlist.tests.factories import AdministratorFactory

    scheduler.install_schedule()
    owner = AdministratorFactory.create()
    furnish(owner, SERIES, posters=False)
    for series in Series.objects.all():
        series.poster_url = f"https://posters.example/{series.pk}.jpg"
        series.next_check_at = timezone.now() + timezone.timedelta(hours=3)
        series.save()
    return owner


def _asks(client: Any) -> list[Ask]:
    """The first view, then every fragment route with the parameters that a browser sends."""
    from watchlist.models import WatchlistItem

    ids = [str(pk) for pk in WatchlistItem.objects.values_list("pk", flat=True)]
    return [
        *_of_the_list(client, ids),
        *_of_a_series(ids),
        *_of_adding(client),
        *_of_downloads(client),
        *_of_others(),
        # These come last: other downloads wait afterwards, and what was removed and brought back
        # is another item.
        *_of_many(ids),
        _at_once("remove", "all", {"do": "remove", "all": "1"}),
    ]


def _of_the_list(client: Any, ids: list[str]) -> list[Ask]:
    some = "&".join(f"id={pk}" for pk in ids[:12])
    seen = _versions(client)
    return [
        Ask("first view of the watchlist, 60 cards", "/watchlist", headers={}, goal_ms=PAGE_MS),
        Ask("next page of the list", "/watchlist?page=2", goal_ms=PAGE_MS),
        Ask("another filter, 60 cards", "/watchlist?sort=title", goal_ms=PAGE_MS),
        Ask("the counts of the list", "/watchlist?part=chips"),
        Ask("what moves, nothing new", f"/watchlist/live?v={seen['live']}"),
        Ask("what moves, something new", "/watchlist/live"),
        Ask("one card", f"/watchlist/cards?id={ids[0]}"),
        Ask("twelve cards, as many as a page asks for at once", f"/watchlist/cards?{some}"),
        Ask("heartbeat", "/pulse"),
        Ask("theme", "/theme", post=True),
    ]


def _of_many(ids: list[str]) -> list[Ask]:
    wished = {
        "pause": {"do": "pause"},
        "check": {"do": "check"},
        "auto-download off": {"do": "auto_off"},
        "another quality": {"do": "quality", "quality": "720p"},
    }
    chosen = {"twelve": {"item": ids[:12]}, "all": {"all": "1"}}
    return [
        _at_once(name, how_many, {**wish, **which})
        for how_many, which in chosen.items()
        for name, wish in wished.items()
    ]


def _at_once(name: str, how_many: str, form: dict[str, Any]) -> Ask:
    """What is done to several series at once answers with the whole list."""
    return Ask(
        f"{name}, {how_many}",
        "/watchlist/bulk",
        post=True,
        data=form,
        goal_ms=PAGE_MS,
        offers_undo=form["do"] != "check",
        repeats=REPEATS_OF_MANY,
    )


def _of_adding(client: Any) -> list[Ask]:
    """Confirming an add, of a series that nobody follows; the site is asked each time."""
    import re
    from html import unescape
    from urllib.parse import parse_qs, urlsplit

    found = client.get(
        "/watchlist/add/search?q=the&provider=animesama",
        headers=HTMX | {"Accept-Encoding": "identity"},
    )
    links = re.findall(r'"(/watchlist/add/confirm\?[^"]+)"', found.content.decode())
    address = unescape(links[0])
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    form = {
        "provider_id": asked["provider"],
        "url": asked["url"],
        "lang": asked["lang"],
        "start": "all",
        "quality": "auto",
        "auto_download": "on",
    }
    return [
        Ask("confirm an add, the dialog", address),
        Ask("confirm an add, where to start", f"{address}&part=start"),
        Ask("confirm an add, a page", address, headers={}, goal_ms=PAGE_MS),
        Ask("add", "/watchlist/add/follow", post=True, data=form, offers_undo=True),
    ]


def _of_a_series(ids: list[str]) -> list[Ask]:
    from watchlist.models import Episode, WatchlistItem

    item = f"/watchlist/{ids[0]}"
    followed = WatchlistItem.objects.get(pk=ids[0])
    episode = Episode.objects.filter(series=followed.series_id).order_by("number").first()
    assert episode
    last = followed.last_episode_downloaded
    form = {
        "anime_title": followed.anime_title,
        "auto_download": "on",
        "quality_preference": "auto",
        "status": followed.status,
        "start": "" if last is None else f"{last:f}",
    }
    other = form | {"quality_preference": "720p"}
    one = f"{item}/episodes/{episode.pk}"
    return [
        Ask("head of a series", f"{item}?part=head"),
        Ask("episodes of a series", f"{item}?part=episodes"),
        Ask("an episode, ignored", f"{one}/ignore", post=True, undone_by=f"{one}/watch"),
        Ask("a series, seen", f"{item}/seen", post=True),
        Ask("settings dialog", f"{item}/settings"),
        Ask(
            "settings dialog, saved",
            f"{item}/settings",
            post=True,
            data=other,
            undone_by=f"{item}/settings",
            undone_with=form,
        ),
        Ask("pause one", f"{item}/pause", post=True, undone_by=f"{item}/resume"),
        Ask("resume one", f"{item}/resume", post=True, undone_by=f"{item}/pause"),
        Ask("check one", f"{item}/check", post=True),
    ]


def _of_downloads(client: Any) -> list[Ask]:
    from urllib.parse import parse_qsl

    from downloads.models import Download

    seen = _versions(client)
    waiting = Download.objects.filter(state="queued").values_list("pk", flat=True)[3]
    named = dict(parse_qsl(seen["downloads"]))
    one = f"/downloads/{waiting}"
    return [
        Ask("downloads, nothing new", f"/downloads/live?{seen['downloads']}"),
        Ask("downloads, what runs has moved", f"/downloads/live?{seen['but_now']}"),
        Ask("downloads, all sections", "/downloads/live"),
        Ask("move a download", f"{one}/up", post=True, data=named, undone_by=f"{one}/down"),
        Ask("move a download to the top", f"{one}/first", post=True, data=named),
        Ask("pause a download", f"{one}/pause", post=True, data=named, undone_by=f"{one}/resume"),
    ]


def _of_others() -> list[Ask]:
    from datetime import timedelta

    from django.utils import timezone

    month = (timezone.localdate().replace(day=1) + timedelta(days=31)).strftime("%Y-%m")
    scheduler = "/settings/scheduler"
    hit = "/watchlist/add/search?q=the&provider="
    return [
        *(Ask(f"what {name} finds", f"{hit}{name}") for name in PROVIDERS),
        Ask("news, as toasts", "/notifications/news?since=1"),
        Ask("news, none", f"/notifications/news?since={time.time() + 3600:.0f}"),
        Ask("calendar, the next month", f"/calendar?view=month&month={month}"),
        Ask("calendar, the agenda", "/calendar?view=agenda", headers={}, goal_ms=PAGE_MS),
        Ask("calendar, subscribing", "/calendar/subscribe"),
        Ask("statistics of a year", "/stats?days=365", headers={}, goal_ms=PAGE_MS),
        Ask("scheduler card", scheduler),
        Ask("stop the schedule", f"{scheduler}/stop", post=True, undone_by=f"{scheduler}/start"),
    ]


def _versions(client: Any) -> dict[str, str]:
    """What a page that has just been loaded names as seen."""
    import re
    from urllib.parse import urlencode

    plain = {"Accept-Encoding": "identity"}
    html = client.get("/downloads", headers=plain).content.decode()
    seen = dict(re.findall(r'name="(\w+)" value="(\w+)"', html))
    live = client.get("/watchlist/live", headers=plain | HTMX).content.decode()
    return {
        "downloads": urlencode(seen),
        "but_now": urlencode(seen | {"now": "another"}),
        "live": re.findall(r"\?v=([^\"]*)", live)[0],
    }


def _measured(client: Any, ask: Ask) -> list[Row]:
    from django.db import connection

    queries: list[str] = []

    def count(execute: Any, sql: str, *arguments: Any) -> Any:
        queries.append(sql)
        return execute(sql, *arguments)

    def request() -> Any:
        send = client.post if ask.post else client.get
        response = send(ask.path, ask.data, headers=ask.headers)
        assert response.status_code in {200, 204}, (ask, response.status_code)
        return response

    def undo(response: Any) -> None:
        undone_by = ask.undone_by
        if ask.offers_undo:
            undone_by = json.loads(response["HX-Trigger"])["toast"]["undo"]
        if undone_by:
            client.post(undone_by, ask.undone_with, headers=ask.headers)

    for _ in range(WARM_UP):
        undo(request())
    with connection.execute_wrapper(count):
        response = request()
    undo(response)
    costs = []
    for _ in range(ask.repeats):
        before = time.process_time()
        response = request()
        costs.append((time.process_time() - before) * 1000)
        undo(response)
    figure = (
        f"{statistics.median(costs):5.1f} ms {len(queries):2} queries {len(response.content):6} B"
    )
    return [Row(ask.name, figure, f"<= {ask.goal_ms} ms")]


def _print_weight(client: Any) -> None:
    """What a browser without anything in its cache fetches for the first view."""
    import re

    import brotli
    from django.conf import settings

    page = client.get("/watchlist")
    html = client.get("/watchlist", headers={"Accept-Encoding": "identity"}).content.decode()
    names = sorted(set(re.findall(r'"/static/([^"#?]+)', html)))
    rows = [Row("/watchlist, gzip", f"{len(page.content)} B")]
    total = len(page.content)
    for name in names:
        content = (Path(settings.STATIC_ROOT) / name).read_bytes()
        size = min(len(content), len(brotli.compress(content)))
        total += size
        rows.append(Row(name, f"{size} B"))
    print_table("First view on the wire", [*rows, Row("all", f"{total} B", "<= 60000")])


if __name__ == "__main__":
    main()
