"""The French texts: complete, with the same placeholders, and compiled from what is committed."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

CATALOGUES = sorted((Path(__file__).resolve().parent.parent / "locale").rglob("*.po"))
_PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{(\w*)\}|(?<!%)%[sd]")


def placeholders(text: str) -> list[str]:
    return sorted(match[0] for match in _PLACEHOLDER.finditer(text))


@pytest.mark.parametrize("path", CATALOGUES, ids=lambda path: path.parent.parent.name)
class TestCatalogue:
    def test_every_text_is_translated(self, path: Path) -> None:
        catalogue = polib.pofile(str(path))
        open_texts = [*catalogue.untranslated_entries(), *catalogue.fuzzy_entries()]
        assert [entry.msgid for entry in open_texts] == []

    def test_a_translation_fills_in_the_same_values(self, path: Path) -> None:
        wrong = [
            entry.msgid
            for entry in polib.pofile(str(path))
            if not entry.obsolete
            for translated in (entry.msgstr_plural.values() or [entry.msgstr])
            if placeholders(translated)
            not in (placeholders(entry.msgid), placeholders(entry.msgid_plural))
        ]
        assert wrong == []

    def test_the_compiled_file_is_of_this_catalogue(self, path: Path) -> None:
        compiled = polib.mofile(str(path.with_suffix(".mo")))
        expected = {entry.msgid_with_context: entry.msgstr for entry in polib.pofile(str(path))}
        found = {entry.msgid_with_context: entry.msgstr for entry in compiled}
        assert found == {msgid: text for msgid, text in expected.items() if msgid in found}
        assert set(expected) == set(found)
