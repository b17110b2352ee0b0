"""The heartbeat of a running download: what it writes, and what it makes of what it reads."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from downloads import claims, control, queue
from downloads.control import RunControl
from downloads.engine.types import Command, Progress, Stage
from downloads.models import Download, Limiter
from downloads.states import State
from downloads.tests.factories import make_order
from downloads.transitions import move

pytestmark = pytest.mark.django_db

HALF_WAY = Progress(
    Stage.DOWNLOADING,
    bytes_done=500,
    bytes_total=1000,
    speed_bps=99.7,
    eta_seconds=5.2,
    connections=1,
)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> RunControl:
    """The control of a claimed download, with a heartbeat at each look."""
    monkeypatch.setattr(control, "HEARTBEAT_SECONDS", 0.0)
    queue.limiter()
    queue.enqueue(make_order())
    claim = claims.claim_next("w")
    assert claim is not None
    assert move(claim.download_id, State.RESOLVING, State.DOWNLOADING)
    return RunControl(claim)


def row_of(run: RunControl) -> Download:
    return Download.objects.get(pk=run.claim.download_id)


def test_a_heartbeat_publishes_progress_and_keeps_the_claim(run: RunControl) -> None:
    ending = timezone.now() + timedelta(seconds=1)
    Download.objects.update(lease_expires_at=ending)
    run.progress(HALF_WAY)

    assert run.poll() is Command.GO_ON
    row = row_of(run)
    assert (row.stage, row.bytes_done, row.bytes_total) == ("downloading", 500, 1000)
    assert (row.speed_bps, row.eta_seconds) == (99, 5)
    assert row.lease_expires_at is not None
    assert row.lease_expires_at > ending


def test_a_heartbeat_is_one_write_and_one_read(
    run: RunControl, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    run.progress(HALF_WAY)
    with django_assert_num_queries(2):
        run.poll()
        run.limits()


def test_before_anything_is_known_a_heartbeat_keeps_the_claim(run: RunControl) -> None:
    Download.objects.update(lease_expires_at=timezone.now())

    assert run.poll() is Command.GO_ON
    assert claims.claim_next("other") is None
    assert row_of(run).bytes_done == 0


def test_unknown_size_and_time_stay_unknown(run: RunControl) -> None:
    run.progress(Progress(Stage.DOWNLOADING, 1, None, 0.0, None, 1))
    run.poll()

    row = row_of(run)
    assert (row.bytes_total, row.eta_seconds) == (None, None)


def test_a_time_left_beyond_all_bounds_is_cut(run: RunControl) -> None:
    run.progress(Progress(Stage.DOWNLOADING, 1, 10**15, 0.001, 1e18, 1))

    assert run.poll() is Command.GO_ON
    assert row_of(run).eta_seconds == 2**31 - 1


@pytest.mark.parametrize(
    ("stop", "command"),
    [
        (queue.pause, Command.PAUSE),
        (queue.cancel, Command.CANCEL),
        (lambda row: row.delete(), Command.CANCEL),
        (lambda row: Download.objects.filter(pk=row.pk).update(fence=99), Command.HAND_BACK),
    ],
    ids=["paused", "cancelled", "deleted", "taken over"],
)
def test_the_next_heartbeat_sees_what_became_of_the_download(
    run: RunControl, stop: Callable[[Download], object], command: Command
) -> None:
    run.progress(HALF_WAY)
    assert run.poll() is Command.GO_ON
    stop(row_of(run))

    assert run.poll() is command


def test_a_late_worker_writes_no_progress(run: RunControl) -> None:
    Download.objects.update(fence=99)
    run.progress(HALF_WAY)
    run.poll()

    assert row_of(run).bytes_done == 0


def test_the_window_hands_an_automatic_download_back_and_no_other(run: RunControl) -> None:
    an_hour_ago = timezone.localtime() - timedelta(hours=1)
    Limiter.objects.update(
        window_start=(an_hour_ago - timedelta(hours=1)).time(), window_end=an_hour_ago.time()
    )

    assert run.poll() is Command.HAND_BACK
    queue.make_manual(row_of(run))
    assert run.poll() is Command.GO_ON


@pytest.mark.parametrize(
    ("own", "shared", "running", "holds"),
    [
        (None, None, 1, None),
        (500, None, 1, 500),
        (None, 900, 1, 900),
        (None, 900, 3, 300),
        (200, 900, 3, 200),
        (None, 2, 3, 1),
    ],
)
def test_the_lower_of_both_speed_limits_holds_from_the_next_heartbeat_on(
    run: RunControl, own: int | None, shared: int | None, running: int, holds: int | None
) -> None:
    assert run.limits().rate_limit_bps is None
    Download.objects.update(rate_limit_bps=own)
    Limiter.objects.update(rate_limit_bps=shared)
    for _ in range(running - 1):
        other = queue.enqueue(make_order())
        until = timezone.now() + timedelta(minutes=1)
        Download.objects.filter(pk=other.pk).update(lease_expires_at=until)
    run.poll()

    assert run.limits().rate_limit_bps == holds


@pytest.mark.parametrize(
    ("others", "share"), [([], 6), (["b.example"], 6), (["a.example"], 3), (["a.example"] * 9, 1)]
)
def test_downloads_from_one_host_share_its_connections(
    run: RunControl, settings: Settings, others: list[str], share: int
) -> None:
    settings.MAX_CONNECTIONS_PER_HOST = 6
    Download.objects.update(source_label="a.example")
    until = timezone.now() + timedelta(minutes=1)
    for label in others:
        other = queue.enqueue(make_order())
        Download.objects.filter(pk=other.pk).update(lease_expires_at=until, source_label=label)
    run.poll()

    assert run.host_connections("node7.a.example") == share


def test_a_provider_may_have_its_own_number_of_connections(
    run: RunControl, settings: Settings
) -> None:
    settings.MAX_CONNECTIONS_PER_DOWNLOAD = 4
    settings.MAX_CONNECTIONS_BY_PROVIDER = {"animesama": 7, "feed": 2}

    assert run.limits().max_connections == 2


@pytest.mark.django_db(transaction=True)
def test_a_short_trouble_of_the_database_stops_nothing(run: RunControl) -> None:
    run.progress(HALF_WAY)
    with database_trouble():
        assert run.poll() is Command.GO_ON
    assert run.poll() is Command.GO_ON
    assert row_of(run).bytes_done == 500


@contextmanager
def database_trouble() -> Iterator[None]:
    """The server ends the connection; SQLite has none and fails otherwise."""

    def fail(*_: Any) -> None:
        raise OperationalError("disk I/O error")

    if connection.vendor == "sqlite":
        with connection.execute_wrapper(fail):
            yield
        return
    with connection.cursor() as cursor, suppress(OperationalError):
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    yield
