"""What every adapter of a site must do, whatever its pages look like.

A test module subclasses `ProviderContract`, names its adapter and gives the pages of one series.
The origin serves them, or one of the faults that sites have; no answer may become a silent empty
list.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pytest

from providers.base import SiteAdapter
from providers.errors import (
    Blocked,
    EmptyList,
    LayoutChanged,
    NotFound,
    ProviderError,
    RateLimited,
    Unreachable,
)
from providers.safe_url import EgressPolicy
from providers.site_client import SiteHttpClient
from providers.tests.origin import Behaviour, Origin, resets, serves, stays_silent
from providers.types import EpisodeList

CHALLENGE = (
    b"<!doctype html><html><head><title>Just a moment...</title></head><body>"
    b"<script>window._cf_chl_opt={cType:'managed'};</script></body></html>"
)
ALTERED = (
    b"<!doctype html><html><head><title>Bienvenue</title></head>"
    b"<body><div class='brand-new'><p>Notre site fait peau neuve.</p></div></body></html>"
)
PIECES = 12
MUTATIONS = (
    (b"class=", b"data-class="),
    (b"id=", b"data-id="),
    (b"<script", b"<noscript"),
    (b"<a ", b"<span "),
    (b"<li", b"<div"),
    (b"<h1", b"<h2"),
    (b"<item", b"<entry"),
    (b"<table", b"<section"),
    (b"var ", b"const "),
    (b"eps", b"epz"),
    (b"episodes", b"liste"),
    (b"resetListe", b"viderListe"),
    (b"playlist", b"liste"),
    (b"href=", b"data-href="),
    (b"[", b"("),
    (b"'", b""),
)
_UNREADABLE = (LayoutChanged, EmptyList, NotFound)


class EveryPath(dict[str, Behaviour]):
    """Answers for an origin: the same for whatever is asked."""

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__()
        self._behaviour = behaviour

    def get(self, _path: str, _default: Any = None) -> Any:
        return self._behaviour


class ProviderContract:
    """The tests; `pages` maps the path below the origin to the body that is served there."""

    adapter_class: ClassVar[type[SiteAdapter]]
    series_ref: ClassVar[str]
    lang: ClassVar[str] = "vostfr"
    episode_ref: ClassVar[str]
    pages: ClassVar[Mapping[str, bytes]]

    @pytest.fixture
    def adapter(self, origin: Origin, policy: EgressPolicy) -> SiteAdapter:
        return self.adapter_class(SiteHttpClient(origin.url, policy, deadline_seconds=1))

    @pytest.fixture(params=["search", "details", "list_episodes", "resolve"])
    def ask(self, request: pytest.FixtureRequest, adapter: SiteAdapter) -> Callable[[], object]:
        questions: dict[str, Callable[[], object]] = {
            "search": lambda: adapter.search("brumes"),
            "details": lambda: adapter.details(self.series_ref, self.lang),
            "list_episodes": lambda: self.listed(adapter),
            "resolve": lambda: adapter.resolve(self.series_ref, self.episode_ref, self.lang),
        }
        return questions[request.param]

    def listed(self, adapter: SiteAdapter) -> EpisodeList:
        return adapter.list_episodes(self.series_ref, self.lang, {})

    def serve(self, origin: Origin) -> None:
        for path, body in self.pages.items():
            origin.answers[path] = serves(body)

    def test_a_good_site_answers_every_question(
        self, origin: Origin, ask: Callable[[], object]
    ) -> None:
        self.serve(origin)
        assert ask()

    def test_episodes_are_told_apart_and_stand_in_order(
        self, origin: Origin, adapter: SiteAdapter
    ) -> None:
        self.serve(origin)
        episodes = self.listed(adapter).episodes
        assert len({episode.ref for episode in episodes}) == len(episodes) > 0
        positions = [episode.position for episode in episodes]
        assert positions == sorted(set(positions))

    def test_a_list_that_did_not_change_is_told_as_such(
        self, origin: Origin, adapter: SiteAdapter
    ) -> None:
        self.serve(origin)
        first = self.listed(adapter)
        again = adapter.list_episodes(self.series_ref, self.lang, first.validators)
        assert (again.unchanged, again.episodes) == (True, ())
        assert again.validators == first.validators

    @pytest.mark.parametrize("status", ["403 Forbidden", "451 Unavailable For Legal Reasons"])
    def test_a_refusal_is_blocked(
        self, origin: Origin, ask: Callable[[], object], status: str
    ) -> None:
        origin.answers = EveryPath(serves(b"no", status=status))
        with pytest.raises(Blocked):
            ask()

    @pytest.mark.parametrize("status", ["200 OK", "403 Forbidden", "503 Service Unavailable"])
    def test_a_challenge_page_is_blocked_and_left_alone(
        self, origin: Origin, ask: Callable[[], object], status: str
    ) -> None:
        origin.answers = EveryPath(serves(CHALLENGE, status=status, Content_Type="text/html"))
        with pytest.raises(Blocked):
            ask()
        assert len(origin.requests) <= 2

    def test_a_missing_page_is_not_found(self, origin: Origin, ask: Callable[[], object]) -> None:
        origin.answers = EveryPath(serves(b"gone", status="404 Not Found"))
        with pytest.raises(NotFound):
            ask()

    def test_too_many_requests_says_how_long_to_wait(
        self, origin: Origin, ask: Callable[[], object]
    ) -> None:
        origin.answers = EveryPath(
            serves(b"slow down", status="429 Too Many Requests", Retry_After="17")
        )
        with pytest.raises(RateLimited) as raised:
            ask()
        assert raised.value.retry_after_seconds == 17

    @pytest.mark.parametrize(
        "behaviour", [serves(b"", status="500 Internal Server Error"), resets()]
    )
    def test_a_broken_site_is_unreachable(
        self, origin: Origin, ask: Callable[[], object], behaviour: Behaviour
    ) -> None:
        origin.answers = EveryPath(behaviour)
        with pytest.raises(Unreachable):
            ask()

    def test_a_silent_site_is_unreachable(self, origin: Origin, policy: EgressPolicy) -> None:
        origin.answers = EveryPath(stays_silent())
        adapter = self.adapter_class(SiteHttpClient(origin.url, policy, deadline_seconds=0.2))
        with pytest.raises(Unreachable):
            self.listed(adapter)

    @pytest.mark.parametrize("body", [b"", b"   ", b"<html></html>", ALTERED, b"\xff\xfe\x00\x00"])
    def test_a_page_of_another_shape_is_an_error(
        self, origin: Origin, adapter: SiteAdapter, body: bytes
    ) -> None:
        origin.answers = EveryPath(serves(body))
        with pytest.raises(_UNREADABLE):
            self.listed(adapter)
        with pytest.raises(_UNREADABLE):
            adapter.resolve(self.series_ref, self.episode_ref, self.lang)

    def test_an_altered_page_is_a_changed_layout(
        self, origin: Origin, ask: Callable[[], object]
    ) -> None:
        origin.answers = EveryPath(serves(ALTERED))
        with pytest.raises(LayoutChanged) as raised:
            ask()
        assert raised.value.field

    @pytest.mark.parametrize("part", range(PIECES))
    def test_half_a_page_never_becomes_an_empty_list(
        self, origin: Origin, adapter: SiteAdapter, part: int
    ) -> None:
        for path, body in self.pages.items():
            origin.answers[path] = serves(body[: len(body) * part // PIECES])
        try:
            found = self.listed(adapter)
        except ProviderError:
            return
        assert found.episodes

    @pytest.mark.parametrize(("old", "new"), MUTATIONS)
    def test_changed_markup_never_loses_or_renames_an_episode(
        self, origin: Origin, adapter: SiteAdapter, old: bytes, new: bytes
    ) -> None:
        self.serve(origin)
        before = [episode.ref for episode in self.listed(adapter).episodes]
        for path, body in self.pages.items():
            origin.answers[path] = serves(body.replace(old, new))
        try:
            after = [episode.ref for episode in self.listed(adapter).episodes]
        except ProviderError:
            return
        assert after == before

    def test_an_unknown_episode_is_not_found(self, origin: Origin, adapter: SiteAdapter) -> None:
        self.serve(origin)
        with pytest.raises(NotFound):
            adapter.resolve(self.series_ref, f"{self.episode_ref} bis", self.lang)

    def test_requests_go_to_the_current_address_only(
        self, origin: Origin, ask: Callable[[], object]
    ) -> None:
        # The policy refuses every other address, known domains of the site included.
        self.serve(origin)
        ask()
        assert origin.requests

    def test_its_example_is_a_series(self) -> None:
        base_url = self.adapter_class.default_base_url
        found = self.adapter_class.locate(urlsplit(self.adapter_class.example_url), base_url)
        assert self.adapter_class.url_of(found.series_ref, base_url) == found.url
        assert found.title_guess
