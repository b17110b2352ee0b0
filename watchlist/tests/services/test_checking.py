"""Checks against a real site on loopback: what one series does to the others of its batch."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator
from threading import Event
from types import ModuleType
from typing import Any

import pytest
from django.db import OperationalError, connection
from pytest_django import Settings

from providers import gateway
from providers.demo.site import DemoSite
from providers.safe_url import EgressPolicy
from providers.types import Pace
from watchlist.models import Check, CheckStatus, CheckTrigger, Series
from watchlist.services import checking, due, outcomes
from watchlist.tests.factories import WatchlistItemFactory

# The threads that ask have connections of their own, so the rows have to be committed.
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running_site() -> Iterator[DemoSite]:
    with DemoSite() as site:
        yield site


@pytest.fixture(autouse=True)
def _quick_and_ended(settings: Settings) -> Iterator[None]:
    """Sites may be asked as fast as they answer, and no thread outlives its test."""
    settings.PROVIDER_PACE = {"animesama": Pace(1000, 4), "feed": Pace(1000, 4)}
    yield
    checking.finish(patience_seconds=10)


@pytest.fixture
def followed(running_site: DemoSite, settings: Settings) -> list[Series]:
    """Three series that somebody follows."""
    settings.EGRESS_POLICY = EgressPolicy.parse(running_site.allowed_hosts)
    settings.PROVIDER_BASE_URLS = {"animesama": running_site.provider_base("animesama")}
    refs = [f"{slug}/saison1/vostfr" for slug in running_site.series_slugs("animesama")]
    return [WatchlistItemFactory.create(series__ref=ref).series for ref in refs[:3]]


def queue(series: list[Series]) -> list[uuid.UUID]:
    for row in series:
        due.request_check(row, trigger=CheckTrigger.SCHEDULED)
    queued = Check.objects.filter(status=CheckStatus.QUEUED)
    ids = list(queued.values_list("pk", flat=True))
    queued.update(is_urgent=False)
    return ids


def wait_for(check_ids: list[uuid.UUID]) -> dict[str, Check]:
    """The closed checks by the reference of their series."""
    ends_at = time.monotonic() + 30
    while Check.objects.filter(pk__in=check_ids, status__in=due.OPEN).exists():
        assert time.monotonic() < ends_at, "the checks do not end"
        time.sleep(0.02)
    return {row.series.ref: row for row in Check.objects.filter(pk__in=check_ids)}


def check(series: list[Series]) -> dict[str, Check]:
    """Check these series in one batch."""
    ids = queue(series)
    checking.run_checks(check_ids=ids)
    return wait_for(ids)


def test_every_series_of_a_batch_gets_its_own_episodes(followed: list[Series]) -> None:
    checks = check(followed)
    for series in followed:
        known = series.episodes.count()
        assert checks[series.ref].status == CheckStatus.SUCCEEDED
        assert checks[series.ref].new_count == known > 0
        assert Check.objects.get(series=series).new_episodes.count() == known


def test_a_batch_that_was_read_before_is_unchanged(followed: list[Series]) -> None:
    check(followed)
    assert all(row.is_unchanged for row in check(followed).values())


def test_a_page_that_is_gone_fails_alone(followed: list[Series]) -> None:
    lost = WatchlistItemFactory.create(series__ref="nowhere/saison1/vostfr").series
    checks = check([lost, *followed])
    assert checks.pop(lost.ref).status == CheckStatus.FAILED
    assert {row.status for row in checks.values()} == {CheckStatus.SUCCEEDED}


def test_a_provider_that_this_version_does_not_know_fails_alone(followed: list[Series]) -> None:
    strange = WatchlistItemFactory.create(series__provider_id="aaa-dropped").series
    checks = check([*followed, strange])
    failed = checks.pop(strange.ref)
    assert (failed.status, failed.error_code) == (CheckStatus.FAILED, "unknown_provider")
    assert {row.status for row in checks.values()} == {CheckStatus.SUCCEEDED}


def test_what_breaks_our_own_code_is_a_failed_check_and_not_an_endless_one(
    followed: list[Series],
) -> None:
    broken = followed[0]
    Series.objects.filter(pk=broken.pk).update(validators={"page": {"unheard of": "1"}})
    checks = check(followed)
    failed = checks.pop(broken.ref)
    assert (failed.status, failed.error_code) == (CheckStatus.FAILED, "layout_changed")
    assert {row.status for row in checks.values()} == {CheckStatus.SUCCEEDED}


def end_connection() -> None:
    """What a restart of the server does to a connection; SQLite has none and fails otherwise."""
    if connection.vendor == "sqlite":
        raise OperationalError("disk I/O error")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


@pytest.mark.parametrize("where", [(gateway, "list_episodes"), (outcomes, "circumstances")])
def test_a_lost_connection_to_the_database_costs_no_check(
    followed: list[Series], monkeypatch: pytest.MonkeyPatch, where: tuple[ModuleType, str]
) -> None:
    """Neither in the thread that asks nor in the one that records."""
    act = getattr(*where)
    lost: list[str] = []

    def lose_and_act(*args: Any, **kwargs: Any) -> Any:
        if not lost:
            lost.append("once")
            end_connection()
        return act(*args, **kwargs)

    monkeypatch.setattr(*where, lose_and_act)
    assert {row.status for row in check(followed).values()} == {CheckStatus.SUCCEEDED}
    assert lost


def test_a_database_that_stays_away_is_not_put_down_to_the_page(
    followed: list[Series], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = Event()

    def fail(*_: Any, **__: Any) -> Any:
        asked.set()
        raise OperationalError("the server is gone")

    monkeypatch.setattr(gateway, "list_episodes", fail)
    monkeypatch.setattr(checking, "AGAIN_AFTER_SECONDS", (0.0,))
    checking.run_checks(check_ids=queue(followed))
    assert asked.wait(10)
    checking.finish(patience_seconds=10)
    assert not Check.objects.exclude(status__in=due.OPEN).exists()
    assert not Series.objects.exclude(failures=0, last_error_code="").exists()


@pytest.fixture
def hanging_site() -> Iterator[str]:
    """The address of a site that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_a_site_that_hangs_delays_only_itself(
    followed: list[Series], hanging_site: str, settings: Settings, running_site: DemoSite
) -> None:
    settings.EGRESS_POLICY = EgressPolicy.parse(
        [*running_site.allowed_hosts, hanging_site.removeprefix("http://")]
    )
    feeds = [
        WatchlistItemFactory.create(
            series__provider_id="feed", series__ref=f"{hanging_site}/feed-{n}.xml"
        ).series
        for n in range(12)
    ]
    hanging = queue(feeds)
    for check_id in hanging:
        checking.run_checks(check_ids=[check_id])
    checks = check(followed)
    assert {row.status for row in checks.values()} == {CheckStatus.SUCCEEDED}
    assert Check.objects.filter(pk__in=hanging, status=CheckStatus.FAILED).count() == 0


