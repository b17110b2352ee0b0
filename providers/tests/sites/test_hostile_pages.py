"""Pages of a few kilobytes that must not cost gigabytes or hours."""

from __future__ import annotations

import contextlib
import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from providers.errors import ProviderError
from providers.sites import animeultime_v4 as v4
from providers.sites import animeultime_v5 as v5
from providers.sites import nekosama_pages
from providers.sites.animesama_catalogue import parse_cards, parse_panels, parse_work
from providers.sites.animesama_episodes import parse_players
from providers.sites.animesama_names import parse_names

ROOT = Path(__file__).resolve().parents[3]
URL = "https://site.example/"
SEASON = "<script src='episodes.js'></script><script>resetListe();"
QUOTE = 'newSP("\\"'
FILE = '<li class="file"><div class="number"><label>Episode 1</label></div><a href="x">'


def _names(page: str) -> object:
    return parse_names(page, 12)


CASES: dict[str, tuple[str, Callable[[str], object]]] = {
    "ranges of names": (f"{SEASON}{'creerListe(1,20000);' * 2_000}</script>", _names),
    "ranges of names, each given up": (
        f"{SEASON}{'creerListe(1,20000);resetListe();' * 10_000}</script>",
        _names,
    ),
    "open quotes in names": (f"{SEASON}{QUOTE * 50_000}</script>", _names),
    "many players": (
        f"eps0=[{',' * 20_000}];" + "".join(f"eps{n}=[];" for n in range(1, 6_000)),
        parse_players,
    ),
    "open scripts": (f"{'<script ' * 300_000}</script", lambda text: list(parse_panels(text))),
    "cards in cards": (
        '<div class="catalog-card"><a href="/catalogue/x/">' * 4_000,
        lambda text: parse_cards(text, URL),
    ),
    "newer cards in cards": (
        '<div class="as-carte" data-url="/catalogue/x/"><h3>' * 8_000,
        lambda text: parse_cards(text, URL),
    ),
    "labels in labels": (
        "<h1>x</h1>" + '<span class="info-lbl">x' * 20_000,
        lambda text: parse_work(text, URL),
    ),
    "labels without values": (
        "<h1>x</h1>" + '<span class="info-lbl">Statut x</span>' * 20_000,
        lambda text: parse_work(text, URL),
    ),
    "terms without values": (
        f'<h1>x</h1><dl class="oe-infos">{"<dt>x</dt>" * 20_000}</dl>',
        lambda text: parse_work(text, URL),
    ),
    "rows in rows": (
        '<table class="jtable">' + '<tr><td><a href="file-0-1/1-a">' * 10_000,
        lambda text: v4.parse_search(text, URL),
    ),
    "files in files": (
        '<h1>x</h1><ul class="ficheDownload">' + FILE * 4_000,
        lambda text: v5.parse_series(text, URL),
    ),
    "facts in facts": (
        '<h1>x</h1><div id="anime-info-list">' + '<div class="item">Status x' * 20_000,
        lambda text: nekosama_pages.parse_series(text, URL),
    ),
}


def read(name: str) -> None:
    """Read or refuse one of the pages, in a process that may not use much."""
    text, parse = CASES[name]
    resource.setrlimit(resource.RLIMIT_AS, (1_000_000_000, 1_000_000_000))
    resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
    with contextlib.suppress(ProviderError):
        parse(text)


# In a process of its own: what hangs in the C parser cannot be interrupted.
@pytest.mark.parametrize("name", CASES)
def test_a_small_page_costs_little_time_and_memory(name: str) -> None:
    program = f"from {__name__} import read; read({name!r})"
    subprocess.run([sys.executable, "-B", "-c", program], cwd=ROOT, timeout=60, check=True)
