"""Following the script of anime-sama's season page that gives the episodes their names.

`resetListe()` empties the list, `creerListe(a, b)` adds numbers, `newSP(x)` one number and
`newSPF(text)` a free text; `finirListe(a)` fills what is left, counting from a. The last
`resetListe()` wins.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from providers.errors import LayoutChanged
from providers.parsing import (
    scripts,
    trailing_number,
    unescaped,
    without_comments,
    without_html_comments,
)

MOST_POSITIONS: Final = 20_000
_CALL: Final = re.compile(
    r"\bfunction\s++\w++|\b(resetListe|creerListe|newSPF?|finirListe(?:OP)?)\s*+\("
)
_ARGUMENTS: Final = re.compile(r"""((?:[^()"']++|"(?:[^"\\]++|\\.)*+"|'(?:[^'\\]++|\\.)*+')*+)\)""")
# A quote that is never closed would otherwise be looked for up to the end from every call.
_LONGEST_CALL: Final = 1_000
# A season page has at least one of these, whatever its layout.
_SIGNS: Final = ("episodes.js", "resetListe")
_WHOLE_NUMBER: Final = re.compile(r"\s*[\"']?\s*(\d{1,6})\s*[\"']?\s*")


@dataclass(slots=True)
class _Naming:
    """The list of names while the script is followed; a number stands for "as many as fit".

    Ranges are written out at the end alone, when it is known how many names there is room for.
    """

    names: list[str | range | int] = field(default_factory=list)

    def read(self, call: str, arguments: str) -> None:
        numbers = [int(found[1]) for part in arguments.split(",") if (found := _whole(part))]
        if call == "resetListe":
            self.names.clear()
        elif call == "creerListe":
            # The site's own pages have it with one argument now and then, to no effect.
            if len(numbers) > 1:
                self.names.append(range(numbers[0], numbers[1] + 1))
        elif call == "newSP" and (text := _text(arguments)):
            self.names.append(_episode(text))
        elif call == "newSPF" and (text := _text(arguments)):
            self.names.append(text)
        elif call.startswith("finirListe") and numbers:
            self.names.append(numbers[0])

    def fill(self, count: int) -> list[str]:
        """Exactly `count` names."""
        room = count - sum(map(_length, self.names))
        filled: list[str] = []
        for name in self.names:
            if isinstance(name, str):
                filled.append(name)
            elif isinstance(name, range):
                filled.extend(map(_episode, name[:count]))
            else:
                filled.extend(_episode(name + step) for step in range(room))
                room = 0
            if len(filled) >= count:
                break
        if len(filled) < count:
            # Players are added before the page is: what follows is counted on, not by its place.
            start = next(filter(None, map(_following, reversed(filled))), len(filled) + 1)
            filled.extend(_episode(start + step) for step in range(count - len(filled)))
        return filled[:count]


def parse_names(page: str, count: int) -> list[str]:
    """The names of `count` positions, as the script of the season page makes them.

    Raises LayoutChanged when the page is no season page.
    """
    # A page that breaks off would give episodes other names, and so other identities.
    breaks_off = page.rfind("<script") > page.rfind("</script")
    if breaks_off or not any(sign in page for sign in _SIGNS):
        raise LayoutChanged("season page")
    naming = _Naming()
    has_script = False
    page = without_html_comments(page)
    for script in scripts(page):
        if "resetListe" in script or "newSP" in script:
            has_script = True
            for call, arguments in _calls(without_comments(script)):
                naming.read(call, arguments)
    if "resetListe" in page and not has_script:
        raise LayoutChanged("season page")
    return naming.fill(count)


def _calls(script: str) -> Iterator[tuple[str, str]]:
    """The calls that make names, with their arguments; the functions' own definitions are none."""
    place = 0
    while found := _CALL.search(script, place):
        place = found.end()
        arguments = found[1] and _ARGUMENTS.match(script, place, place + _LONGEST_CALL)
        if arguments:
            place = arguments.end()
            yield found[1], arguments[1]


def _length(name: str | range | int) -> int:
    return 1 if isinstance(name, str) else len(name) if isinstance(name, range) else 0


def _episode(number: int | str) -> str:
    return f"Episode {number}"


def _following(name: str) -> int | None:
    """The number after that of "Episode 12", None for another name."""
    number = trailing_number(name) if name.startswith(_episode("")) else None
    return None if number is None else int(number) + 1


def _whole(text: str) -> re.Match[str] | None:
    return _WHOLE_NUMBER.fullmatch(text[:40])


def _text(arguments: str) -> str:
    text = arguments.strip()
    if text[:1] in {'"', "'"}:
        text = unescaped(text[1:-1])
    elif not text.replace(".", "", 1).isdecimal():
        # A name without quotes is the parameter of the function's own definition.
        return ""
    return " ".join(text.split())[:300]
