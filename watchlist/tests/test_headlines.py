"""The one headline of a followed series."""

from __future__ import annotations

from dataclasses import replace

import pytest

from watchlist.headlines import Headline, SeriesFacts, headline_of

CALM = SeriesFacts(
    status="active",
    error_code="",
    running=False,
    given_up=False,
    waiting=False,
    has_news=False,
    is_late=False,
    has_episodes=True,
    is_behind=False,
    is_finished=False,
)


@pytest.mark.parametrize(
    ("facts", "headline"),
    [
        ({}, Headline.CURRENT),
        ({"error_code": "unreachable", "running": True}, Headline.FAILED),
        ({"running": True, "given_up": True}, Headline.DOWNLOADING),
        ({"given_up": True, "waiting": True}, Headline.FAILED),
        ({"waiting": True, "has_news": True}, Headline.DOWNLOADING),
        ({"has_news": True, "is_late": True}, Headline.NEW),
        ({"has_episodes": False}, Headline.UPCOMING),
        ({"is_behind": True, "is_late": True}, Headline.BEHIND),
        ({"is_late": True}, Headline.LATE),
        ({"is_finished": True}, Headline.COMPLETE),
        ({"status": "completed", "is_late": True}, Headline.COMPLETE),
    ],
)
def test_the_first_that_fits_holds(facts: dict[str, object], headline: Headline) -> None:
    assert headline_of(replace(CALM, **facts)) is headline  # type: ignore[arg-type]  # a table


@pytest.mark.parametrize("trouble", ["error_code", "given_up", "has_news", "is_late", "is_behind"])
def test_a_paused_series_is_paused_whatever_went_wrong(trouble: str) -> None:
    value = "unreachable" if trouble == "error_code" else True
    facts = replace(CALM, status="paused", **{trouble: value})  # type: ignore[arg-type]  # as above
    assert headline_of(facts) is Headline.PAUSED
