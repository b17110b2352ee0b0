"""Searching all providers at once: a slow or broken one delays and breaks nobody else."""

from __future__ import annotations

import queue
import threading
import time
from dataclasses import dataclass, field

from providers import cleaning, registry
from providers.base import SiteAdapter
from providers.errors import ProviderDisabled, ProviderError, Unreachable
from providers.questions import Question, adapter_of
from providers.text import clean_text
from providers.types import Capability, SeriesMatch

SEARCH_SECONDS = 8.0
MAX_QUERY_LENGTH = 100


@dataclass(frozen=True, slots=True)
class SearchOutcome:
    """The hits of every provider that answered in time, and why the others did not."""

    matches: list[tuple[str, SeriesMatch]]  # provider id and hit; a provider's best first
    errors: dict[str, ProviderError] = field(default_factory=dict)  # by provider id


_Hits = list[SeriesMatch] | ProviderError
_Answers = queue.SimpleQueue[tuple[Question, _Hits]]


def search(
    query: str, *, provider_id: str | None = None, deadline_seconds: float = SEARCH_SECONDS
) -> SearchOutcome:
    """Ask every provider, or one, for series of this title; all at once, until the deadline.

    Providers that are switched off are left out, unless one is asked for by name. The searches run
    in threads that never touch the database. Raises UnknownProvider.
    """
    query = clean_text(query, MAX_QUERY_LENGTH)
    adapters = [adapter_of(provider_id)] if provider_id else list(registry.ADAPTERS)
    outcome = SearchOutcome([])
    ends_at = time.monotonic() + deadline_seconds
    answers: _Answers = queue.SimpleQueue()
    waiting: dict[str, Question] = {}
    for adapter in adapters:
        if not query or Capability.SEARCH not in adapter.capabilities:
            continue
        question = _prepared(adapter, outcome, ends_at, is_named=provider_id is not None)
        if question is not None:
            waiting[adapter.id] = question
            asking = threading.Thread(
                target=_search_one, args=(question, query, answers), daemon=True
            )
            asking.start()
    _gather(outcome, waiting, answers, ends_at)
    return outcome


def _prepared(
    adapter: type[SiteAdapter], outcome: SearchOutcome, ends_at: float, *, is_named: bool
) -> Question | None:
    try:
        return Question.prepare(adapter, ends_at=ends_at)
    except ProviderDisabled as error:
        if is_named:
            outcome.errors[adapter.id] = error
    except ProviderError as error:
        outcome.errors[adapter.id] = error
    return None


def _search_one(question: Question, query: str, answers: _Answers) -> None:
    try:
        hits: _Hits = question.put(lambda adapter: adapter.search(query))
    except ProviderError as error:
        hits = error
    answers.put((question, hits))


def _gather(
    outcome: SearchOutcome, waiting: dict[str, Question], answers: _Answers, ends_at: float
) -> None:
    """Collect answers until the deadline; whoever is late gets an error of its own."""
    found: dict[str, list[SeriesMatch]] = {}
    order = list(waiting)
    while waiting:
        try:
            question, hits = answers.get(timeout=max(0.0, ends_at - time.monotonic()))
        except queue.Empty:
            break
        provider_id = question.adapter.id
        del waiting[provider_id]
        if isinstance(hits, ProviderError):
            outcome.errors[provider_id] = hits
            question.record(hits)
        else:
            found[provider_id] = cleaning.clean_matches(hits)
            question.record(None)
    for provider_id, question in waiting.items():
        outcome.errors[provider_id] = Unreachable("The provider did not answer in time.")
        question.record(outcome.errors[provider_id])
    for provider_id in order:
        outcome.matches.extend((provider_id, match) for match in found.get(provider_id, ()))
