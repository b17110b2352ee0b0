"""The durable queue: one order once, caps over all workers, claims with leases and fences."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from pytest_django import Settings

from downloads import claims, queue, upkeep
from downloads.models import Download
from downloads.queue import NotLegalNow
from downloads.states import State
from downloads.tests.factories import make_order
from downloads.transitions import move

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def three_slots(settings: Settings) -> None:
    settings.MAX_PARALLEL_DOWNLOADS = 3
    queue.set_automatic_cap(2)


def fail(download: Download) -> None:
    Download.objects.filter(pk=download.pk).update(state=State.RESOLVING)
    assert move(download.pk, State.RESOLVING, State.FAILED, reason_code="not_a_video")
    download.refresh_from_db()


def test_the_same_order_twice_is_one_download() -> None:
    order = make_order()
    assert queue.enqueue(order) == queue.enqueue(order)
    assert Download.objects.count() == 1


def test_another_quality_is_another_download() -> None:
    order = make_order(episode_ref="e")
    assert queue.enqueue(order) != queue.enqueue(make_order(episode_ref="e", quality="480p"))


def test_orders_are_claimed_in_the_order_they_were_given() -> None:
    first, second = (queue.enqueue(make_order()) for _ in range(2))
    held = [claims.claim_next("w"), claims.claim_next("w")]
    assert [claim and claim.download_id for claim in held] == [first.pk, second.pk]


def test_a_manual_order_goes_before_automatic_ones() -> None:
    queue.enqueue(make_order())
    manual = queue.enqueue(make_order(is_automatic=False, priority=queue.PRIORITY_MANUAL))
    claim = claims.claim_next("w")
    assert claim is not None
    assert claim.download_id == manual.pk


def test_automatic_downloads_keep_to_their_cap() -> None:
    queue.enqueue_many([make_order() for _ in range(4)])
    assert [claims.claim_next("w") is not None for _ in range(3)] == [True, True, False]


def test_a_manual_download_uses_the_slot_that_automatic_ones_may_not() -> None:
    queue.enqueue_many([make_order() for _ in range(4)])
    queue.enqueue(make_order(is_automatic=False))
    taken = [claims.claim_next("w") for _ in range(4)]
    assert sum(claim is not None for claim in taken) == 3


def test_no_more_than_the_whole_cap_run_at_once() -> None:
    queue.enqueue_many([make_order(is_automatic=False) for _ in range(5)])
    taken = [claims.claim_next("w") for _ in range(5)]
    assert sum(claim is not None for claim in taken) == 3


def test_a_paused_download_holds_its_slot_until_its_worker_has_stopped() -> None:
    queue.set_automatic_cap(1)
    running = queue.enqueue(make_order())
    queue.enqueue(make_order())
    claim = claims.claim_next("w")
    assert claim is not None

    queue.pause(running)
    assert claims.claim_next("other") is None

    claims.release(claim)
    assert claims.claim_next("other") is not None


def test_a_renewed_lease_publishes_progress() -> None:
    download = queue.enqueue(make_order())
    claim = claims.claim_next("w")
    assert claim is not None
    assert claims.renew_lease(claim, bytes_done=7, speed_bps=3)
    download.refresh_from_db()
    assert (download.bytes_done, download.speed_bps) == (7, 3)


def test_a_worker_whose_claim_was_taken_over_cannot_renew() -> None:
    download = queue.enqueue(make_order())
    old = claims.claim_next("first")
    assert old is not None
    Download.objects.filter(pk=download.pk).update(
        state=State.QUEUED, lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    new = claims.claim_next("second")
    assert new is not None
    assert not claims.renew_lease(old)
    assert claims.renew_lease(new)


def test_a_download_waits_until_its_time_has_come() -> None:
    download = queue.enqueue(make_order())
    Download.objects.filter(pk=download.pk).update(not_before=timezone.now() + timedelta(minutes=5))
    assert claims.claim_next("w") is None


def test_a_lease_from_before_the_clock_was_set_back_ends_soon() -> None:
    download = queue.enqueue(make_order())
    assert claims.claim_next("a worker that has died") is not None
    now = timezone.now()
    Download.objects.filter(pk=download.pk).update(lease_expires_at=now + timedelta(days=1))
    upkeep.keep_queue_moving()
    download.refresh_from_db()
    assert download.state == State.RESOLVING
    assert download.lease_expires_at is not None
    assert download.lease_expires_at < now + 2 * claims.LEASE


def test_a_wait_from_before_the_clock_was_set_back_is_not_longer_than_any_other() -> None:
    waiting, blocked = (queue.enqueue(make_order()) for _ in range(2))
    now = timezone.now()
    Download.objects.update(not_before=now + timedelta(days=1))
    Download.objects.filter(pk=blocked.pk).update(state=State.BLOCKED, reason_code="disk_low")
    upkeep.keep_queue_moving()
    for download in (waiting, blocked):
        download.refresh_from_db()
        assert download.not_before is not None
        assert download.not_before < now + timedelta(hours=8)


def test_outside_the_download_window_nothing_starts() -> None:
    queue.enqueue(make_order())
    now = timezone.localtime()
    limits = queue.limiter()
    limits.window_start = (now + timedelta(hours=2)).time()
    limits.window_end = (now + timedelta(hours=3)).time()
    limits.save()
    assert claims.claim_next("w") is None


def test_the_hours_are_those_of_the_server_whoever_looks(settings: Settings) -> None:
    settings.TIME_ZONE = "UTC"
    at_noon = datetime(2026, 7, 1, 12, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Asia/Tokyo")):
        assert queue.is_open(time(12), time(13), at_noon)


def test_the_server_may_have_a_time_zone_of_its_own(settings: Settings) -> None:
    settings.TIME_ZONE = "Europe/Paris"
    summer, winter = (datetime(2026, month, 1, 12, 30, tzinfo=UTC) for month in (7, 1))
    assert queue.is_open(time(14), time(15), summer)
    assert queue.is_open(time(13), time(14), winter)


def test_pausing_and_resuming_twice_changes_nothing_more() -> None:
    download = queue.enqueue(make_order())
    for _ in range(2):
        queue.pause(download)
    assert download.state == State.PAUSED
    for _ in range(2):
        queue.resume(download)
    assert download.state == State.QUEUED
    assert download.events.count() == 2


def test_a_cancelled_download_cannot_be_paused() -> None:
    download = queue.enqueue(make_order())
    queue.cancel(download)
    with pytest.raises(NotLegalNow, match="cancelled"):
        queue.pause(download)


def test_a_retry_starts_again_from_the_first_attempt() -> None:
    download = queue.enqueue(make_order())
    fail(download)
    Download.objects.filter(pk=download.pk).update(attempts=8)
    queue.retry(download)
    assert (download.state, download.attempts) == (State.QUEUED, 0)


def test_a_retry_of_a_download_that_waits_lets_it_go_at_once() -> None:
    download = queue.enqueue(make_order())
    Download.objects.filter(pk=download.pk).update(
        attempts=3, not_before=timezone.now() + timedelta(hours=1)
    )
    queue.retry(download)
    assert claims.claim_next("w") is not None


def test_a_completed_download_cannot_be_retried() -> None:
    download = queue.enqueue(make_order())
    Download.objects.filter(pk=download.pk).update(state=State.COMPLETED)
    with pytest.raises(NotLegalNow, match="completed"):
        queue.retry(download)


@pytest.mark.parametrize(
    ("wish", "state"),
    [
        (queue.pause, State.PAUSED),
        (queue.resume, State.QUEUED),
        (queue.resume, State.RESOLVING),
        (queue.resume, State.DOWNLOADING),
        (queue.resume, State.IMPORTING),
        (queue.cancel, State.CANCELLED),
        (queue.retry, State.QUEUED),
    ],
)
def test_a_wish_that_is_met_already_moves_nothing(
    wish: Callable[[Download], None], state: State
) -> None:
    download = queue.enqueue(make_order())
    Download.objects.filter(pk=download.pk).update(state=state)
    wish(download)
    wish(download)
    download.refresh_from_db()
    assert download.state == state
    assert not download.events.exists()


@pytest.mark.parametrize(
    ("wish", "states"),
    [
        (queue.pause, {State.IMPORTING, State.COMPLETED, State.FAILED, State.CANCELLED}),
        (queue.resume, {State.COMPLETED, State.FAILED, State.CANCELLED}),
        (queue.cancel, {State.IMPORTING, State.COMPLETED}),
        (
            queue.retry,
            {
                State.RESOLVING,
                State.DOWNLOADING,
                State.IMPORTING,
                State.PAUSED,
                State.COMPLETED,
            },
        ),
    ],
)
def test_a_wish_that_is_not_legal_now_is_refused_and_moves_nothing(
    wish: Callable[[Download], None], states: set[State]
) -> None:
    refused = set()
    for state in State:
        download = queue.enqueue(make_order())
        Download.objects.filter(pk=download.pk).update(state=state)
        try:
            wish(download)
        except NotLegalNow:
            refused.add(state)
            download.refresh_from_db()
            assert download.state == state
    assert refused == states


def test_an_order_for_a_cancelled_download_queues_it_again() -> None:
    order = make_order()
    queue.cancel(queue.enqueue(order))
    assert queue.enqueue(order).state == State.QUEUED


def test_an_automatic_order_for_a_failed_download_leaves_it_failed() -> None:
    order = make_order()
    fail(queue.enqueue(order))
    assert queue.enqueue(order).state == State.FAILED


def test_a_download_can_be_put_before_another() -> None:
    first, _, third = (queue.enqueue(make_order()) for _ in range(3))
    queue.move_to_position(third, before=first)
    claim = claims.claim_next("w")
    assert claim is not None
    assert claim.download_id == third.pk


def test_a_download_can_be_put_last() -> None:
    first, second = (queue.enqueue(make_order()) for _ in range(2))
    queue.move_to_position(first, before=None)
    claim = claims.claim_next("w")
    assert claim is not None
    assert claim.download_id == second.pk
