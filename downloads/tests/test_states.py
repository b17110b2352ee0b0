"""The table of moves."""

from __future__ import annotations

import uuid

import pytest

from downloads import claims, queue
from downloads.models import DownloadEvent
from downloads.states import ACTIVE, FINISHED, LEGAL_MOVES, WAITING, State, is_legal
from downloads.tests.factories import make_order
from downloads.transitions import IllegalMove, move


def test_every_state_is_in_exactly_one_group() -> None:
    assert set(State) == ACTIVE | WAITING | FINISHED
    assert not ACTIVE & WAITING
    assert not (ACTIVE | WAITING) & FINISHED


def test_every_state_but_none_can_be_left() -> None:
    assert set(LEGAL_MOVES) == set(State)
    assert all(LEGAL_MOVES[state] for state in State)


def test_only_a_verified_file_being_imported_can_complete() -> None:
    leading = {state for state in State if is_legal(state, State.COMPLETED)}
    assert leading == {State.IMPORTING}


def test_a_person_cannot_stop_a_file_that_is_being_moved() -> None:
    assert not is_legal(State.IMPORTING, State.PAUSED)
    assert not is_legal(State.IMPORTING, State.CANCELLED)


@pytest.mark.parametrize(
    ("from_", "to"),
    [(from_, to) for from_ in State for to in State if not is_legal(from_, to)],
)
def test_an_illegal_move_is_a_mistake_in_our_code(from_: State, to: State) -> None:
    with pytest.raises(IllegalMove):
        move(uuid.uuid4(), from_, to)


@pytest.mark.django_db
@pytest.mark.parametrize(("from_", "to"), [(f, t) for f in State for t in sorted(LEGAL_MOVES[f])])
def test_a_legal_move_writes_the_state_and_one_event(from_: State, to: State) -> None:
    download = queue.enqueue(make_order())
    type(download).objects.filter(pk=download.pk).update(state=from_)

    assert move(download.pk, from_, to, reason_code="why", reason_text="Because.")

    download.refresh_from_db()
    assert download.state == to
    event = DownloadEvent.objects.get(download=download)
    assert (event.from_state, event.to_state, event.reason_code) == (from_, to, "why")


@pytest.mark.django_db
def test_a_move_from_a_state_it_is_no_longer_in_changes_nothing() -> None:
    download = queue.enqueue(make_order())

    assert not move(download.pk, State.PAUSED, State.QUEUED)

    download.refresh_from_db()
    assert download.state == State.QUEUED
    assert not DownloadEvent.objects.exists()


@pytest.mark.django_db
def test_a_move_with_an_old_fence_changes_nothing() -> None:
    download = queue.enqueue(make_order())
    claim = claims.claim_next("first")
    assert claim is not None

    moved = move(download.pk, State.RESOLVING, State.DOWNLOADING, held_fence=claim.fence - 1)

    download.refresh_from_db()
    assert not moved
    assert download.state == State.RESOLVING
