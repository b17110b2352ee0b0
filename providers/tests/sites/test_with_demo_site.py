"""Every adapter against the demo site, which was made from the sites' descriptions by itself."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from providers.base import SiteAdapter
from providers.demo.site import DemoSite
from providers.errors import Blocked, EmptyList, LayoutChanged, Licensed, NotFound, ProviderError
from providers.registry import ADAPTERS
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.streams import StreamKind
from providers.types import EpisodeList

CLASSES = {adapter.id: adapter for adapter in ADAPTERS}
SITES = ["animesama", "nekosama", "animeultime"]


@pytest.fixture(scope="module")
def running_site() -> Iterator[DemoSite]:
    with DemoSite() as running:
        yield running


@pytest.fixture
def site(running_site: DemoSite) -> DemoSite:
    running_site.reset()
    return running_site


def adapter_for(site: DemoSite, provider_id: str, moves: list[str] | None = None) -> SiteAdapter:
    client = SiteHttpClient(
        site.provider_base(provider_id),
        EgressPolicy.parse(site.allowed_hosts),
        deadline_seconds=5,
        on_moved=None if moves is None else moves.append,
    )
    return CLASSES[provider_id](client)


def series_ref(site: DemoSite, provider_id: str, slug: str, lang: str = "vostfr") -> str:
    url = site.url_of(provider_id, slug, lang=lang)
    base_url = site.provider_base(provider_id)
    found = CLASSES[provider_id].locate(urlsplit(url), base_url).series_ref
    return CLASSES[provider_id].with_language(found, lang) or found


def listed(site: DemoSite, provider_id: str, slug: str, lang: str = "vostfr") -> EpisodeList:
    ref = series_ref(site, provider_id, slug, lang)
    return adapter_for(site, provider_id).list_episodes(ref, lang, {})


def airing_slug(site: DemoSite, provider_id: str) -> str:
    return site.series_slugs(provider_id)[0]


@pytest.mark.parametrize("provider_id", SITES)
def test_every_series_is_found_described_listed_and_resolved(
    site: DemoSite, provider_id: str
) -> None:
    adapter = adapter_for(site, provider_id)
    slugs = site.series_slugs(provider_id)
    licensed: list[str] = []
    for slug in slugs:
        ref = series_ref(site, provider_id, slug)
        details = adapter.details(ref, "vostfr")
        assert details.title
        assert details.synopsis
        assert details.poster_url
        assert "vostfr" in details.languages
        assert adapter.search(details.title)[0].title.startswith(details.title)
        episodes = adapter.list_episodes(details.series_ref, "vostfr", {}).episodes
        assert episodes
        try:
            sources = adapter.resolve(details.series_ref, episodes[-1].ref, "vostfr")
        except Licensed:
            licensed.append(slug)
        else:
            assert all(source.url.startswith(site.base_url) for source in sources)
    assert licensed == (["sous-la-neige-rouge"] if provider_id == "animeultime" else [])


@pytest.mark.parametrize("provider_id", SITES)
def test_a_published_episode_is_seen_and_the_others_stay_the_same(
    site: DemoSite, provider_id: str
) -> None:
    slug = airing_slug(site, provider_id)
    ref = series_ref(site, provider_id, slug)
    adapter = adapter_for(site, provider_id)
    before = adapter.list_episodes(ref, "vostfr", {})
    assert adapter.list_episodes(ref, "vostfr", before.validators).unchanged
    number = site.publish_episode(slug)
    after = adapter.list_episodes(ref, "vostfr", before.validators)
    assert [episode.ref for episode in after.episodes[:-1]] == [e.ref for e in before.episodes]
    assert after.episodes[-1].number == number


@pytest.mark.parametrize("provider_id", SITES)
def test_an_unchanged_list_costs_one_request_without_a_body(
    site: DemoSite, provider_id: str
) -> None:
    ref = series_ref(site, provider_id, airing_slug(site, provider_id))
    adapter = adapter_for(site, provider_id)
    before = adapter.list_episodes(ref, "vostfr", {})
    site.requests.clear()
    adapter.list_episodes(ref, "vostfr", before.validators)
    assert [request.status for request in site.requests.all()] == [304]


def test_a_special_inserted_before_keeps_identity(site: DemoSite) -> None:
    slug = airing_slug(site, "animesama")
    before = [(e.ref, e.number) for e in listed(site, "animesama", slug).episodes]
    site.insert_special(slug, "Le carnet d'été", 0)
    after = listed(site, "animesama", slug).episodes
    assert [(e.ref, e.number) for e in after[1:]] == before
    assert after[0].is_special
    assert after[0].title == "Le carnet d'été"


def test_a_language_that_comes_later_is_first_missing_and_then_there(site: DemoSite) -> None:
    slug = airing_slug(site, "animesama")
    with pytest.raises(NotFound, match="not offered in VF"):
        listed(site, "animesama", slug, "vf")
    site.add_language(slug, "vf")
    assert listed(site, "animesama", slug, "vf").episodes


@pytest.mark.parametrize("layout", ["2026-10", "2026-02", "2025"])
def test_search_reads_every_card_layout(site: DemoSite, layout: str) -> None:
    site.show_cards_as(layout)
    hit = adapter_for(site, "animesama").search("phare")[0]
    assert "phare" in hit.title.lower()
    assert hit.poster_url.startswith(site.base_url)


def test_the_old_site_answers_when_the_new_one_is_broken(site: DemoSite) -> None:
    adapter = adapter_for(site, "animeultime")
    slug = airing_slug(site, "animeultime")
    details = adapter.details(series_ref(site, "animeultime", slug), "vostfr")
    new = adapter.list_episodes(details.series_ref, "vostfr", {}).episodes
    site.faults.status("/animeultime/VideoPlayer.html", 500)
    site.faults.status("/animeultime/MenuSearch.html", 500)
    page = urlsplit(site.url_of("animeultime", slug)).path
    site.faults.status(page, 500)
    old = adapter.list_episodes(details.series_ref, "vostfr", {}).episodes
    assert [e.ref for e in old] == [e.ref for e in new]
    assert adapter.resolve(details.series_ref, old[0].ref, "vostfr")[0].kind is StreamKind.HTTP
    assert adapter.details(details.series_ref, "vostfr").synopsis
    assert adapter.search(details.title)[0].title == details.title


def test_a_moved_site_is_followed_and_its_new_address_reported(site: DemoSite) -> None:
    ref = series_ref(site, "animesama", airing_slug(site, "animesama"))
    new_base = site.move()
    moves: list[str] = []
    assert adapter_for(site, "animesama", moves).list_episodes(ref, "vostfr", {}).episodes
    assert set(moves) == {f"{new_base}/animesama"}


@pytest.mark.parametrize("provider_id", SITES)
@pytest.mark.parametrize("status", [200, 403, 503])
def test_a_challenge_is_reported(site: DemoSite, provider_id: str, status: int) -> None:
    site.faults.challenge(f"/{provider_id}", status)
    with pytest.raises(Blocked):
        listed(site, provider_id, airing_slug(site, provider_id))


@pytest.mark.parametrize("provider_id", SITES)
def test_a_list_without_episodes_is_an_error(site: DemoSite, provider_id: str) -> None:
    site.faults.empty_list(f"/{provider_id}")
    with pytest.raises((EmptyList, NotFound)):
        listed(site, provider_id, airing_slug(site, provider_id))


@pytest.mark.parametrize("provider_id", SITES)
def test_another_page_in_its_place_is_a_changed_layout(site: DemoSite, provider_id: str) -> None:
    site.faults.html(f"/{provider_id}")
    with pytest.raises(LayoutChanged):
        listed(site, provider_id, airing_slug(site, provider_id))


def test_a_blank_script_is_a_language_that_is_not_offered(site: DemoSite) -> None:
    site.faults.blank_script("/animesama")
    with pytest.raises(NotFound, match="not offered in VOSTFR"):
        listed(site, "animesama", airing_slug(site, "animesama"))


def test_a_licensed_series_is_reported(site: DemoSite) -> None:
    slug = airing_slug(site, "animeultime")
    ref = series_ref(site, "animeultime", slug)
    adapter = adapter_for(site, "animeultime")
    episode = adapter.list_episodes(ref, "vostfr", {}).episodes[0]
    site.faults.licensed("/animeultime")
    with pytest.raises(Licensed):
        adapter.resolve(ref, episode.ref, "vostfr")


@pytest.mark.parametrize("provider_id", SITES)
def test_a_broken_connection_loses_nothing(site: DemoSite, provider_id: str) -> None:
    site.faults.drop(f"/{provider_id}", 200)
    with pytest.raises(ProviderError):
        listed(site, provider_id, airing_slug(site, provider_id))
