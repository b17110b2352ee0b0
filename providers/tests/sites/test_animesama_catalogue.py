from __future__ import annotations

import pytest

from providers.errors import LayoutChanged
from providers.sites.animesama_catalogue import (
    Panel,
    parse_cards,
    parse_panels,
    parse_suggestions,
    parse_work,
)
from providers.tests.sites.real_pages import real_page
from providers.types import AiringStatus

URL = "https://site.example/catalogue/?search=x"

LAYOUT_2026_10 = """<div id="list_catalog">
<div class="as-carte" data-url="/catalogue/le-phare" data-nom="Le Phare" data-img="/img/phare.webp">
<h3>Le Phare &amp; la brume</h3><span class="as-badge as-badge-anime">Anime</span>
<img title="VF"></div>
<div class="as-carte" data-url="https://site.example/catalogue/le-manga/" data-nom="Le Manga">
<h3>Le Manga</h3><span class="as-badge">Scans</span></div></div>"""

LAYOUT_2026_02 = """<div class="catalog-card card-base"><a href="catalogue/le-phare/">
<img class="card-image" src="https://img.example/phare.jpg"><h2 class="card-title">Le Phare</h2>
<p class="alternate-titles">Toudai, The Lighthouse</p>
<div class="genre-tags"><span class="genre-tag">Drame</span><span class="genre-tag">Mer…</span>
<span class="genre-tag">…</span></div>
<div class="type-row"><span class="info-value">Anime, Scans</span></div>
<div class="lang-flags"><img class="lang-flag" title="JP"><img class="lang-flag" title="FR"></div>
<div class="synopsis-content">Une   gardienne.</div></a></div>"""

LAYOUT_2025 = """<div id="list_catalog"><div><a href="https://site.example/catalogue/le-phare">
<img class="imageCarteHorizontale" src="https://img.example/phare.jpg"/><div><h1>Le Phare</h1>
<p>Toudai, The Lighthouse</p><hr/><p>Drame, Mer</p><hr/><p>Animes</p><hr/>
<p>VOSTFR, VF</p></div></a></div>
<div><a href="/catalogue/le-manga/"><img src=""/><h1>Le Manga</h1><p></p><p></p><p>Scans</p><p></p>
</a></div></div>"""


def test_the_layout_of_october_2026_is_read() -> None:
    first, second = parse_cards(LAYOUT_2026_10, URL)
    assert (first.slug, first.title) == ("le-phare", "Le Phare & la brume")
    assert first.poster_url == "https://site.example/img/phare.webp"
    assert (first.languages, first.kinds, first.has_episodes) == (("vf",), ("Anime",), True)
    assert (second.slug, second.poster_url, second.has_episodes) == ("le-manga", "", False)


def test_the_layout_of_february_2026_is_read() -> None:
    (card,) = parse_cards(LAYOUT_2026_02, URL)
    assert (card.slug, card.title) == ("le-phare", "Le Phare")
    assert card.other_titles == ("Toudai", "The Lighthouse")
    assert card.genres == ("Drame", "Mer")
    assert card.kinds == ("Anime", "Scans")
    assert card.languages == ("vostfr", "vf")
    assert card.synopsis == "Une gardienne."
    assert card.has_episodes


def test_the_layout_until_2025_is_read() -> None:
    first, second = parse_cards(LAYOUT_2025, URL)
    assert (first.slug, first.title) == ("le-phare", "Le Phare")
    assert (first.genres, first.kinds) == (("Drame", "Mer"), ("Animes",))
    assert first.languages == ("vostfr", "vf")
    assert first.has_episodes
    assert not second.has_episodes


def test_no_hit_is_an_empty_list_and_an_unknown_page_a_changed_layout() -> None:
    assert parse_cards('<div id="list_catalog"></div>', URL) == []
    with pytest.raises(LayoutChanged, match="search results"):
        parse_cards("<div class='grid'><article>Le Phare</article></div>", URL)


