"""Many workers at once: the caps hold, and nothing is claimed twice."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable
from typing import TypeVar

import pytest
from django.db import connection
from pytest_django import Settings

from downloads import claims, queue
from downloads.claims import Claim
from downloads.models import Download
from downloads.states import State
from downloads.tests.factories import make_order
from downloads.transitions import move

WORKERS = 6
Result = TypeVar("Result")


def in_threads(work: Callable[[], Result]) -> list[Result]:
    """Run `work` in several threads that start together; each has its own connection."""
    results: list[Result] = []
    barrier = threading.Barrier(WORKERS)

    def run() -> None:
        try:
            barrier.wait()
            results.append(work())
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(WORKERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


@pytest.mark.django_db(transaction=True)
def test_racing_workers_never_pass_the_cap(settings: Settings) -> None:
    settings.MAX_PARALLEL_DOWNLOADS = 3
    queue.set_automatic_cap(16)
    queue.enqueue_many([make_order() for _ in range(20)])

    held = in_threads(lambda: [claims.claim_next("w"), claims.claim_next("w")])

    taken = [claim for pair in held for claim in pair if claim]
    assert len(taken) == 3
    assert len({claim.download_id for claim in taken}) == 3


@pytest.mark.django_db(transaction=True)
def test_racing_workers_share_the_queue_without_doubling(settings: Settings) -> None:
    settings.MAX_PARALLEL_DOWNLOADS = 100
    queue.set_automatic_cap(16)
    Download.objects.all().delete()
    queue.enqueue_many([make_order(is_automatic=False) for _ in range(30)])

    def work() -> list[Claim]:
        mine = []
        while claim := claims.claim_next("w"):
            mine.append(claim)
        return mine

    held = [claim for mine in in_threads(work) for claim in mine]
    counts = Counter(claim.download_id for claim in held)
    assert len(counts) == 30
    assert set(counts.values()) == {1}


@pytest.mark.django_db(transaction=True)
def test_one_of_many_racing_moves_wins() -> None:
    download = queue.enqueue(make_order())

    results = in_threads(lambda: move(download.pk, State.QUEUED, State.PAUSED))

    assert Counter(results) == {True: 1, False: WORKERS - 1}
    assert download.events.count() == 1


@pytest.mark.django_db(transaction=True)
def test_the_same_order_from_many_at_once_is_one_download() -> None:
    order = make_order()

    ids = in_threads(lambda: queue.enqueue(order).pk)

    assert len(set(ids)) == 1
