"""Everything that can go wrong has words of its own, in every language."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import translation

from downloads.engine.errors import EngineError
from providers.errors import ProviderError
from watchlist import faults
from watchlist.decisions import Reason
from watchlist.reasons import sentence


def codes_of(base: type[Any]) -> set[str]:
    found = {base.code}
    for kind in base.__subclasses__():
        found |= codes_of(kind)
    return found


ALL = sorted(codes_of(ProviderError) | codes_of(EngineError) | {"no_usable_player", "worker_lost"})


@pytest.mark.parametrize("code", ALL)
def test_every_code_has_words_of_its_own(code: str) -> None:
    assert code in faults.CODES


@pytest.mark.parametrize("code", ALL)
def test_every_code_speaks_french(code: str) -> None:
    english = (faults.short(code), faults.sentence(code))
    with translation.override("fr"):
        french = (faults.short(code), faults.sentence(code))
    assert not set(french) & set(english)


def test_a_code_of_an_older_version_is_still_a_sentence() -> None:
    assert faults.short("long_gone") == "It failed"
    assert faults.sentence("long_gone").endswith(".")


def test_a_reason_tells_the_error_in_the_readers_language() -> None:
    facts = {"code": "server_refused", "error": "HTTP 403 from a.example"}
    assert sentence(Reason.FAILED, facts) == (
        "The download failed: the video host refused to send the file."
    )
    with translation.override("fr"):
        told = sentence(Reason.FAILED, facts)
    assert told.startswith("Le téléchargement a échoué\u202f: l\u2019hébergeur")
    assert "HTTP 403" not in told