def test_what_a_full_lane_left_is_fetched_by_it(followed: list[Series]) -> None:
    many = [
        WatchlistItemFactory.create(
            series__ref=f"nowhere-{n}/saison1/vostfr", series__provider_id="animesama"
        ).series
        for n in range(40)
    ]
    ids = queue([*many, *followed])
    for start in range(0, len(ids), 10):
        checking.run_checks(check_ids=ids[start : start + 10])
    assert len(wait_for(ids)) == 43


def test_a_process_that_ends_gives_back_what_has_no_answer(
    hanging_site: str, settings: Settings
) -> None:
    settings.EGRESS_POLICY = EgressPolicy.parse([hanging_site.removeprefix("http://")])
    feeds = [
        WatchlistItemFactory.create(
            series__provider_id="feed", series__ref=f"{hanging_site}/feed-{n}.xml"
        ).series
        for n in range(6)
    ]
    checking.run_checks(check_ids=queue(feeds))
    checking.finish(patience_seconds=0.1)
    assert Check.objects.filter(status=CheckStatus.QUEUED, owner="").count() == 6


def test_a_check_is_run_by_one_worker_only(followed: list[Series]) -> None:
    first = due.request_check(followed[0], trigger=CheckTrigger.MANUAL)
    Check.objects.filter(pk=first.pk).update(status=CheckStatus.RUNNING, owner="another worker")
    checking.run_checks(check_ids=[first.pk])
    assert not followed[0].episodes.exists()
