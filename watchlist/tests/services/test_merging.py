"""What a list changes of what is known; the rules alone, without a database."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from providers.types import EpisodeListing
from watchlist.services import merging
from watchlist.services.merging import Known, Likeness

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def known(ref: str, title: str = "", *, position: int = 0, is_listed: bool = True) -> Known:
    return Known(uuid.uuid4(), ref, position=position, title=title, url="", is_listed=is_listed)


def entry(
    ref: str, number: int = 1, title: str = "", *, season: int = 1, position: int = 0
) -> EpisodeListing:
    return EpisodeListing(
        ref=ref,
        number=Decimal(number),
        season=season,
        position=position,
        title=title,
        is_special=season == 0,
    )


def likenesses(*numbers: int, of: list[Known], season: int = 1) -> dict[Likeness, Known]:
    return {
        merging.likeness(season=season, number=Decimal(number), is_special=season == 0): one
        for number, one in zip(numbers, of, strict=True)
    }


def believed(before: int, after: int, *, since: datetime | None = None, count: int = 0) -> bool:
    found = merging.suspicion(
        [known(f"episode {n}") for n in range(before)],
        [entry(f"episode {n}") for n in range(after)],
        suspect_since=since,
        suspect_count=count,
        now=NOW,
    )
    return found is None


def test_an_entry_that_nobody_has_seen_is_new() -> None:
    merge = merging.merge([known("a")], [entry("a"), entry("b", 2)], {})
    assert [one.ref for one in merge.new] == ["b"]
    assert merge.changed == []


def test_of_two_entries_with_one_reference_the_first_counts() -> None:
    merge = merging.merge([], [entry("a", 1), entry("a", 2)], {})
    assert [one.number for one in merge.new] == [1]


def test_a_new_title_is_taken_and_an_empty_one_is_not() -> None:
    episodes = [known("a", title="Low tide"), known("b", title="High tide")]
    merge = merging.merge(episodes, [entry("a"), entry("b", title="Spring tide")], {})
    assert [one.title for one in merge.changed] == ["Spring tide"]


def test_an_episode_that_left_the_list_is_kept_as_unlisted() -> None:
    merge = merging.merge([known("a"), known("b")], [entry("a")], {})
    assert [(one.ref, one.is_listed) for one in merge.changed] == [("b", False)]


def test_a_renamed_reference_with_season_and_number_of_a_known_episode_is_that_episode() -> None:
    lost = known("old name")
    likeness = merging.likeness(season=1, number=Decimal("1.000"), is_special=False)
    merge = merging.merge([lost], [entry("new name")], {likeness: lost})
    assert merge.new == []
    assert [(one.id, one.ref) for one in merge.changed] == [(lost.id, "new name")]


def test_of_renamed_references_each_keeps_its_number() -> None:
    before = [known(f"old {n}", position=n) for n in range(5)]
    after = [entry(f"new {n}", n, position=n) for n in range(6)]
    assert merging.orphans(before, after) == before
    merge = merging.merge(before, after, likenesses(*range(5), of=before))
    assert [one.ref for one in merge.new] == ["new 5"]
    assert [(one.id, one.ref) for one in merge.changed] == [
        (one.id, f"new {n}") for n, one in enumerate(before)
    ]


def test_one_renamed_reference_among_others_is_the_same_episode() -> None:
    before = [known(f"page {n}", position=n) for n in range(5)]
    after = [entry("renamed" if n == 2 else f"page {n}", n, position=n) for n in range(5)]
    assert merging.orphans(before, after) == [before[2]]
    merge = merging.merge(before, after, likenesses(2, of=[before[2]]))
    assert merge.new == []
    assert (before[2].id, "renamed") in [(one.id, one.ref) for one in merge.changed]


def test_an_entry_at_the_other_end_of_the_list_is_new_though_its_number_is_of_one_that_left() -> (
    None
):
    before = [known(f"first {n}", position=n) for n in range(3)]
    after = [entry("first 1", 1), entry("first 2", 2), entry("second 0", 0)]
    merge = merging.merge(before, after, likenesses(0, of=before[:1]))
    assert [one.ref for one in merge.new] == ["second 0"]
    assert [(one.ref, one.is_listed) for one in merge.changed][-1] == ("first 0", False)


def test_an_episode_that_left_the_list_earlier_is_not_looked_for() -> None:
    gone = known("gone", is_listed=False)
    assert merging.orphans([gone], [entry("new")]) == []


def test_a_renamed_special_is_the_same_one_by_its_title_too() -> None:
    lost = known("old", title="Low tide")
    for title, is_new in (("Low tide", False), ("High tide", True)):
        listed = [entry("new", title=title, season=0)]
        merge = merging.merge([lost], listed, likenesses(1, of=[lost], season=0))
        assert bool(merge.new) == is_new


def test_a_list_that_lost_three_of_many_is_believed_and_one_that_lost_more_is_not() -> None:
    assert believed(20, 17)
    assert not believed(20, 16)
    assert not believed(4, 3)


def test_a_short_list_is_believed_when_it_was_seen_often_and_for_three_days() -> None:
    long_ago = NOW - timedelta(hours=73)
    assert believed(20, 5, since=long_ago, count=2)
    assert not believed(20, 5, since=long_ago, count=1)
    assert not believed(20, 5, since=NOW - timedelta(hours=1), count=9)


def test_an_empty_list_is_never_believed() -> None:
    assert not believed(20, 0, since=NOW - timedelta(days=30), count=99)
    assert not believed(0, 0)


def slid(before: Iterable[int], after: Iterable[int]) -> bool:
    """Whether a list is believed whose entries were these and are those now."""
    found = merging.suspicion(
        [known(f"episode {n}", position=n) for n in before],
        [entry(f"episode {n}") for n in after],
        suspect_since=None,
        suspect_count=0,
        now=NOW,
    )
    return found is None


def test_a_feed_of_the_last_days_may_lose_many_when_it_has_something_new() -> None:
    assert slid(range(1, 20), range(15, 21))


def test_a_list_that_lost_many_and_has_nothing_new_is_suspect() -> None:
    assert not slid(range(1, 20), range(15, 20))


def test_a_list_that_lost_what_is_not_the_oldest_is_suspect() -> None:
    assert not slid(range(1, 20), [*range(1, 5), 20])
    assert not slid(range(1, 20), range(30, 35))