def test_the_search_box_is_read() -> None:
    (card,) = parse_suggestions(
        """<a class="asn-search-result" href="/catalogue/le-phare/"><img
        class="asn-search-result-img" src="https://img.example/a.jpg"><h3
        class="asn-search-result-title">Le Phare</h3><p class="asn-search-result-subtitle">Toudai,
        Lighthouse</p></a>""",
        URL,
    )
    assert (card.slug, card.other_titles) == ("le-phare", ("Toudai", "Lighthouse"))
    assert parse_suggestions("  ", URL) == []
    with pytest.raises(LayoutChanged):
        parse_suggestions("<p>something else</p>", URL)


def work(body: str) -> str:
    return (
        '<html><head><meta property="og:image" content="/img/phare.jpg"></head><body>'
        f"<h1>Le Phare</h1>{body}</body></html>"
    )


def test_the_page_of_a_work_is_read() -> None:
    found = parse_work(
        work(
            '<h2 id="titreAlter">Toudai, Lighthouse</h2><p id="synopsisText">Une gardienne.</p>'
            '<div class="genres-wrap"><span class="genre-pill">Drame</span></div>'
            "<dl class='oe-infos'><dt>Diffusion</dt><dd>dim. 3 janv. 2026</dd><dt>Statut</dt>"
            "<dd>Terminé</dd></dl><script>panneauAnime('Saison 1', 'saison1/vostfr');</script>"
        ),
        "https://site.example/catalogue/le-phare/",
    )
    assert found.title == "Le Phare"
    assert found.other_titles == ("Toudai", "Lighthouse")
    assert (found.synopsis, found.genres) == ("Une gardienne.", ("Drame",))
    assert found.poster_url == "https://site.example/img/phare.jpg"
    assert found.airing_status is AiringStatus.FINISHED
    assert found.panels == (Panel("Saison 1", "saison1", "vostfr"),)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        ("En cours", AiringStatus.AIRING),
        ("Sorti", AiringStatus.FINISHED),
        ("À venir", AiringStatus.UPCOMING),
        ("En pause", AiringStatus.UNKNOWN),
    ],
)
def test_the_status_until_2026_is_read(words: str, status: AiringStatus) -> None:
    body = (
        "<div class='info-grid'><div class='info-card'><span class='info-lbl'>État</span>"
        f"<span class='info-val'>{words}</span></div></div>"
    )
    assert parse_work(work(body), URL).airing_status is status


def test_the_title_until_2025_is_read() -> None:
    page = '<h1>Anime-Sama</h1><h4 id="titreOeuvre">Le Phare</h4>'
    assert parse_work(page, URL).title == "Le Phare"


def test_a_work_without_a_title_is_a_changed_layout() -> None:
    with pytest.raises(LayoutChanged, match="title"):
        parse_work("<html><body><p>soon</p></body></html>", URL)


def test_only_live_seasons_are_offered() -> None:
    panels = parse_panels(
        """<script>function panneauAnime(nom, url) { return nom + url; }
        panneauAnime("nom", "url");
        /* panneauAnime("nom", "url"); panneauAnime("Saison 9", "saison9/vostfr"); */
        // panneauAnime("Saison 8", "saison8/vostfr");
        panneauAnime("Saga 1 (East Blue)", "saison1/vostfr");
        panneauAnime("Saga 1 (East Blue)", "saison1/vf/");
        panneauAnime('Film', 'https://site.example/catalogue/x/film/vostfr/');
        panneauScan("Scans", "scan/vf"); panneauAnime("Scans", "scan_noir-et-blanc/vf");
        </script><!-- <script>panneauAnime("Saison 7", "saison7/vostfr");</script> -->"""
    )
    assert panels == [
        Panel("Saga 1 (East Blue)", "saison1", "vostfr"),
        Panel("Saga 1 (East Blue)", "saison1", "vf"),
        Panel("Film", "film", "vostfr"),
    ]


def test_the_real_catalogue_of_2025_is_read() -> None:
    page = real_page("anime-sama/catalogue_list_legacy-layout_2025_excerpt.html").read_text()
    cards = parse_cards(page, "https://site.example/catalogue/")
    assert len(cards) == page.count("<h1")
    assert all(card.slug and card.title and card.poster_url for card in cards)
    assert all("/" not in card.slug for card in cards)
    assert {True, False} == {card.has_episodes for card in cards}
    watched = [card for card in cards if card.has_episodes and card.languages]
    assert {lang for card in watched for lang in card.languages} <= {"vostfr", "vf", "va"}
    assert any(card.genres for card in cards)
