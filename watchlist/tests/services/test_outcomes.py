"""What the end of a check says of its series: when it is asked again, and what went wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from providers.errors import RateLimited, Unreachable
from watchlist.models import Check, CheckStatus, Series
from watchlist.services import outcomes
from watchlist.tests.factories import SeriesFactory, running_check

pytestmark = pytest.mark.django_db


def test_a_failure_says_why_and_comes_back_sooner_than_the_interval() -> None:
    series = SeriesFactory.create(next_check_at=timezone.now())
    check = running_check(series)
    outcomes.record_failure(
        check=check, error=Unreachable("The site did not answer."), around=outcomes.circumstances()
    )
    series.refresh_from_db()
    check.refresh_from_db()
    assert (check.status, check.error_text) == (CheckStatus.FAILED, "The site did not answer.")
    assert series.failures == 1
    assert series.next_check_at is not None
    assert series.next_check_at < timezone.now() + timedelta(minutes=10)


def test_the_sites_wish_to_be_left_alone_is_honoured() -> None:
    series = SeriesFactory.create(next_check_at=timezone.now())
    error = RateLimited("Too many requests.", retry_after_seconds=3600)
    outcomes.record_failure(
        check=running_check(series), error=error, around=outcomes.circumstances()
    )
    series.refresh_from_db()
    assert series.next_check_at is not None
    assert series.next_check_at >= timezone.now() + timedelta(minutes=59)


def test_unchanged_checks_are_closed_together_and_spread_over_time() -> None:
    checks = [running_check(SeriesFactory.create()) for _ in range(20)]
    outcomes.record_unchanged(checks=checks, around=outcomes.circumstances())
    assert Check.objects.filter(status=CheckStatus.SUCCEEDED, is_unchanged=True).count() == 20
    due = set(Series.objects.values_list("next_check_at", flat=True))
    assert len(due) == 20
