"""Two addresses of one season are one series, however late it is known which season is meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from downloads.models import Download
from providers import gateway
from providers.safe_url import EgressPolicy
from providers.tests.origin import Origin, running_origin, serves
from providers.tests.sites.test_animesama import BASE, SCRIPT, SEASON, WORK
from providers.types import Pace
from watchlist.models import Check, CheckStatus, Series
from watchlist.services import items, listing, outcomes
from watchlist.services.items import AlreadyFollowed, Wish
from watchlist.services.outcomes import Answer
from watchlist.tests.factories import SeriesFactory, UserFactory

pytestmark = pytest.mark.django_db
SEASON_PATH = f"{BASE}saison1/vostfr/"
PAGES = {BASE: WORK, SEASON_PATH: SEASON, f"{SEASON_PATH}episodes.js": SCRIPT}


@pytest.fixture
def site(settings: Settings) -> Iterator[Origin]:
    with running_origin() as origin:
        settings.EGRESS_POLICY = EgressPolicy.parse([f"127.0.0.1:{origin.port}"])
        settings.PROVIDER_BASE_URLS = {"animesama": origin.url}
        settings.PROVIDER_PACE = {"animesama": Pace(500, 20)}
        yield origin


def answer(site: Origin) -> None:
    site.answers.update({path: serves(body) for path, body in PAGES.items()})


def wish(path: str) -> Wish:
    return Wish(anime_url=f"https://anime-sama.to{path}", provider_id="animesama")


@pytest.mark.parametrize(("first", "second"), [(BASE, SEASON_PATH), (SEASON_PATH, BASE)])
def test_a_work_and_its_season_are_not_followed_twice(
    first: str, second: str, site: Origin
) -> None:
    answer(site)
    user = UserFactory.create()
    item = items.follow(user=user, wish=wish(first))
    with pytest.raises(AlreadyFollowed) as refused:
        items.follow(user=user, wish=wish(second))
    assert refused.value.item == item


def record_first_check(series: Series) -> None:
    check = Check.objects.get(series=series)
    check.status, check.owner = CheckStatus.RUNNING, "worker"
    check.lease_expires_at = timezone.now() + timedelta(minutes=1)
    check.save()
    asked = (series.provider_id, series.ref, series.lang)
    found, details = gateway.list_episodes(*asked, {}), gateway.details(*asked)
    answered = Answer(check, episodes=found, details=details)
    listing.record(answers=[answered], around=outcomes.circumstances())
    series.refresh_from_db()


def test_a_work_followed_while_its_site_was_down_becomes_its_season_at_the_first_check(
    site: Origin,
) -> None:
    user = UserFactory.create()
    item = items.follow(user=user, wish=wish(BASE))
    assert item.series.ref == "le-phare//vostfr"
    answer(site)
    record_first_check(item.series)
    assert item.series.ref == "le-phare/saison1/vostfr"
    orders = Download.objects.filter(grabs__item=item)
    assert set(orders.values_list("series_ref", flat=True)) == {item.series.ref}
    with pytest.raises(AlreadyFollowed) as refused:
        items.follow(user=user, wish=wish(SEASON_PATH))
    assert refused.value.item == item


def test_a_work_followed_while_its_site_was_down_stays_apart_from_its_season_in_use(
    site: Origin,
) -> None:
    item = items.follow(user=UserFactory.create(), wish=wish(BASE))
    season = SeriesFactory.create(provider_id="animesama", ref="le-phare/saison1/vostfr")
    answer(site)
    record_first_check(item.series)
    assert item.series.ref == "le-phare//vostfr"
    assert item.series.episodes_known == 3
    assert season.episodes.count() == 0
